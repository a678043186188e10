//! What every request can reach.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;
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
    /// Cancelled when the server leaves; waiting requests answer at once then.
    pub(crate) stop: CancellationToken,
    draining: AtomicBool,
}

impl App {
    pub(crate) fn new(
        engine: Engine,
        data: PathBuf,
        started_ms: i64,
        content: Option<String>,
        stop: CancellationToken,
    ) -> Self {
        Self { engine, data, started_ms, content, stop, draining: AtomicBool::new(false) }
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
