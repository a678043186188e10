//! Stops processes that nobody has used for a while; the next lease starts new ones.
//!
//! One task per supervisor does it, and only while some process is idle. It never keeps the
//! supervisor alive, and leaves with it.

use std::sync::Weak;
use std::sync::atomic::Ordering;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::supervisor::Shared;

/// Runs until no process is idle, or the supervisor closes or is gone.
pub(super) async fn stop_idle(mut watch: Watch, closed: CancellationToken) {
    loop {
        let shared = watch.0.upgrade();
        let Some(next) = shared.and_then(|shared| shared.stop_idle(Instant::now())) else {
            // Already said, with the books locked; there may be a new watch by now.
            watch.0 = Weak::new();
            return;
        };
        tokio::select! {
            () = sleep_until(next) => {}
            () = closed.cancelled() => return,
        }
    }
}

/// That somebody looks for idle processes. A runtime that goes takes the task along, also before it
/// ran at all; another runtime's next lease then needs a new one.
pub(super) struct Watch(pub(super) Weak<Shared>);

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.watching_idle.store(false, Ordering::Relaxed);
        }
    }
}
