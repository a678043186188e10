//! What the fuzz targets in `tests/fuzz` feed, and the replay of their corpora. No part of the interface: it may change
//! at any time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::schedules::Rule;

/// A rule of a schedule, after a moment given in seconds since 1970, in a zone whose clocks change.
///
/// # Errors
/// Which promise was broken.
pub fn schedule_rule(text: &str, after_s: i64) -> Result<(), String> {
    let broken = |what: &str| Err(format!("{what}: {text:?} after {after_s}"));
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC);
    let Ok(now) = Timestamp::from_second(after_s.rem_euclid(8_000_000_000)) else { return Ok(()) };
    for rule in [Rule::every(text, &zone), Rule::cron(text)].into_iter().flatten() {
        if Rule::stored(text.trim(), &zone).is_err() {
            return broken("what can be made cannot be read back");
        }
        let start = rule.start.unwrap_or(Timestamp::UNIX_EPOCH);
        match rule.next(start, now, &zone) {
            Some(due) if due <= now => return broken("the next time is not ahead"),
            Some(due) if due < start => return broken("the next time is before the start"),
            _ => {}
        }
    }
    Ok(())
}
