//! Text from outside, made fit to be shown: nothing in it can move a cursor, change a colour or
//! turn the direction of writing.

use std::error::Error;
use std::fmt::Write as _;

/// Bytes as text, with control and direction characters written as `\u{1b}`. Tabs stay.
pub(crate) fn printable_bytes(bytes: &[u8]) -> String {
    printable(&String::from_utf8_lossy(bytes))
}

/// As [`printable_bytes`], for what is UTF-8 already.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            // Writing to a string cannot fail.
            write!(shown, "{}", c.escape_unicode()).ok();
        } else {
            shown.push(c);
        }
    }
    shown
}

/// [`printable`], and at most about `bytes` long, with a mark where it was cut.
pub(crate) fn excerpt(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return printable(text);
    }
    let end = text.floor_char_boundary(bytes);
    let head = text.get(..end).unwrap_or_default();
    format!("{}... ({} bytes in all)", printable(head), text.len())
}

/// What an error goes back to: of a broken connection "http2 error" says nothing, its cause does.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

fn is_harmful(c: char) -> bool {
    let direction = matches!(c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    direction || (c.is_control() && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_directions_are_shown_not_obeyed() {
        assert_eq!(printable("a\u{1b}[31mred\tb"), "a\\u{1b}[31mred\tb");
        assert_eq!(printable("x\u{202e}y\u{9b}z"), "x\\u{202e}y\\u{9b}z");
        assert_eq!(printable_bytes(b"ok \xff"), "ok \u{fffd}");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(excerpt("äöü", 3), "ä... (6 bytes in all)");
        assert_eq!(excerpt("äöü", 6), "äöü");
    }
}
