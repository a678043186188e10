//! Words and numbers for people.

/// The text with everything that a terminal would obey written out. Line ends and tabs stay.
pub(crate) fn plain(text: &str) -> String {
    if !text.chars().any(is_dangerous) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_dangerous(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// A name, path or key, exactly and on one line: line ends and tabs are written out as well.
pub(crate) fn exact(text: &str) -> String {
    plain(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// A sentence on one line: line ends and repeated blanks become one blank.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    plain(&words.join(" "))
}

/// Control characters, and those that change the direction of the text around them.
fn is_dangerous(character: char) -> bool {
    let direction = matches!(character,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (character.is_control() && !matches!(character, '\n' | '\t')) || direction
}

/// The text cut to this many characters, the cut shown by dots.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let dots = if width > 6 { "..." } else { "" };
    let mut cut: String = text.chars().take(width - dots.len()).collect();
    cut.push_str(dots);
    cut
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `1,234 files`.
pub(crate) fn many(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

/// Bytes with three significant digits: `999 B`, `9.77 KiB`, `97.7 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = approximate(bytes);
    let mut unit = "B";
    for next in UNITS {
        value /= 1024.0;
        unit = next;
        if value < 999.5 {
            break;
        }
    }
    if value < 9.995 {
        format!("{value:.2} {unit}")
    } else if value < 99.95 {
        format!("{value:.1} {unit}")
    } else {
        format!("{value:.0} {unit}")
    }
}

/// Bytes a second over this time, or nothing when there is too little of both to tell.
pub(crate) fn rate(bytes: u64, seconds: f64) -> Option<String> {
    const ENOUGH: u64 = 1 << 20;
    if bytes == 0 || seconds < 0.001 || (bytes < ENOUGH && seconds < 1.0) {
        return None;
    }
    Some(per_second(approximate(bytes) / seconds))
}

/// Bytes a second.
pub(crate) fn per_second(rate: f64) -> String {
    format!("{}/s", size(whole(rate)))
}

/// A time span: `9 ms`, `1.24 s`, `2 min 5 s`, `3 h 20 min`.
pub(crate) fn seconds(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 0.001 {
        return "under 1 ms".to_owned();
    }
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 9.995 {
        return format!("{seconds:.2} s");
    }
    let total = whole(seconds.round());
    match total {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", total / 60, total % 60),
        _ => format!("{} h {} min", total / 3600, total % 3600 / 60),
    }
}

/// The nearest float; figures for people need no more than three digits.
#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
pub(crate) fn approximate(number: u64) -> f64 {
    number as f64
}

/// The whole part; negative numbers and NaN count as 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to integer casts saturate, which is what a display wants"
)]
pub(crate) fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (10_240, "10.0 KiB"),
            (102_400, "100 KiB"),
            (1_023_998, "0.98 MiB"),
            (1_048_576, "1.00 MiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn rates_are_told_when_there_is_enough_to_tell() {
        assert_eq!(rate(2 << 20, 0.01).as_deref(), Some("200 MiB/s"));
        assert_eq!(rate(2048, 2.0).as_deref(), Some("1.00 KiB/s"));
        assert_eq!(rate(65, 0.01), None);
        assert_eq!(rate(0, 10.0), None);
    }

    #[test]
    fn counts_are_grouped_by_threes() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(many(1, "file", "files"), "1 file");
    }

    #[test]
    fn time_spans_are_short() {
        let cases = [
            (0.0, "under 1 ms"),
            (0.0094, "9 ms"),
            (0.9999, "1.00 s"),
            (1.239, "1.24 s"),
            (12.34, "12.3 s"),
            (125.0, "2 min 5 s"),
            (12_000.0, "3 h 20 min"),
        ];
        for (value, expected) in cases {
            assert_eq!(seconds(value), expected);
        }
    }

    #[test]
    fn f147_what_a_terminal_would_obey_is_written_out() {
        assert_eq!(plain("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(plain("x\u{202e}gpj.exe"), "x\\u{202e}gpj.exe");
        assert_eq!(plain("two\nlines äöü"), "two\nlines äöü");
        assert_eq!(one_line("two\r\n lines"), "two lines");
        assert_eq!(exact("two  \tx\n"), "two  \\tx\\n");
    }

    #[test]
    fn long_text_is_cut_with_dots() {
        assert_eq!(cut("short", 10), "short");
        assert_eq!(cut("a long text", 8), "a lon...");
        assert_eq!(cut("a long text", 3), "a l");
    }
}
