//! Progress in what a program writes.

use crate::Progress;

/// Reads the percentage of `qemu-img -p`, `(12.34/100%)`, and of any line with `12%` or `12.5%` in it.
pub fn percent(line: &str) -> Option<Progress> {
    let line = line.replace("/100%", "%");
    let before = line.split_once('%')?.0;
    let start = before.rfind(|c: char| !c.is_ascii_digit() && c != '.').map_or(0, |at| at + 1);
    let whole = before[start..].split('.').next()?;
    let done: u64 = whole.parse().ok()?;
    (done <= 100).then(|| Progress::new(done, 100).unit("%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_whole() {
        let at = |done| Some(Progress::new(done, 100).unit("%"));
        assert_eq!(percent("    (12.94/100%)"), at(12));
        assert_eq!(percent("    (100.00/100%)"), at(100));
        assert_eq!(percent("5% done"), at(5));
        assert_eq!(percent("at 7.5%"), at(7));
        for line in ["", "%", "a%", "200%", ".5%", "101.01%", "12 of 100", "99999999999999999999%"]
        {
            assert_eq!(percent(line), None, "{line}");
        }
    }
}
