//! When a receiver is tried again. Pure.

use std::time::Duration;

/// The longest wish of a receiver to be left alone that is granted.
const LONGEST_WISH: Duration = Duration::from_hours(1);
/// The longest that any wait can be: what is to wait longer was reckoned under another clock.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// How long to wait after so many failed attempts; none: no more. `wish`: what the receiver asked for. `chance` spreads
/// those who failed together.
pub(super) fn pause(
    delays: &[Duration],
    attempts: u32,
    wish: Option<Duration>,
    chance: u32,
) -> Option<Duration> {
    let place = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let share = f64::from(chance) / f64::from(u32::MAX);
    let spread = delays.get(place)?.mul_f64(0.8 + 0.4 * share);
    let wish = wish.unwrap_or_default().min(LONGEST_WISH);
    Some(spread.max(wish).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MIDDLE: u32 = u32::MAX / 2;

    #[test]
    fn waits_grow_over_a_day_and_end() {
        let delays = Config::default().delays;
        let after = |attempts| pause(&delays, attempts, None, MIDDLE);
        let waits: Vec<Duration> = (1..).map_while(after).collect();
        assert_eq!(waits.len(), delays.len());
        assert!(waits.is_sorted(), "{waits:?}");
        assert!((SECOND * 4..SECOND * 6).contains(&waits[0]), "{waits:?}");
        let day = Duration::from_hours(24);
        let all: Duration = waits.iter().sum();
        assert!((day * 4 / 5..day).contains(&all), "{all:?}");
        assert_eq!(pause(&delays, 0, None, MIDDLE), None);
    }

    #[test]
    fn chance_spreads_each_wait_by_a_fifth() {
        let delays = [SECOND * 10];
        let with = |chance| pause(&delays, 1, None, chance).unwrap().as_secs_f64();
        assert!((with(0) - 8.0).abs() < 1e-6 && (with(u32::MAX) - 12.0).abs() < 1e-6);
    }

    #[test]
    fn a_receivers_wish_is_granted_within_bounds_and_never_shortens_the_wait() {
        let delays = [SECOND * 10];
        let wishing = |wish| pause(&delays, 1, Some(wish), 0).unwrap().as_secs();
        assert_eq!(wishing(SECOND * 90), 90);
        assert_eq!(wishing(SECOND), 8);
        assert_eq!(wishing(Duration::MAX), 3600);
    }
}
