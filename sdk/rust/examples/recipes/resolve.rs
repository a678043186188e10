//! Which recipes others need, inside one version of a repository.

use std::collections::{HashMap, HashSet};

use wharf_sdk::{Context, Done, Error, Query, ResolveRequest, UnitRef};

use super::recipe::{Attributes, Key, RECIPE};

/// Names what the asked ones use, what that uses, and so on.
pub(super) async fn resolve(request: &ResolveRequest, context: &Context) -> Result<Done, Error> {
    let query = Query::all().version(request.version).of_type(RECIPE).without_files();
    let mut recipes = HashMap::new();
    let (mut seen, mut wanted) = (HashSet::new(), Vec::new());
    let mut pages = context.units(query).await?;
    while let Some(page) = pages.next().await? {
        for unit in page {
            let name = unit.read_key::<Key>()?.name;
            let uses = unit.read_attributes::<Attributes>()?.uses;
            if request.units.iter().any(|asked| asked.number() == Some(unit.id())) {
                seen.insert(name.clone());
                wanted.extend(uses.clone());
            }
            recipes.insert(name, (unit.id(), uses));
        }
    }
    while let Some(name) = wanted.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if let Some((id, uses)) = recipes.get(&name) {
            context.resolved(UnitRef::id(*id)).await?;
            wanted.extend(uses.clone());
        } else {
            let text = format!("{name} is used, but this version does not hold it");
            context.warn("dependency.missing", text, &name).await?;
        }
    }
    Ok(Done::unchanged())
}
