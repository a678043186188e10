//! What every request can reach.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
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
    /// No new jobs are taken.
    pub(crate) draining: AtomicBool,
}

impl App {
    /// From now on no new jobs are taken.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether no new jobs are taken.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}
