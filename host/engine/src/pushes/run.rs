//! The job that brings one image to one provider.

use wharf_proto::v1;
use wharf_store::model::LogLevel;

use super::call::{Ask, call};
use super::image;
use super::keep::{self, Before, Record};
use super::known::warn_of_replaced;
use super::order::Order;
use crate::edit;
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// Runs the push that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let order: Order = serde_json::from_str(&run.job.arguments)?;
    let repository = edit::repository(engine, run).await?;
    let image = image::hold(engine, run, order.image).await?;
    let provider = engine.provider(run.job.component.as_deref().unwrap_or_default()).await?;
    provider.check_takes(&image::word(&image.key, "target")?)?;
    let recipe = provider.recipe(image.id, &order.parameters);
    let before = keep::before(engine, repository.id, &recipe).await?;
    let told = provider.told(&order.parameters);
    let previous = before.as_ref().map(publication);
    let ask = Ask::Publish { image: image.id, previous, again: order.again };
    let answer = call((engine, run), &repository, (&provider, &told), ask).await?;
    let same = before.as_ref().filter(|before| before.identifier == answer.identifier);
    if let Some(before) = same.filter(|_| !answer.changed) {
        return Ok(there(run, before).await);
    }
    let place = (&*provider.words(), &*answer.identifier);
    if let Err(problem) = warn_of_replaced(engine, run, place, image.id).await {
        // It is done there and must be kept.
        tracing::warn!(job = run.id(), %problem, "nobody knows what a push replaced");
    }
    let [name, target, architecture] = words(&image.key)?;
    let record = Record {
        name: &name,
        target: &target,
        architecture: &architecture,
        provider: &provider.words(),
        identifier: &answer.identifier,
        image: Some(image.id),
        recipe: &recipe,
        by: &provider.maker(),
        parameters: &order.parameters,
        details: answer.details,
    };
    let result = record.keep(engine, run, &repository, before.map(|before| before.unit)).await?;
    Ok(JobResult { summary: answer.summary, ..result })
}

/// Name, target and architecture of an image, by its key.
fn words(key: &str) -> Result<[String; 3], Problem> {
    Ok([image::word(key, "name")?, image::word(key, "target")?, image::word(key, "architecture")?])
}

/// As the plugin is told of it.
pub(super) fn publication(before: &Before) -> v1::Publication {
    v1::Publication { id: before.push, version: 0, identifier: before.identifier.clone() }
}

/// Nothing is to be done.
async fn there(run: &JobRun, before: &Before) -> JobResult {
    let why = format!("it is there already, pushed by job {}", before.push);
    run.log(LogLevel::Info, format!("skipped: {why}")).await;
    JobResult {
        unit: Some(before.unit.0),
        identifier: Some(before.identifier.clone()),
        skipped_because: Some(why),
        ..run.result()
    }
}
