//! Points in time for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::text::{approximate, seconds};

/// The present and the zone, asked once at the edge.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// Milliseconds since 1970.
    pub(crate) now_ms: i64,
    /// The user's zone.
    pub(crate) zone: TimeZone,
}

impl Clock {
    /// `2026-11-21 10:34:43`, in the user's zone.
    pub(crate) fn date_time(&self, ms: i64) -> String {
        self.format(ms, "%Y-%m-%d %H:%M:%S")
    }

    /// `10:34:43.123`, in the user's zone.
    pub(crate) fn time(&self, ms: i64) -> String {
        self.format(ms, "%H:%M:%S%.3f")
    }

    fn format(&self, ms: i64, format: &str) -> String {
        match Timestamp::from_millisecond(ms) {
            Ok(moment) => moment.to_zoned(self.zone.clone()).strftime(format).to_string(),
            Err(_out_of_range) => "?".to_owned(),
        }
    }

    /// `now`, `12 s ago`, `3 min ago`, `5 h ago`, then the date.
    pub(crate) fn ago(&self, ms: i64) -> String {
        let passed = self.now_ms.saturating_sub(ms) / 1000;
        match passed {
            ..1 => "now".to_owned(),
            1..60 => format!("{passed} s ago"),
            60..3600 => format!("{} min ago", passed / 60),
            3600..86_400 => format!("{} h ago", passed / 3600),
            _ => self.date_time(ms),
        }
    }

    /// The span from one moment to the next, or to the present.
    pub(crate) fn span(&self, from_ms: i64, to_ms: Option<i64>) -> String {
        let span = to_ms.unwrap_or(self.now_ms).saturating_sub(from_ms).max(0);
        seconds(approximate(span.unsigned_abs()) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn clock() -> Clock {
        Clock { now_ms: NOW, zone: TimeZone::UTC }
    }

    #[test]
    fn ages_are_rounded_down_and_old_ones_become_dates() {
        let cases = [
            (-5_000, "now"),
            (999, "now"),
            (59_000, "59 s ago"),
            (61_000, "1 min ago"),
            (7_200_000, "2 h ago"),
            (86_400_000, "2027-01-14 08:00:00"),
        ];
        for (age, expected) in cases {
            assert_eq!(clock().ago(NOW - age), expected);
        }
    }

    #[test]
    fn times_carry_milliseconds() {
        assert_eq!(clock().time(NOW + 7), "08:00:00.007");
    }
}
