//! Dates of a `Release`: `Sat, 21 Nov 2026 07:37:04 UTC`.

use jiff::Timestamp;
use jiff::fmt::{rfc2822, strtime};

/// Reads a date, in seconds since 1970; `None` when it is none that apt takes.
pub fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    let named = ["UTC", "GMT", "Z"].into_iter().find_map(|zone| text.strip_suffix(zone));
    let text = named.map_or_else(
        || text.to_owned(),
        |rest| format!("{}+0000", rest.trim_end().to_owned() + " "),
    );
    rfc2822::parse(&text).ok().map(|zoned| zoned.timestamp().as_second())
}

/// Writes a date; `None` beyond the years that it can say.
pub fn write(seconds: i64) -> Option<String> {
    let at = Timestamp::from_second(seconds).ok()?;
    strtime::format("%a, %d %b %Y %H:%M:%S UTC", at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_forms_that_apt_takes() {
        for text in [
            "Sat, 21 Nov 2026 07:37:04 UTC",
            "Sat, 21 Nov 2026 07:37:04 +0000",
            "Sat, 21 Nov 2026 07:37:04 GMT",
        ] {
            assert_eq!(read(text), Some(1_795_246_624), "{text}");
        }
        assert_eq!(read("2026-11-21T07:37:04Z"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        let text = write(1_795_246_624).unwrap();
        assert_eq!(text, "Sat, 21 Nov 2026 07:37:04 UTC");
        assert_eq!(read(&text), Some(1_795_246_624));
    }
}
