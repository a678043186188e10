//! Hooks: installed components that have a say before and after steps of other components' runs, because their manifests
//! subscribe to them.
//!
//! The path: a job describes its step ([`Step`]); [`before`] asks every subscriber, in order (`subscribe`), by one short call
//! each (`call`), and answers what is to be done; [`after`] tells the same subscribers how the step ended, also when it
//! failed, and takes what they changed of what was made. [`around`] does both for steps that hooks can only let be or stop.
//!
//! Never judges what a hook gives: files and attributes are checked where those of any other plugin are.

mod call;
mod subscribe;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wharf_proto::v1;
use wharf_store::model::Repository;

pub(crate) use self::subscribe::Subscription;
use crate::convert;
use crate::edit;
use crate::engine::Inner;
use crate::instances::Address;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// The most things that the hooks of one step may give to it.
const MAX_CONTRIBUTIONS: usize = 1_000;

/// A step that hooks may be called for.
pub(crate) struct Step<'a> {
    pub(crate) subscription: Subscription<'a>,
    pub(crate) repository: &'a Repository,
    /// JSON object that describes what the step is about.
    pub(crate) subject: Value,
    /// What the object is made of, its files staged.
    pub(crate) parent: Option<v1::Unit>,
    /// What the request says to components that have a hook.
    pub(crate) told: &'a [Told],
}

/// What a request says to one component that has a hook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    /// `PLUGIN.COMPONENT`, with `@INSTANCE` where it is a named one.
    pub(crate) component: String,
    pub(crate) parameters: Map<String, Value>,
}

/// What is to become of a step.
pub(crate) enum Decision {
    /// It is made, with what the hooks give to it.
    Proceed(Vec<v1::Contribution>),
    /// It counts as done; nothing is made. Says who decided so.
    Skip(Address),
    /// A hook made the object itself.
    Replace(Address, Box<v1::Unit>),
}

/// How a step ended, for those who are called after it.
pub(crate) enum Ended<'a> {
    /// It made this, its files staged.
    Made(&'a v1::Unit),
    /// What it makes is no unit. Says whether it changed anything.
    Ran(bool),
    /// A hook before it decided that there is nothing to do, or did it.
    Decided(&'a Address, Option<&'a v1::Unit>),
    Failed(&'a Problem),
}

/// Asks those who subscribed to the step's beginning. The first who does not let it proceed decides.
///
/// # Errors
/// What a hook refuses it with, and what goes wrong with the call.
pub(crate) async fn before(
    engine: &Inner,
    run: &JobRun,
    step: &Step<'_>,
) -> Result<Decision, Problem> {
    let mut contributions = Vec::new();
    for subscriber in engine.subscribers("before", &step.subscription).await? {
        run.check_cancelled()?;
        let answer = call::before(engine, run, step, &subscriber).await?;
        let address = subscriber.address.clone();
        match answer.decision() {
            v1::HookDecision::Proceed => contributions.extend(answer.contributions),
            v1::HookDecision::Skip => return Ok(Decision::Skip(address)),
            v1::HookDecision::Replace => {
                let unit = answer.unit.ok_or_else(|| {
                    subscriber.protocol("it replaced the step and made nothing in its place")
                })?;
                return Ok(Decision::Replace(address, Box::new(unit)));
            }
            v1::HookDecision::Refuse => return Err(subscriber.refused(answer.error)),
            v1::HookDecision::Unspecified => {
                return Err(subscriber.protocol("it answered without a decision"));
            }
        }
        if contributions.len() > MAX_CONTRIBUTIONS {
            let message = format!("hooks gave more than {MAX_CONTRIBUTIONS} things to the step");
            return Err(subscriber.protocol(message));
        }
    }
    contributions.sort_by_key(|contribution| contribution.order);
    Ok(Decision::Proceed(contributions))
}

/// Tells those who subscribed to the step's end, whatever it was, and answers what the object became, if they changed it.
///
/// # Errors
/// What a hook finds wrong. After a step that failed, what goes wrong with hooks is only told.
pub(crate) async fn after(
    engine: &Inner,
    run: &JobRun,
    step: &Step<'_>,
    ended: Ended<'_>,
) -> Result<Option<v1::Unit>, Problem> {
    // The job will run again: this is no end of it.
    if engine.stop.is_cancelled() {
        return Ok(None);
    }
    let (mut unit, mut changed) = (None, false);
    if let Ended::Made(made) | Ended::Decided(_, Some(made)) = ended {
        unit = Some(made.clone());
    }
    for subscriber in engine.subscribers("after", &step.subscription).await? {
        if matches!(&ended, Ended::Decided(by, _) if **by == subscriber.address) {
            continue;
        }
        let answer = call::after(engine, run, step, &subscriber, (&ended, unit.clone())).await;
        let answer = answer.and_then(|answer| match answer.error {
            Some(error) => Err(convert::problem(error)),
            None => Ok(answer.unit),
        });
        match (answer, &ended) {
            (Ok(new), _) => {
                changed |= new.is_some();
                unit = merged(unit, new);
            }
            (Err(problem), Ended::Failed(_)) => {
                let text = format!("{}: {problem}", subscriber.words());
                run.warn("hook.failed", text, "").await;
            }
            (Err(problem), _) => return Err(subscriber.found(problem)),
        }
    }
    Ok(unit.filter(|_| changed))
}

/// What a hook changed of an object, if there is one: what it leaves empty stays.
fn merged(made: Option<v1::Unit>, new: Option<v1::Unit>) -> Option<v1::Unit> {
    let made = made?;
    let Some(new) = new else { return Some(made) };
    let attributes = if new.attributes.is_empty() { made.attributes } else { new.attributes };
    let files = if new.files.is_empty() { made.files } else { new.files };
    Some(v1::Unit { r#type: made.r#type, attributes, files, ..new })
}

/// Runs a step that hooks can let be, leave out or refuse, and nothing else.
///
/// # Errors
/// Those of the step and of its hooks.
pub(crate) async fn around(
    engine: &Inner,
    run: &JobRun,
    name: &'static str,
    work: impl Future<Output = Result<JobResult, Problem>>,
) -> Result<JobResult, Problem> {
    let subscription = Subscription { step: name, target: "", kind: "", stage: "" };
    if !engine.is_subscribed(&subscription) {
        return work.await;
    }
    let repository = edit::repository(engine, run).await?;
    let subject = json!({
        "repository": repository.name.to_string(),
        "version": repository.current_version,
        "component": run.job.component,
    });
    let step = Step { subscription, repository: &repository, subject, parent: None, told: &[] };
    let decided = before(engine, run, &step).await;
    let result = match decided {
        Ok(Decision::Skip(by)) => {
            after(engine, run, &step, Ended::Decided(&by, None)).await?;
            let why = Some(format!("{by} says that nothing is to be done"));
            return Ok(JobResult { skipped_because: why, ..run.result() });
        }
        Ok(Decision::Replace(by, _)) => Err(call::not_for(&by, name, "replace the step")),
        Ok(Decision::Proceed(given)) if !given.is_empty() => {
            let message = format!("hooks gave something to the step {name}, which takes nothing");
            Err(Problem::protocol(message))
        }
        Ok(Decision::Proceed(_)) => work.await,
        Err(problem) => Err(problem),
    };
    match result {
        Ok(result) => {
            after(engine, run, &step, Ended::Ran(result.changed)).await?;
            Ok(result)
        }
        Err(problem) => {
            after(engine, run, &step, Ended::Failed(&problem)).await?;
            Err(problem)
        }
    }
}
