//! The job that builds one image.

use serde_json::json;
use wharf_proto::v1;
use wharf_store::model::{Repository, UnitId};

use super::call::{Builder, Given, Made, Maker};
use super::order::{Order, Stage};
use super::{customise, keep, parent, recipe, snapshot};
use crate::edit;
use crate::engine::Inner;
use crate::hooks::{self, Decision, Ended, Step};
use crate::instances::Address;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// How often the commit is tried when other builds commit at the same time.
const TRIES: usize = 100;

/// Runs the build that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let order: Order = serde_json::from_str(&run.job.arguments)?;
    let repository = edit::repository(engine, run).await?;
    let parent = match order.base {
        Some(base) => Some(parent::stage(engine, run, base).await?),
        None => None,
    };
    let base = parent.as_ref().map(|unit| unit.id);
    let step = step(&order, &repository, parent)?;
    let made = match make((engine, run), &repository, &order, &step).await {
        Ok(Outcome::Made(made)) => finish((engine, run), &step, made, None).await?,
        Ok(Outcome::Replaced(by, made)) => finish((engine, run), &step, made, Some(&by)).await?,
        Ok(Outcome::Skipped(by)) => {
            hooks::after(engine, run, &step, Ended::Decided(&by, None)).await?;
            let why = Some(format!("{by} says that nothing is to be made"));
            return Ok(JobResult { skipped_because: why, ..run.result() });
        }
        Err(problem) => {
            hooks::after(engine, run, &step, Ended::Failed(&problem)).await?;
            return Err(problem);
        }
    };
    if order.stage == Stage::Snapshot {
        return snapshot::keep((engine, run), &repository, &order, made).await;
    }
    let summary = made.summary.clone();
    let unit = keep::save((engine, run), &repository, &order, made, base).await?;
    let result = commit(engine, run, unit).await?;
    Ok(JobResult { unit: Some(unit.0), summary, ..result })
}

enum Outcome {
    Made(Made),
    /// By this hook.
    Replaced(Address, Made),
    Skipped(Address),
}

/// Has the image made, by the builder or by the hook that takes its place.
async fn make(
    (engine, run): (&Inner, &JobRun),
    repository: &Repository,
    order: &Order,
    step: &Step<'_>,
) -> Result<Outcome, Problem> {
    let given = match hooks::before(engine, run, step).await? {
        Decision::Skip(by) => return Ok(Outcome::Skipped(by)),
        Decision::Replace(by, unit) => {
            let (plugin, _component) = engine.component(&by)?;
            let made = Made { by: Maker::of(&by, plugin), unit: *unit, summary: None };
            return Ok(Outcome::Replaced(by, made));
        }
        Decision::Proceed(given) => given,
    };
    let parent = step.parent.clone();
    let given = match order.stage {
        Stage::Base => Given { parent, contributions: given, provider: None },
        Stage::Target => {
            customise::ready((engine, run), repository, order, (parent, given)).await?
        }
        Stage::Snapshot => snapshot::ready(engine, order, given).await?,
    };
    let builder = Builder::of(engine, &order.by).await?;
    builder.build((engine, run), repository, order, given).await.map(Outcome::Made)
}

/// Tells the hooks what was made, and takes what they make of it.
async fn finish(
    (engine, run): (&Inner, &JobRun),
    step: &Step<'_>,
    made: Made,
    by: Option<&Address>,
) -> Result<Made, Problem> {
    let ended = match by {
        Some(by) => Ended::Decided(by, Some(&made.unit)),
        None => Ended::Made(&made.unit),
    };
    let changed = hooks::after(engine, run, step, ended).await?;
    Ok(Made { unit: changed.unwrap_or(made.unit), ..made })
}

/// The making of the image, as hooks are told of it.
fn step<'a>(
    order: &'a Order,
    repository: &'a Repository,
    parent: Option<v1::Unit>,
) -> Result<Step<'a>, Problem> {
    let [os, version, architecture] = &order.system;
    let subject = json!({
        "repository": repository.name.to_string(),
        "stage": order.stage.as_str(),
        "type": order.stage.makes(),
        "name": order.name,
        "target": order.target,
        "os": { "name": os, "version": version, "arch": architecture },
        "template": recipe::without_passwords(&order.template)?,
        "builder": order.by.component,
        "provider": order.provider,
    });
    let subscription = order.stage.subscription(&order.target);
    Ok(Step { subscription, repository, subject, parent, told: &order.hooks })
}

/// Adds the image to the repository. Builds share a repository, so its newest version may be another one by now.
async fn commit(engine: &Inner, run: &JobRun, unit: UnitId) -> Result<JobResult, Problem> {
    let mut tries = 0;
    loop {
        let repository = edit::repository(engine, run).await?;
        let outcome = edit::add(engine, run, &repository, unit).await;
        tries += 1;
        match outcome {
            Err(problem) if problem.code == "conflict.base_moved" && tries < TRIES => {}
            outcome => return outcome,
        }
    }
}
