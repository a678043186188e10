//! Runs one job from its claim to its end.
//!
//! A plugin that crashes or stops answering costs the job one attempt: it is tried once more from the base version,
//! under a new lease. Any other problem ends it. A panic in the job's code ends that job only (F163).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{MissedTickBehavior, interval, sleep};
use wharf_store::model::{Job, JobEnd, JobId, JobState, Lease, LogLevel};

use super::dispatch::LiveHandle;
use super::run::{JobRun, TICK};
use super::view::JobResult;
use crate::engine::Inner;
use crate::problem::{Class, Problem};
use crate::staging::{self, Folder};
use crate::{builds, edit, gc, hooks, imports, migrations, publish, pushes, sync, upload, verify};

/// The most attempts of one job.
const ATTEMPTS: u32 = 2;

/// How an attempt ended.
struct Ended {
    state: JobState,
    result: JobResult,
    problem: Option<Problem>,
}

impl Ended {
    /// The last line of the job's log.
    fn words(&self) -> String {
        let JobResult { added, removed, unchanged, failed, .. } = &self.result;
        match &self.problem {
            Some(problem) => format!("{}: {problem}", self.state),
            None if !self.result.migrations.is_empty() => self.state.to_string(),
            None => format!(
                "{}: {added} added, {removed} removed, {unchanged} unchanged, {failed} failed",
                self.state
            ),
        }
    }
}

pub(super) async fn work(engine: Arc<Inner>, id: JobId) {
    let Some(live) = engine.board.live(id) else { return };
    let job = match Box::pin(attempts(&engine, id, &live)).await {
        Ok(job) => Some(job),
        Err(problem) => unrecorded(&engine, id, &problem).await,
    };
    match job {
        Some(job) => {
            tracing::info!(job = id.0, operation = %job.operation, state = %job.state, "job ended");
            engine.board.end(&job);
        }
        None => engine.board.forget(id),
    }
}

/// The store did not take the job's end. Whoever follows the job learns that; the next start takes it up again.
async fn unrecorded(engine: &Inner, id: JobId, problem: &Problem) -> Option<Job> {
    tracing::error!(job = id.0, %problem, "the job's end cannot be recorded");
    let mut job = engine.store.meta.job(id).await.ok().flatten()?;
    if job.finished_ms.is_none() {
        job.state = JobState::Failed;
        job.problem = serde_json::to_string(problem).ok();
    }
    Some(job)
}

/// Runs the job, once more after a fault of its plugin. Stopped with the host, it goes back to the queue.
async fn attempts(engine: &Arc<Inner>, id: JobId, live: &LiveHandle) -> Result<Job, Problem> {
    let mut earlier: Option<Problem> = None;
    loop {
        let (job, lease) = engine.store.meta.claim(id).await?;
        engine.callbacks.wake();
        let folder = engine.store.blobs.job_folder(id).await?;
        let folder = Arc::new(Folder::new(folder));
        let run = JobRun::new(
            job,
            lease,
            folder,
            live.cancel.clone(),
            live.view.clone(),
            engine.store.logs.clone(),
            engine.secrets.redactor.clone(),
        );
        if let Some(problem) = earlier.take() {
            run.warn("retried", format!("first attempt: {}", problem.message), "").await;
        }
        let redactor = &engine.secrets.redactor;
        let outcome = ticking(engine, &run).await.map_err(|problem| redactor.problem(problem));
        engine.claims.end(id.0);
        if let Err(error) = staging::remove(&engine.store, id, run.folder.path()).await {
            tracing::error!(job = id.0, %error, "the job's folder stays until the next start");
        }
        match outcome {
            Err(problem) if problem.class == Class::Cancelled && engine.stop.is_cancelled() => {
                engine.store.meta.requeue(lease).await?;
                return Ok(Job { state: JobState::Queued, ..run.job });
            }
            Err(problem)
                if run.job.attempts < ATTEMPTS
                    && let Some(pause) = pause_before_retry(&problem) =>
            {
                tracing::warn!(job = id.0, %problem, "trying once more");
                engine.store.meta.requeue(lease).await?;
                engine.callbacks.wake();
                // A stop ends the pause, and the next attempt at once.
                let _stopped = live.cancel.run_until_cancelled(sleep(pause)).await;
                earlier = Some(problem);
            }
            outcome => {
                let ended = conclude(&run, outcome);
                run.log(LogLevel::Info, ended.words()).await;
                return record(engine, lease, ended).await;
            }
        }
    }
}

/// Runs one attempt, bringing watchers up to date meanwhile.
async fn ticking(engine: &Arc<Inner>, run: &JobRun) -> Result<JobResult, Problem> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut work = std::pin::pin!(AssertUnwindSafe(operate(engine, run)).catch_unwind());
    loop {
        tokio::select! {
            outcome = &mut work => {
                return outcome.unwrap_or_else(|_panic| Err(Problem::fault(
                    "internal",
                    format!("job {} met a bug in the host; see the host's log", run.id()),
                )));
            }
            _ = ticks.tick() => run.tick(),
        }
    }
}

async fn operate(engine: &Arc<Inner>, run: &JobRun) -> Result<JobResult, Problem> {
    match run.job.operation.as_str() {
        "sync" => Box::pin(hooks::around(engine, run, "sync", sync::run(engine, run))).await,
        "publish" => {
            Box::pin(hooks::around(engine, run, "publish", publish::run(engine, run))).await
        }
        migrations::OPERATION => migrations::run(engine, run).await,
        "upload" => {
            Box::pin(hooks::around(engine, run, "upload", upload::import::run(engine, run))).await
        }
        gc::OPERATION => gc::run(engine, run).await,
        verify::OPERATION => verify::run(engine, run).await,
        "remove" => edit::run_remove(engine, run).await,
        builds::OPERATION => Box::pin(builds::run(engine, run)).await,
        imports::OPERATION => Box::pin(imports::run(engine, run)).await,
        pushes::OPERATION => {
            Box::pin(hooks::around(engine, run, "publish", pushes::run(engine, run))).await
        }
        pushes::UNPUBLISH => {
            let work = pushes::run_unpublish(engine, run);
            Box::pin(hooks::around(engine, run, "unpublish", work)).await
        }
        "copy" => edit::run_copy(engine, run).await,
        "rollback" => edit::run_rollback(engine, run).await,
        other => {
            Err(Problem::usage("usage.operation", format!("there is no operation \"{other}\"")))
        }
    }
}

/// A plugin that was lost is replaced and asked again at once; one that asks for it is asked again later.
fn pause_before_retry(problem: &Problem) -> Option<Duration> {
    let lost = problem.class == Class::Fault
        && matches!(problem.code.as_str(), "crashed" | "unresponsive");
    if lost { Some(Duration::ZERO) } else { problem.pause() }
}

fn conclude(run: &JobRun, outcome: Result<JobResult, Problem>) -> Ended {
    match outcome {
        Ok(result) => {
            let troubled = result.failed + result.skipped > 0;
            let state = if troubled { JobState::Partial } else { JobState::Succeeded };
            Ended { state, result, problem: None }
        }
        Err(mut problem) => {
            if problem.class == Class::Cancelled && !run.cancel.is_cancelled() {
                let said = problem.message;
                problem = Problem::protocol(format!(
                    "the plugin gave up as if it had been cancelled, and nobody asked for that: {said}"
                ));
            }
            if problem.class == Class::Fault && problem.at.is_none() {
                problem.at.clone_from(&run.job.component);
            }
            let state = match problem.class {
                Class::Cancelled => JobState::Cancelled,
                _ if [builds::BASE_MISSING, pushes::IMAGE_MISSING].contains(&&*problem.code) => {
                    JobState::Skipped
                }
                _ => JobState::Failed,
            };
            Ended { state, result: run.result(), problem: Some(problem) }
        }
    }
}

async fn record(engine: &Inner, lease: Lease, ended: Ended) -> Result<Job, Problem> {
    let problem = ended.problem.as_ref().map(serde_json::to_string).transpose()?;
    let mut result = serde_json::to_value(&ended.result)?;
    engine.secrets.redactor.value(&mut result);
    let end = JobEnd { state: ended.state, problem, result: Some(result.to_string()) };
    let job = engine.store.meta.finish(lease, end).await?;
    engine.callbacks.wake();
    Ok(job)
}
