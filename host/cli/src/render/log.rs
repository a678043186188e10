//! Lines of a job's log.

use serde_json::Value;

use super::text::plain;
use super::time::Clock;
use super::{BAD, BOLD, LABEL, WARN, styled};
use crate::api::LogLine;

/// One line: time, level, text, named values.
pub(crate) fn line(line: &LogLine, clock: &Clock) -> String {
    let style = match line.level.as_str() {
        "error" => BAD,
        "warn" => WARN,
        "info" => BOLD,
        _ => LABEL,
    };
    let level = format!("{:<6}", plain(&line.level));
    let mut text =
        format!("{} {} {}", clock.time(line.ms), styled(style, &level), plain(&line.text));
    for (name, value) in &line.fields {
        let value = value.as_str().map_or_else(|| value.to_string(), quoted);
        text.push(' ');
        text.push_str(&plain(name));
        text.push('=');
        text.push_str(&plain(&value));
    }
    text
}

/// A text value, quoted when it would not be seen as one word.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '"') {
        Value::from(text).to_string()
    } else {
        text.to_owned()
    }
}
