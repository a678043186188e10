//! What every request can reach.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wharf_engine::Engine;

/// The server as its requests see it.
pub(crate) struct App {
    /// Does the work.
    pub(crate) engine: Engine,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// When the server started, in milliseconds since 1970.
    pub(crate) started_ms: i64,
    /// Where published content is served over TCP.
    pub(crate) content: Option<String>,
    /// Owns the tasks that requests begin.
    pub(crate) tracker: TaskTracker,
    /// The host's own threads, which never wait.
    pub(crate) threads: Handle,
    /// Cancelled when the server leaves; waiting requests answer at once then.
    pub(crate) stop: CancellationToken,
    /// Places for forms that are received.
    pub(crate) forms: Semaphore,
    /// No new jobs are taken.
    pub(crate) draining: AtomicBool,
    /// Jobs that wait may start: the server lives for itself, or was asked for a job.
    pub(crate) working: AtomicBool,
}

impl App {
    /// A job was asked for, so others that wait may start too.
    pub(crate) fn work(&self) {
        self.working.store(true, Ordering::SeqCst);
    }

    /// Whether a job runs, or waits and will run.
    pub(crate) fn has_work(&self) -> bool {
        let (queued, running) = self.engine.job_counts();
        running > 0 || (queued > 0 && self.working.load(Ordering::SeqCst))
    }

    /// From now on no new jobs are taken.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether no new jobs are taken.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}
