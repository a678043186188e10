//! The job that takes an image away at its provider: first there, then here. What lies there in its place by now stays.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wharf_store::model::{LogLevel, UnitId};

use super::call::{Ask, call};
use super::run::publication;
use super::{PROVIDER_TYPE, Place, image, keep};
use crate::edit::{self, Exchange};
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// What is to go.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// The unit that tells of it.
    pub(super) pushed: i64,
}

/// Runs what the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let Order { pushed } = serde_json::from_str(&run.job.arguments)?;
    let repository = edit::repository(engine, run).await?;
    let row = image::of_type(engine, UnitId(pushed), PROVIDER_TYPE).await?;
    let record = keep::read(&row)?;
    if !Place::of(engine, &row).await?.is_own(row.id)? {
        let why = gone(row.id).message;
        run.log(LogLevel::Info, format!("skipped: {why}")).await;
        let identifier = Some(record.identifier);
        return Ok(JobResult { identifier, skipped_because: Some(why), ..run.result() });
    }
    let provider = engine.provider(run.job.component.as_deref().unwrap_or_default()).await?;
    let attributes: Value = serde_json::from_str(&row.attributes)?;
    let parameters = attributes["parameters"].as_object().cloned().unwrap_or_else(Map::new);
    let told = provider.told(&parameters);
    let ask = Ask::Unpublish(publication(&record));
    let answer = call((engine, run), &repository, (&provider, &told), ask).await?;
    let mut result = run.result();
    for holding in engine.store.meta.holdings(row.id).await? {
        if holding.removed_in.is_none() {
            let holder = engine.repository(&holding.repository).await?.id;
            let exchange = Exchange { added: None, removed: Some(row.id) };
            let committed = keep::commit(engine, run, holder, &exchange).await?;
            if holder == repository.id {
                result = committed;
            }
        }
    }
    let identifier = Some(record.identifier);
    Ok(JobResult { identifier, summary: answer.summary, ..result })
}

/// Said of what was taken away before.
pub(super) fn gone(unit: UnitId) -> Problem {
    let message = format!(
        "no repository holds unit {unit} any more: nothing says that it lies at its provider"
    );
    Problem::usage("not_found.unit", message)
        .help("`wharf image list` shows the images that lie at providers, and their numbers")
}
