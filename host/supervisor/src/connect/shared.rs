//! What the tasks of one process and its handles share.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::exit::{ByHost, End, Exit};
use crate::launch::hold::Hold;
use crate::launch::output::Logs;

/// How long the last lines of standard error may lag behind the end of the process.
const STDERR_GRACE: Duration = Duration::from_millis(500);

/// Whether a process may be given to somebody else when its user is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Taint {
    None = 0,
    /// A call was called off; the plugin may still be busy with it.
    Cancelled = 1,
    /// It broke the contract or does not answer.
    Fault = 2,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) hold: Hold,
    pub(crate) logs: Arc<Logs>,
    /// Cancelled when standard error has been read to its end.
    pub(crate) stderr_read: CancellationToken,
    /// Cancelled when the stdio service has been read to its end.
    pub(crate) stdio_read: CancellationToken,
    by_host: Mutex<Option<ByHost>>,
    taint: AtomicU8,
}

impl Shared {
    pub(crate) fn new(name: String, id: u64, hold: Hold, logs: Arc<Logs>) -> Self {
        Self {
            name,
            id,
            hold,
            logs,
            stderr_read: CancellationToken::new(),
            stdio_read: CancellationToken::new(),
            by_host: Mutex::new(None),
            taint: AtomicU8::new(Taint::None as u8),
        }
    }

    /// Kills it and remembers why, unless the process had ended or was being ended already.
    pub(crate) fn kill(&self, why: ByHost) {
        self.blame(why);
        self.hold.kill();
    }

    /// Remembers why the host ends the process. The first reason stays.
    pub(crate) fn blame(&self, why: ByHost) {
        if self.hold.may_end() && self.hold.status().is_none() {
            self.by_host.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        }
    }

    pub(crate) async fn wait(&self) -> Exit {
        let end = self.hold.ended().await;
        timeout(STDERR_GRACE, self.stderr_read.cancelled()).await.ok();
        self.exit(end)
    }

    pub(crate) fn exit(&self, end: End) -> Exit {
        let by_host = *self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        Exit::new(end, by_host, self.logs.tail())
    }

    pub(crate) fn taint(&self) -> Taint {
        match self.taint.load(Ordering::Relaxed) {
            0 => Taint::None,
            1 => Taint::Cancelled,
            _ => Taint::Fault,
        }
    }

    /// A worse taint is never washed off by a lesser one.
    pub(crate) fn set_taint(&self, taint: Taint) {
        self.taint.fetch_max(taint as u8, Ordering::Relaxed);
    }
}
