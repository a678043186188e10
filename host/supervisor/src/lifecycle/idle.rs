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
pub(super) async fn stop_idle(shared: Weak<Shared>, closed: CancellationToken) {
    let watch = Watch(shared);
    while let Some(next) = watch.0.upgrade().and_then(|shared| shared.stop_idle(Instant::now())) {
        tokio::select! {
            () = sleep_until(next) => {}
            () = closed.cancelled() => return,
        }
    }
}

/// A runtime that goes takes the task along; another runtime's next lease then needs a new one.
struct Watch(Weak<Shared>);

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.watching_idle.store(false, Ordering::Relaxed);
        }
    }
}
