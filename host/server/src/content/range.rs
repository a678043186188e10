//! Which part of a file a `Range` header asks for.
//!
//! One range is answered; several are answered with the whole file, which HTTP allows and which
//! leaves nothing to amplify. Source: RFC 9110, 14.1 and 14.2.

use std::ops::Range;

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Everything, with status 200.
    Whole,
    /// This part, with status 206; never empty.
    Part(Range<u64>),
    /// Nothing, with status 416.
    Unsatisfiable,
}

/// What `header` selects of a file of `size` bytes. A header that is malformed or names a unit
/// other than bytes counts as absent.
pub(crate) fn select(header: &str, size: u64) -> Selection {
    let Some((unit, set)) = header.split_once('=') else { return Selection::Whole };
    let set = set.trim();
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Selection::Whole;
    }
    match set.split_once('-') {
        Some(("", suffix)) => select_suffix(suffix, size),
        Some((first, last)) => select_between(first, last, size),
        None => Selection::Whole,
    }
}

fn select_suffix(suffix: &str, size: u64) -> Selection {
    match number(suffix) {
        None => Selection::Whole,
        Some(0) => Selection::Unsatisfiable,
        Some(_) if size == 0 => Selection::Whole,
        Some(length) => Selection::Part(size.saturating_sub(length)..size),
    }
}

fn select_between(first: &str, last: &str, size: u64) -> Selection {
    let Some(first) = number(first) else { return Selection::Whole };
    let end = if last.is_empty() { Some(size) } else { number(last).map(|n| n.saturating_add(1)) };
    match end {
        None => Selection::Whole,
        Some(end) if !last.is_empty() && end <= first => Selection::Whole,
        Some(_) if first >= size => Selection::Unsatisfiable,
        Some(end) => Selection::Part(first..end.min(size)),
    }
}

/// A run of digits; one too large for 64 bits is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    // F121
    #[test]
    fn ranges_are_read_as_http_says() {
        let check = |header: &str, size: u64, expected: Selection| {
            assert_eq!(select(header, size), expected, "{header} of {size}");
        };
        check("bytes=0-0", 10, Selection::Part(0..1));
        check("bytes=2-5", 10, Selection::Part(2..6));
        check("bytes=2-", 10, Selection::Part(2..10));
        check("bytes=2-99", 10, Selection::Part(2..10));
        check("bytes=-3", 10, Selection::Part(7..10));
        check("bytes=-99", 10, Selection::Part(0..10));
        check("Bytes = 9-9", 10, Selection::Part(9..10));
        check("bytes=0-99999999999999999999999999", 10, Selection::Part(0..10));
        check("bytes=10-", 10, Selection::Unsatisfiable);
        check("bytes=10-20", 10, Selection::Unsatisfiable);
        check("bytes=99999999999999999999999999-", 10, Selection::Unsatisfiable);
        check("bytes=-0", 10, Selection::Unsatisfiable);
        check("bytes=0-", 0, Selection::Unsatisfiable);
        check("bytes=-5", 0, Selection::Whole);
    }

    // F121
    #[test]
    fn several_and_malformed_ranges_mean_the_whole_file() {
        for header in [
            "bytes=0-1,3-4",
            "bytes=0-,0-,0-,0-",
            "bytes=5-2",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1",
            "lines=1-2",
            "bytes",
            "",
        ] {
            assert_eq!(select(header, 10), Selection::Whole, "{header}");
        }
    }
}
