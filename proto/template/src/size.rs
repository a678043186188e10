//! Sizes of disks, as TDL writes them: an integer and a unit.

/// No disk is larger: 64 TiB.
const MAX_BYTES: u64 = 64 << 40;

/// What a size looks like, for messages.
pub(crate) const EXPECTED: &str = "a size of at most 64 TiB: an integer with KB, MB, GB, TB (powers of 1000), KiB, \
     MiB, GiB, TiB, G, T (powers of 1024) or B; without a unit it is GiB";

/// Bytes of a size.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    let bytes = number.checked_mul(factor(unit.trim_start())?)?;
    in_bounds(bytes)
}

/// Whether a disk may have so many bytes.
pub(crate) fn in_bounds(bytes: u64) -> Option<u64> {
    (1..=MAX_BYTES).contains(&bytes).then_some(bytes)
}

fn factor(unit: &str) -> Option<u64> {
    Some(match unit {
        "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "" | "GiB" | "G" => 1 << 30,
        "TiB" | "T" => 1 << 40,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_decimal_or_binary_as_they_are_written() {
        for (text, expected) in [
            ("10", 10 << 30),
            (" 3 G ", 3 << 30),
            ("1T", 1 << 40),
            ("5GB", 5_000_000_000),
            ("5 GiB", 5 << 30),
            ("700MB", 700_000_000),
            ("512MiB", 512 << 20),
            ("4096KiB", 4 << 20),
            ("2TB", 2_000_000_000_000),
            ("1048576B", 1 << 20),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_or_too_large_a_one_is_refused() {
        for text in
            ["", "G", "0", "-1", "1.5G", "10gb", "10 GiB x", "65TiB", "99999999999999999999"]
        {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
