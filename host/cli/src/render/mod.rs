//! How things look: pure functions from values to text, without any input or output.
//!
//! Text that comes from outside (names, messages, log lines of plugins) goes through
//! [`text::plain`], so that nothing it contains can move a cursor or colour a terminal.

pub(crate) mod callback;
pub(crate) mod conformance;
pub(crate) mod folder;
pub(crate) mod history;
pub(crate) mod image;
pub(crate) mod instance;
pub(crate) mod job;
pub(crate) mod json;
pub(crate) mod key;
pub(crate) mod kitovu;
pub(crate) mod log;
pub(crate) mod migration;
pub(crate) mod plugin;
pub(crate) mod probe;
pub(crate) mod problem;
pub(crate) mod progress;
pub(crate) mod repo;
pub(crate) mod schedule;
pub(crate) mod secret;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod token;
pub(crate) mod unit;
pub(crate) mod unit_type;
pub(crate) mod upload;

use anstyle::{AnsiColor, Style};

/// For what went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// For what should be looked at.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// For what failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// For labels beside values.
pub(crate) const LABEL: Style = AnsiColor::Cyan.on_default();
/// For headings and names.
pub(crate) const BOLD: Style = Style::new().bold();

/// The text in this style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The text without styles: for what goes into messages.
pub(crate) fn bare(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests;
