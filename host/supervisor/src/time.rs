//! Points in time.

use std::time::Duration;

use tokio::time::Instant;

/// Thirty years: as good as never, and inside what every clock can count.
const FAR: Duration = Duration::from_hours(30 * 365 * 24);

/// So long after `start`. Callers say "never" by times that no clock can count.
pub(crate) fn after(start: Instant, wait: Duration) -> Instant {
    start + wait.min(FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_far_away() {
        let now = Instant::now();
        assert_eq!(after(now, Duration::from_secs(1)), now + Duration::from_secs(1));
        assert!(after(now, Duration::MAX) > now + Duration::from_hours(24 * 365));
    }
}
