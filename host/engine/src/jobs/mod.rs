//! Jobs: submitted, queued, run one writer per repository, cancelled, recovered after a crash.
//!
//! The way through: [`Board::submit`] stores a row and queues it → [`dispatch`] starts what no lock holds back →
//! [`worker`] claims it under a lease, runs it, retries once after a plugin's fault, and records the end.
//! What a job does is in `sync`, `publish`, `builds`, `pushes` and `migrations`; what its code sees of the job is [`run::JobRun`].

pub(crate) mod dispatch;
mod queue;
pub(crate) mod run;
mod told;
pub(crate) mod view;
mod worker;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use wharf_store::model::{Job, JobId, JobState};

pub(crate) use self::queue::Plugins;
use self::queue::{Lock, Queue};
use self::view::{JobResult, JobView};
use crate::problem::Problem;
use crate::{builds, pushes};

/// The jobs that are queued or running, and how to follow them.
pub(crate) struct Board {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Nothing starts before the first job that this host was asked for.
    waits: bool,
    queue: Queue,
    live: HashMap<JobId, Live>,
}

struct Live {
    view: watch::Sender<JobView>,
    cancel: CancellationToken,
}

impl Board {
    /// An empty board. `waits`: nothing starts before [`Board::open`].
    pub(crate) fn new(waits: bool) -> Self {
        let state = State { waits, ..State::default() };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Lets queued jobs start.
    pub(crate) fn open(&self) {
        self.state().waits = false;
        self.changed.notify_one();
    }

    /// Whether nothing starts before [`Board::open`].
    pub(crate) fn waits(&self) -> bool {
        self.state().waits
    }

    /// Queues a stored job that works with units of these plugins.
    pub(crate) fn enqueue(
        &self,
        job: &Job,
        plugins: Plugins,
        parent: &CancellationToken,
    ) -> JobView {
        let view = stored_view(job);
        let live = Live { view: watch::Sender::new(view.clone()), cancel: parent.child_token() };
        let mut state = self.state();
        state.live.insert(job.id, live);
        state.queue.push(
            job.id,
            (Lock::of(job), plugins),
            view.subject.as_ref().and_then(|subject| subject.after).map(JobId),
        );
        drop(state);
        self.changed.notify_one();
        view
    }

    /// How the job stands, if it is queued or running.
    pub(crate) fn watch(&self, job: JobId) -> Option<watch::Receiver<JobView>> {
        self.state().live.get(&job).map(|live| live.view.subscribe())
    }

    /// Asks a job to stop. Says whether it was still waiting, in which case it will never start.
    pub(crate) fn cancel(&self, job: JobId) -> Option<Cancelled> {
        let mut state = self.state();
        let waiting = state.queue.remove(job);
        let live = state.live.get(&job)?;
        live.cancel.cancel();
        if waiting {
            return Some(Cancelled::Waiting);
        }
        live.view.send_modify(|view| {
            view.state = JobState::Cancelling;
            view.revision += 1;
        });
        Some(Cancelled::Running)
    }

    /// How many will start by themselves, and how many run.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        let waiting = if state.waits { 0 } else { state.queue.waiting() };
        (waiting, state.queue.running())
    }

    /// Shows how a job ended, and forgets it.
    pub(crate) fn end(&self, job: &Job) {
        let mut state = self.state();
        state.queue.finished(job.id);
        if let Some(live) = state.live.remove(&job.id) {
            live.view.send_modify(|view| {
                let ended = stored_view(job);
                let revision = view.revision + 1;
                *view = JobView { revision, progress: view.progress.take(), ..ended };
            });
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Forgets a job that is not in the store any more.
    pub(crate) fn forget(&self, job: JobId) {
        let mut state = self.state();
        state.queue.finished(job);
        state.live.remove(&job);
        drop(state);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a wish to cancel met.
pub(crate) enum Cancelled {
    Waiting,
    Running,
}

/// The view of a job from its row alone.
pub(crate) fn stored_view(job: &Job) -> JobView {
    let result = job.result.as_deref().map(serde_json::from_str::<JobResult>);
    let result = result.and_then(Result::ok);
    JobView {
        id: job.id.0,
        operation: job.operation.clone(),
        repository: job.repository.clone(),
        component: job.component.clone(),
        subject: builds::subject(job).or_else(|| pushes::subject(job)),
        state: job.state,
        attempts: job.attempts,
        submitted_ms: job.submitted_ms,
        started_ms: job.started_ms,
        finished_ms: job.finished_ms,
        revision: 0,
        progress: None,
        problem: job.problem.as_deref().and_then(|text| serde_json::from_str::<Problem>(text).ok()),
        plugin: result.as_ref().and_then(|result| result.plugin.clone()),
        result,
        asked_by: job.asked_by,
        schedule_name: job.schedule_name.clone(),
    }
}
