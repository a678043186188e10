//! Progress in what a program writes.

use crate::Progress;

/// Reads the percentage of `qemu-img -p`, `(12.34/100%)`, and of any line with `12%` or `12.5%` in it.
pub fn percent(line: &str) -> Option<Progress> {
    let line = line.replace("/100%", "%");
    let before = line.split_once('%')?.0;
    let start = before.rfind(|c: char| !c.is_ascii_digit() && c != '.').map_or(0, |at| at + 1);
    let (whole, part) = before[start..].split_once('.').unwrap_or((&before[start..], ""));
    let whole: u64 = whole.parse().ok()?;
    let hundredths: u64 = format!("{part:0<2.2}").parse().ok()?;
    let done = whole.checked_mul(100)?.checked_add(hundredths)?;
    (done <= 10_000).then(|| Progress::new(done, 10_000).unit("hundredths of a percent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_in_hundredths() {
        let at = |done| Some(Progress::new(done, 10_000).unit("hundredths of a percent"));
        assert_eq!(percent("    (12.34/100%)"), at(1234));
        assert_eq!(percent("    (100.00/100%)"), at(10_000));
        assert_eq!(percent("5% done"), at(500));
        assert_eq!(percent("at 7.5%"), at(750));
        for line in ["", "%", "a%", "200%", "100.01%", "12 of 100", "99999999999999999999%"] {
            assert_eq!(percent(line), None, "{line}");
        }
    }
}
