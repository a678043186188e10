//! Versions of Debian packages, and which of two is newer.
//!
//! Source: deb-version(7), and dpkg's `lib/dpkg/version.c` for what is compared how.

use std::cmp::Ordering;

/// Orders two versions as `dpkg --compare-versions` does.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Parts::of(left), Parts::of(right));
    let epochs = compare_numbers(left.epoch.as_bytes(), right.epoch.as_bytes());
    let upstream = || compare_part(left.upstream.as_bytes(), right.upstream.as_bytes());
    let revision = || compare_part(left.revision.as_bytes(), right.revision.as_bytes());
    epochs.then_with(upstream).then_with(revision)
}

/// The version as it stands in the name of a file: without its epoch.
pub fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_epoch, rest)| rest)
}

struct Parts<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self { epoch, upstream, revision }
    }
}

/// Turn by turn: what is no digit, by letters before everything else and `~` before the end; then digits, by value.
fn compare_part(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let texts = (
            split(left, |byte| !byte.is_ascii_digit()),
            split(right, |byte| !byte.is_ascii_digit()),
        );
        let ((left_text, left_rest), (right_text, right_rest)) = texts;
        let ordering = compare_text(left_text, right_text);
        if ordering.is_ne() {
            return ordering;
        }
        let (left_number, left_next) = split(left_rest, |byte| byte.is_ascii_digit());
        let (right_number, right_next) = split(right_rest, |byte| byte.is_ascii_digit());
        let ordering = compare_numbers(left_number, right_number);
        if ordering.is_ne() {
            return ordering;
        }
        (left, right) = (left_next, right_next);
    }
    Ordering::Equal
}

fn split(text: &[u8], belongs: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !belongs(*byte)).unwrap_or(text.len()))
}

fn compare_text(left: &[u8], right: &[u8]) -> Ordering {
    let at = |text: &[u8], place| weight(text.get(place).copied());
    let longest = left.len().max(right.len());
    let mut places = (0..longest).map(|place| at(left, place).cmp(&at(right, place)));
    places.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

/// `~` before the end, the end before letters, letters before the rest.
fn weight(byte: Option<u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(letter),
        Some(other) => i32::from(other) + 256,
    }
}

/// Numbers of any length.
fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let significant = |digits| split(digits, |byte: u8| byte == b'0').1;
    let (left, right) = (significant(left), significant(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each is older than the next; taken from `dpkg --compare-versions`, which a test of the real program repeats.
    const ASCENDING: &[&str] = &[
        "0~~",
        "0~~a",
        "0~",
        "0",
        "0a",
        "0+",
        "0.1",
        "1~rc1-1",
        "1-1",
        "1-1+b1",
        "1-1.1",
        "1-2",
        "1.0-1~bpo12+1",
        "1.0-1",
        "1.0+dfsg-1",
        "1.2",
        "1.10",
        "2a",
        "2b",
        "2.",
        "20240101",
        "1:0",
        "1:0.1-1",
        "2:0",
        "10:0",
    ];

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        for (place, left) in ASCENDING.iter().enumerate() {
            for (other, right) in ASCENDING.iter().enumerate() {
                assert_eq!(compare(left, right), place.cmp(&other), "{left} {right}");
            }
        }
    }

    #[test]
    fn zeros_in_front_and_a_missing_epoch_or_revision_make_no_difference() {
        for (left, right) in
            [("1.01", "1.1"), ("0:1", "1"), ("1-0", "1"), ("1.", "1.0"), ("00:1", "1")]
        {
            assert_eq!(compare(left, right), Ordering::Equal, "{left} {right}");
        }
    }

    #[test]
    fn names_of_files_have_no_epoch() {
        assert_eq!(without_epoch("1:2.3-4"), "2.3-4");
        assert_eq!(without_epoch("2.3-4"), "2.3-4");
    }

    proptest! {
        #[test]
        fn the_order_is_one(a in "[0-9a-c.+~:-]{0,8}", b in "[0-9a-c.+~:-]{0,8}", c in "[0-9a-c.+~:-]{0,8}") {
            prop_assert_eq!(compare(&a, &a), Ordering::Equal);
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
        }
    }
}
