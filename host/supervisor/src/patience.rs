//! How long a plugin is waited for, not counting what this host itself slept through (F43).
//!
//! A host that was stopped, or had no processor for a while, finds its timers overdue and what came
//! meanwhile unread. Nobody is blamed before it has been read.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A timer that is later than this was held up by our own pause.
const LATE: Duration = Duration::from_millis(20);
/// The least time for reading what has come.
const SECOND_LOOK: Duration = Duration::from_millis(200);

/// Waits until `limit` has passed since `since`. If that is seen too late, waits once more as long as
/// it was late, but no longer than `limit` again.
pub(crate) async fn over(since: Instant, limit: Duration) {
    sleep(limit.saturating_sub(since.elapsed())).await;
    let late = since.elapsed().saturating_sub(limit);
    if late > LATE {
        sleep(late.min(limit).max(SECOND_LOOK)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // F43
    #[tokio::test]
    async fn a_pause_of_our_own_is_given_back() {
        let limit = Duration::from_millis(100);
        let begun = Instant::now();
        let paused = async { std::thread::sleep(3 * limit) };
        tokio::join!(over(begun, limit), paused);
        assert!(begun.elapsed() >= 3 * limit + SECOND_LOOK, "{:?}", begun.elapsed());
    }
}
