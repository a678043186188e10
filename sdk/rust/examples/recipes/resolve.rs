//! Which recipes others need, inside one version of a repository.

use std::collections::HashMap;

use wharf_sdk::{Context, Done, Error, Query, ResolveRequest, UnitRef};

use super::recipe::{Attributes, Key, RECIPE};

/// Names what the asked ones use, what that uses, and so on.
pub(super) async fn resolve(request: &ResolveRequest, context: &Context) -> Result<Done, Error> {
    let query = Query::all().version(request.version).of_type(RECIPE).without_files();
    let mut recipes = HashMap::new();
    let mut wanted = Vec::new();
    let mut pages = context.units(query).await?;
    while let Some(page) = pages.next().await? {
        for unit in page {
            let uses = unit.read_attributes::<Attributes>()?.uses;
            if request.units.iter().any(|asked| asked.number() == Some(unit.id())) {
                wanted.extend(uses.clone());
            }
            recipes.insert(unit.read_key::<Key>()?.name, (unit.id(), uses));
        }
    }
    while let Some(name) = wanted.pop() {
        match recipes.remove(&name) {
            Some((id, uses)) => {
                context.resolved(UnitRef::id(id)).await?;
                wanted.extend(uses);
            }
            None => context.log(wharf_sdk::Level::DEBUG, format!("{name}: seen or not here")).await,
        }
    }
    Ok(Done::unchanged())
}
