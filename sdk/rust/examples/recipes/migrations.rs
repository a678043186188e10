//! What version 2 needs of the data of version 1.

use serde_json::{Map, Value, json};
use wharf_sdk::{Context, Done, Error, Migration, Migrations, Query, Unit, async_trait};

use super::recipe::{RECIPE, minutes};

pub(crate) struct Changes;

#[async_trait]
impl Migrations for Changes {
    async fn migrate(&self, _: Migration, context: &Context) -> Result<Done, Error> {
        let mut pages = context.units(Query::all().of_type(RECIPE)).await?;
        while let Some(page) = pages.next().await? {
            for unit in page {
                let mut attributes: Map<String, Value> = unit.read_attributes()?;
                let Some(time) = attributes.remove("time") else { continue };
                let time = time.as_str().unwrap_or_default();
                attributes.insert("minutes".to_owned(), json!(minutes(time).unwrap_or_default()));
                context.unit(Unit::existing(RECIPE, unit.id()).attributes(&attributes)?).await?;
            }
        }
        Ok(Done::changed())
    }
}
