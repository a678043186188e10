//! The one task that begins what is due.
//!
//! It sleeps by the monotonic clock and looks at the wall clock when it wakes, at least every half minute: however the
//! wall clock is set meanwhile, that is how late it is noticed (F175).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use wharf_store::model::{Fired, NewJob, RepositoryId, Schedule};

use super::plan::{self, Step};
use super::rule::Rule;
use crate::engine::Inner;
use crate::problem::Problem;
use crate::runs::Checked;

/// The longest sleep.
const LOOK: Duration = Duration::from_secs(30);
/// A run that begins later than this was missed: nobody was there to begin it.
const MISSED: SignedDuration = SignedDuration::from_mins(1);

/// Work that was begun in one look: two schedules never begin the same.
type Begun = HashSet<(RepositoryId, String, String)>;

/// Begins what is due until the engine stops.
pub(crate) async fn keep(engine: Arc<Inner>) {
    loop {
        let wait = look(&engine).await.unwrap_or_else(|problem| {
            tracing::error!(%problem, "schedules cannot be looked at");
            LOOK
        });
        tokio::select! {
            () = engine.stop.cancelled() => return,
            () = engine.schedules_changed.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Begins what is due now, and says how long nothing will be.
pub(super) async fn look(engine: &Inner) -> Result<Duration, Problem> {
    let now = engine.config.clock.now();
    let mut wait = LOOK;
    let mut begun = Begun::new();
    for schedule in engine.store.meta.schedules().await? {
        let next = match plan::step(&schedule, now) {
            Step::Rest => None,
            Step::Wait(next) => Some(next),
            Step::Replan => replan(engine, &schedule, now).await?,
            Step::Run { late } => begin(engine, &schedule, now, late, &mut begun).await?,
        };
        if let Some(next) = next {
            let left = Duration::try_from(next.duration_since(now)).unwrap_or_default();
            wait = wait.min(left);
        }
    }
    Ok(wait)
}

/// The clock was set back: what was reckoned under the later one does not count.
async fn replan(
    engine: &Inner,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    let next = next(engine, schedule, now)?;
    tracing::warn!(schedule = %schedule.name, "the clock was set back; it is reckoned anew");
    let planned = plan::planned(next, now);
    engine.store.meta.replan_schedule(schedule.id, schedule.next, planned).await?;
    Ok(next)
}

async fn begin(
    engine: &Inner,
    schedule: &Schedule,
    now: Timestamp,
    late: SignedDuration,
    begun: &mut Begun,
) -> Result<Option<Timestamp>, Problem> {
    if late > MISSED {
        tracing::info!(schedule = %schedule.name, "what was missed is made up for by one run");
    }
    let meta = &engine.store.meta;
    let (id, was) = (schedule.id, schedule.next);
    let next = match next(engine, schedule, now) {
        Ok(next) => next,
        Err(problem) => {
            // Its rule or zone cannot be read any more: it would be due for ever.
            let never = plan::planned(None, now);
            meta.refuse_schedule(id, was, never, &problem.message).await?;
            return Ok(None);
        }
    };
    let planned = plan::planned(next, now);
    let work = (schedule.repository, schedule.operation.clone(), schedule.arguments.clone());
    let fired = if begun.contains(&work) {
        let why = "another schedule began the same work at this time";
        meta.skip_schedule(id, was, planned, why).await?
    } else {
        match jobs(engine, schedule).await {
            Ok(jobs) => meta.fire_schedule(id, was, planned, jobs).await?,
            Err(problem) => meta.refuse_schedule(id, was, planned, &problem.message).await?,
        }
    };
    match fired {
        Fired::Started(jobs) => {
            for job in &jobs {
                tracing::info!(schedule = %schedule.name, job = job.id.0, "began");
                engine.enqueue(job);
            }
            engine.board.open();
            begun.insert(work);
        }
        Fired::Skipped(why) => {
            tracing::warn!(schedule = %schedule.name, why, "nothing was begun");
        }
        // It is looked at again at once.
        Fired::Changed => engine.schedules_changed.notify_one(),
    }
    Ok(next)
}

/// When it is due after now.
fn next(engine: &Inner, schedule: &Schedule, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let (zone, _name) = engine.zone(Some(&schedule.zone))?;
    let rule =
        Rule::stored(&schedule.rule, &zone).map_err(|why| super::refused(&why, &schedule.rule))?;
    Ok(rule.next(plan::time(schedule.start_ms).unwrap_or(now), now, &zone))
}

/// What it is to begin.
async fn jobs(engine: &Inner, schedule: &Schedule) -> Result<Vec<NewJob>, Problem> {
    let (name, arguments) = (&schedule.repository_name, &schedule.arguments);
    if schedule.operation == "sync" {
        let options = serde_json::from_str(arguments)?;
        return Ok(vec![engine.syncing(name, &options, Checked::Schema).await?]);
    }
    let options = serde_json::from_str(arguments)?;
    engine.publishing(name, &options, Checked::Schema).await
}
