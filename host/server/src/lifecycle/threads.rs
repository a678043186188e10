//! Threads that serve published content, and may wait for the disk while they do.
//!
//! Looking a file up and reading it takes some twenty microseconds when everything is in memory.
//! Handing that to another thread and back costs twice as much again, per request. So content has
//! threads of its own, on which such short waits are fine: nobody else's work waits behind them,
//! and a flood of downloads does not slow jobs down.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// More would only wait for the same disk.
const MOST: usize = 4;

/// The threads; they end when this is dropped, without being waited for.
pub(super) struct Threads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Threads {
    /// Starts them.
    ///
    /// # Errors
    /// The system gives no threads.
    pub(super) fn start() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads(cores.min(MOST))
            .thread_name("wharf-content")
            .enable_all()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Where to put tasks, until they end.
    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is forbidden where this may be dropped; the tasks have been joined before.
            runtime.shutdown_background();
        }
    }
}
