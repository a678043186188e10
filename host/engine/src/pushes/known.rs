//! What newest versions, of all repositories, say of images at providers.

use serde_json::Value;
use wharf_store::model::{FieldMatch, Match, UnitId, UnitRow, UnitSearch};

use super::PROVIDER_TYPE;
use super::image::word;
use super::keep::RECIPE;
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::problem::Problem;

/// What tells of a record's place at its provider by now.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The record itself.
    Own,
    /// This one: a later push took the place.
    Others(UnitId),
    /// Nothing.
    Nobodys,
}

impl Place {
    /// Whose the place of this record is.
    pub(super) async fn of(engine: &Inner, record: &UnitRow) -> Result<Self, Problem> {
        let [provider, identifier] =
            [word(&record.key, "provider")?, word(&record.key, "identifier")?];
        let mut last = engine.records_at(&provider, Some(&identifier)).await?.into_iter().max();
        if last.is_none() {
            last = pushed_anew(engine, record).await?;
        }
        Ok(match last {
            Some(unit) if unit == record.id => Self::Own,
            Some(unit) => Self::Others(unit),
            None => Self::Nobodys,
        })
    }

    /// Whether the record's image is still there to be taken away. What took its place is not.
    pub(super) fn is_own(self, record: UnitId) -> Result<bool, Problem> {
        match self {
            Self::Own => Ok(true),
            Self::Nobodys => Ok(false),
            Self::Others(unit) => {
                let message = format!("unit {record} was replaced by {unit}");
                Err(Problem::usage("conflict.replaced", message)
                    .help(format!("unpublish that one: wharf image unpublish {unit}")))
            }
        }
    }
}

/// What the same push made later, under another name there.
async fn pushed_anew(engine: &Inner, record: &UnitRow) -> Result<Option<UnitId>, Problem> {
    let attributes: Value = serde_json::from_str(&record.attributes)?;
    if attributes["image"].is_null() {
        return Ok(None);
    }
    let found = engine.records(vec![(RECIPE, attributes[RECIPE].clone())]).await?;
    Ok(found.into_iter().max())
}

/// Tells the user whose name at the provider the image has now, before the record goes that told of it.
pub(super) async fn warn_of_replaced(
    engine: &Inner,
    run: &JobRun,
    (provider, identifier): (&str, &str),
    image: UnitId,
) -> Result<(), Problem> {
    let records = engine.records_at(provider, Some(identifier)).await?;
    for record in engine.store.meta.units_by_id(records, false).await? {
        let attributes: Value = serde_json::from_str(&record.attributes)?;
        let of = match attributes["image"].as_i64() {
            Some(other) if other == image.0 => continue,
            Some(other) => format!("image {other}"),
            None => "an image that was made there".to_owned(),
        };
        let text =
            format!("takes the place of unit {} ({of}), which is not there any more", record.id);
        run.warn("replaced", text, identifier).await;
    }
    Ok(())
}

impl Inner {
    /// The units that tell of images at a provider: of all, or of what it calls so.
    pub(crate) async fn records_at(
        &self,
        provider: &str,
        identifier: Option<&str>,
    ) -> Result<Vec<UnitId>, Problem> {
        let identifier = identifier.map(|identifier| ("identifier", identifier.into()));
        self.records([("provider", provider.into())].into_iter().chain(identifier).collect()).await
    }

    async fn records(&self, fields: Vec<(&str, Value)>) -> Result<Vec<UnitId>, Problem> {
        let Some(kind) = self.types.get(PROVIDER_TYPE) else { return Ok(Vec::new()) };
        let filter = fields.into_iter().map(|(name, value)| FieldMatch {
            name: name.to_owned(),
            is: Match::Value(value.to_string()),
        });
        let search =
            UnitSearch { types: vec![kind.id], filter: filter.collect(), ..UnitSearch::default() };
        Ok(self.store.meta.search_ids(search).await?)
    }
}
