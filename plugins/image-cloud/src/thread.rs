//! Work that computes, on a thread of its own: the call goes on telling how far it is, and ends the work when a stop is
//! wanted or its time is up. The thread has ended when [`run`] returns, unless the call itself was dropped; then it ends
//! within a block of bytes.

use std::time::Duration;

use wharf_sdk::{Context, Progress};

use crate::Error;
use crate::tree::Watch;

const TELL_EVERY: Duration = Duration::from_millis(500);

/// Stops the work when the call is dropped.
struct StopOnDrop(Watch);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Runs `work`, which passes `total` bytes through the watch. Phase: a word for what goes on.
///
/// # Errors
/// What the work fails with, [`Error::Cancelled`], and [`Error::Limit`] when the time is up.
pub(crate) async fn run<T: Send + 'static>(
    context: &Context,
    phase: &str,
    total: u64,
    limit: Duration,
    work: impl FnOnce(&Watch) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let watch = Watch::default();
    let _stop = StopOnDrop(watch.clone());
    let given = watch.clone();
    let mut thread = tokio::task::spawn_blocking(move || work(&given));
    let mut tell = tokio::time::interval(TELL_EVERY);
    let over = tokio::time::sleep(limit);
    tokio::pin!(over);
    let mut is_over = false;
    loop {
        tokio::select! {
            biased;
            ended = &mut thread => {
                let ended = ended.map_err(|error| Error::Fault(format!("{phase}: {error}")))?;
                return if is_over { ended.map_err(|_stopped| too_long(phase, limit)) } else { ended };
            }
            () = context.cancelled(), if !watch.is_stopped() => watch.stop(),
            () = &mut over, if !is_over => {
                is_over = true;
                watch.stop();
            }
            _ = tell.tick() => {
                let progress = Progress::new(watch.passed().min(total), total);
                context.progress(progress.unit("bytes").phase(phase)).await;
            }
        }
    }
}

fn too_long(phase: &str, limit: Duration) -> Error {
    Error::Limit {
        what: format!("the time for {phase}"),
        limit: format!("{} s", limit.as_secs()),
        next: "allow more with timeout",
    }
}
