//! Runs one job from its claim to its end.
//!
//! A plugin that crashes or stops answering costs the job one attempt: it is tried once more from the base version,
//! under a new lease. Any other problem ends it. A panic in the job's code ends that job only (F163).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::time::{MissedTickBehavior, interval};
use wharf_store::model::{Job, JobEnd, JobId, JobState, Lease, LogLevel};

use super::dispatch::LiveHandle;
use super::run::{JobRun, TICK};
use super::view::JobResult;
use crate::engine::Inner;
use crate::problem::{Class, Problem};
use crate::staging::Folder;
use crate::{edit, gc, migrations, publish, sync, upload, verify};

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
        if let Err(error) = engine.store.blobs.remove_job_folder(id).await {
            tracing::error!(job = id.0, %error, "the job's folder stays until the next start");
        }
        match outcome {
            Err(problem) if problem.class == Class::Cancelled && engine.stop.is_cancelled() => {
                engine.store.meta.requeue(lease).await?;
                return Ok(Job { state: JobState::Queued, ..run.job });
            }
            Err(problem) if may_retry(&problem) && run.job.attempts < ATTEMPTS => {
                tracing::warn!(job = id.0, %problem, "trying once more");
                engine.store.meta.requeue(lease).await?;
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
        "sync" => Box::pin(sync::run(engine, run)).await,
        "publish" => publish::run(engine, run).await,
        migrations::OPERATION => migrations::run(engine, run).await,
        "upload" => Box::pin(upload::import::run(engine, run)).await,
        gc::OPERATION => gc::run(engine, run).await,
        verify::OPERATION => verify::run(engine, run).await,
        "remove" => edit::run_remove(engine, run).await,
        "copy" => edit::run_copy(engine, run).await,
        "rollback" => edit::run_rollback(engine, run).await,
        other => {
            Err(Problem::usage("usage.operation", format!("there is no operation \"{other}\"")))
        }
    }
}

fn may_retry(problem: &Problem) -> bool {
    problem.class == Class::Fault && matches!(problem.code.as_str(), "crashed" | "unresponsive")
}

fn conclude(run: &JobRun, outcome: Result<JobResult, Problem>) -> Ended {
    match outcome {
        Ok(result) => {
            let troubled = result.failed + result.skipped > 0;
            let state = if troubled { JobState::Partial } else { JobState::Succeeded };
            Ended { state, result, problem: None }
        }
        Err(mut problem) => {
            if problem.class == Class::Fault && problem.at.is_none() {
                problem.at.clone_from(&run.job.component);
            }
            let cancelled = problem.class == Class::Cancelled;
            let state = if cancelled { JobState::Cancelled } else { JobState::Failed };
            Ended { state, result: run.result(), problem: Some(problem) }
        }
    }
}

async fn record(engine: &Inner, lease: Lease, ended: Ended) -> Result<Job, Problem> {
    let problem = ended.problem.as_ref().map(serde_json::to_string).transpose()?;
    let mut result = serde_json::to_value(&ended.result)?;
    engine.secrets.redactor.value(&mut result);
    let end = JobEnd { state: ended.state, problem, result: Some(result.to_string()) };
    Ok(engine.store.meta.finish(lease, end).await?)
}
