//! What a run failed with, for people.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use super::Command;
use crate::Error;

/// A longer command is cut.
const MAX_COMMAND_CHARS: usize = 1000;

pub(super) fn missing(command: &Command) -> Error {
    let name = command.name();
    let what_next = match &command.package {
        Some(package) => format!("on Debian, `apt-get install {package}` brings it"),
        None => "install it".to_owned(),
    };
    Error::usage("config.tool_missing", format!("{name} is missing on the host; {what_next}"))
}

pub(super) fn not_started(command: &Command, error: &io::Error) -> Error {
    let message = format!("`{}` cannot be started", shown(command));
    Error::operation("internal.tool", message).caused_by(error)
}

pub(super) fn not_followed(command: &Command, error: &io::Error) -> Error {
    let message = format!("what became of `{}` cannot be seen", shown(command));
    Error::operation("internal.tool", message).caused_by(error)
}

pub(super) fn too_much(command: &Command, max: usize) -> Error {
    let message = format!("`{}` wrote more than {max} bytes", shown(command));
    Error::operation("limit.output", message)
}

pub(super) fn too_long(command: &Command, limit: Duration, last: &VecDeque<String>) -> Error {
    let mut message = format!(
        "`{}` was ended because it took longer than {} s; allow it more time",
        shown(command),
        limit.as_secs()
    );
    add_lines(&mut message, last);
    Error::operation("limit.time", message)
}

pub(super) fn failed(command: &Command, status: ExitStatus, last: &VecDeque<String>) -> Error {
    let mut message = format!("`{}` failed ({status})", shown(command));
    add_lines(&mut message, last);
    Error::operation("content.tool_failed", message)
}

fn add_lines(message: &mut String, last: &VecDeque<String>) {
    if last.is_empty() {
        message.push_str(", and wrote nothing");
        return;
    }
    message.push_str("; its last lines:");
    for line in last {
        // Writing to a text cannot fail.
        write!(message, "\n  {line}").ok();
    }
}

/// The command as a shell would read it.
fn shown(command: &Command) -> String {
    let mut text = quoted(&command.program).into_owned();
    for argument in command.arguments() {
        text.push(' ');
        text.push_str(&quoted(argument));
    }
    if text.chars().count() > MAX_COMMAND_CHARS {
        text = text.chars().take(MAX_COMMAND_CHARS).collect();
        text.push_str(" ...");
    }
    text
}

fn quoted(word: &OsStr) -> Cow<'_, str> {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word;
    }
    Cow::Owned(format!("'{}'", on_one_line(&word.replace('\'', r"'\''"))))
}

/// With control characters written as escapes.
fn on_one_line(text: &str) -> String {
    let escape = |c: char| {
        if c.is_control() { c.escape_default().to_string() } else { c.to_string() }
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_shell_reads_it_on_one_line() {
        let command = Command::new("/usr/bin/tar").args(["-C", "a b", "it's", "x\ny", "--z=1"]);
        assert_eq!(shown(&command), r"/usr/bin/tar -C 'a b' 'it'\''s' 'x\ny' --z=1");
    }

    #[test]
    fn a_long_command_is_cut() {
        let command = Command::new("x").args(vec!["y".repeat(100); 20]);
        assert!(shown(&command).ends_with(" ..."));
        assert_eq!(shown(&command).chars().count(), MAX_COMMAND_CHARS + 4);
    }
}
