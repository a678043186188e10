//! Problems, the way every one of them looks.
//!
//! ```text
//! error: MESSAGE
//!   at:   WHERE
//!   help: WHAT TO DO
//!   code: CODE
//! ```

use serde_json::Value;

use super::text::plain;
use super::{BAD, LABEL, WARN, styled};
use crate::api::{Class, Problem};

/// A problem on several lines, without a line end at the end.
pub(crate) fn render(problem: &Problem) -> String {
    // Who asked for the stop needs no advice.
    if problem.class == Class::Cancelled {
        return format!("{} {}", styled(WARN, "cancelled:"), indented(&problem.message, 2));
    }
    let head = styled(BAD, "error:");
    let mut lines = vec![format!("{head} {}", indented(&problem.message, 2))];
    let mut add = |label: &str, text: &str| {
        let label = styled(LABEL, &format!("{label:<5}"));
        lines.push(format!("  {label} {}", indented(text, 8)));
    };
    if let Some(at) = &problem.at {
        add("at:", at);
    }
    for line in plugin_lines(problem) {
        add("log:", &line);
    }
    if let Some(help) = &problem.help {
        add("help:", help);
    }
    add("code:", &problem.code);
    lines.join("\n")
}

/// The last words of a plugin that come along as evidence.
fn plugin_lines(problem: &Problem) -> Vec<String> {
    let tail = problem.details.as_ref().and_then(|details| details.get("stderr_tail"));
    let lines = tail.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    texts.iter().skip(texts.len().saturating_sub(5)).map(|line| (*line).to_owned()).collect()
}

/// Further lines under the first one.
fn indented(text: &str, blanks: usize) -> String {
    plain(text.trim_end()).replace('\n', &format!("\n{}", " ".repeat(blanks)))
}
