//! When a plugin that fails may be started again: later after each failure in a row, and never
//! never.

use std::time::Duration;

use tokio::time::Instant;

use crate::time::after;

/// The failures in a row of one plugin.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    not_before: Option<Instant>,
    reason: Option<String>,
}

impl Backoff {
    pub(super) fn failed(&mut self, now: Instant, first: Duration, most: Duration, reason: String) {
        let pause = first.saturating_mul(2_u32.saturating_pow(self.failures)).min(most);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(after(now, pause));
        self.reason = Some(reason);
    }

    /// Nothing was tried, for a reason that somebody else has to remove: no cause for a pause.
    pub(super) fn refused(&mut self, reason: String) {
        self.reason = Some(reason);
    }

    /// It works again. What happened last is still worth knowing.
    pub(super) fn worked(&mut self) {
        self.failures = 0;
        self.not_before = None;
    }

    /// An operator wants another try now.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// How long to wait before the next start, if at all.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        self.not_before
            .map(|then| then.saturating_duration_since(now))
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // F75
    #[test]
    fn pauses_double_up_to_a_cap_and_success_ends_them() {
        let now = Instant::now();
        let (first, most) = (Duration::from_millis(100), Duration::from_millis(700));
        let mut backoff = Backoff::default();
        assert_eq!(backoff.pause(now), None);
        for expected in [100, 200, 400, 700, 700] {
            backoff.failed(now, first, most, "why".into());
            assert_eq!(backoff.pause(now), Some(Duration::from_millis(expected)));
        }
        for _many in 0..100 {
            backoff.failed(now, first, most, "why".into());
        }
        assert_eq!(backoff.pause(now), Some(most));
        assert_eq!(backoff.pause(now + most), None);
        backoff.worked();
        assert_eq!((backoff.failures(), backoff.reason()), (0, Some("why")));
    }
}
