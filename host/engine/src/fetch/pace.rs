//! A limit on bytes a second, shared by all transfers that carry the same [`Pace`]. Local files are not held back.

use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How far ahead of the limit transfers may be, so that small pieces do not wait one by one.
const AHEAD: Duration = Duration::from_millis(100);

/// Holds transfers back to so many bytes a second.
#[derive(Debug)]
pub struct Pace {
    per_second: NonZeroU64,
    paid_until: Mutex<Instant>,
}

impl Pace {
    /// At most so many bytes a second.
    pub fn new(per_second: NonZeroU64) -> Self {
        Self { per_second, paid_until: Mutex::new(Instant::now()) }
    }

    /// Waits until these bytes fit the limit.
    ///
    /// # Cancel safety
    /// Safe; the bytes count all the same, since they came.
    pub(super) async fn pass(&self, bytes: usize) {
        let paid_until = self.pay(bytes, Instant::now());
        if let Some(ready) = paid_until.checked_sub(AHEAD) {
            sleep_until(ready).await;
        }
    }

    fn pay(&self, bytes: usize, now: Instant) -> Instant {
        let nanos = u128::from(bytes as u64) * 1_000_000_000 / u128::from(self.per_second.get());
        let price = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut paid_until = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paid_until = (*paid_until).max(now) + price;
        *paid_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_paid_for_one_after_the_other_and_idle_time_is_not_saved_up() {
        let pace = Pace::new(NonZeroU64::new(1_000).expect("not zero"));
        let start = Instant::now() + Duration::from_mins(1);
        assert_eq!(pace.pay(500, start), start + Duration::from_millis(500));
        assert_eq!(pace.pay(500, start), start + Duration::from_secs(1));
        let later = start + Duration::from_secs(10);
        assert_eq!(pace.pay(250, later), later + Duration::from_millis(250));
    }
}
