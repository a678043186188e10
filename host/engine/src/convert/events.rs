//! Events that every kind of run treats alike: log, progress, warnings, item outcomes.

use wharf_proto::v1::{self, event::Event};
use wharf_store::model::{LogLevel, LogLine};

use super::errors;
use crate::clock;
use crate::jobs::run::JobRun;
use crate::jobs::view::Progress;
use crate::problem::Problem;

/// The longest text of a plugin that is kept, in bytes.
pub(super) const MAX_TEXT: usize = 8 << 10;
/// The longest text of a warning, of which the job's record keeps a hundred (F68).
const MAX_WARNING: usize = 1 << 10;
/// The longest code of one.
const MAX_CODE: usize = 64;

/// Shows a common event in the job.
///
/// # Errors
///
/// An event that has no place in any run of this kind breaks the contract.
pub(crate) async fn tell(run: &JobRun, event: Event) -> Result<(), Problem> {
    match event {
        Event::Log(log) => {
            let level = log_level(log.level());
            let mut line = LogLine::new(clock::now_ms(), level, cut(log.text));
            line.fields = log.fields.into_iter().map(|(key, value)| (key, cut(value))).collect();
            run.log_line(line).await;
        }
        Event::Progress(progress) => {
            let said = Progress {
                phase: cut(progress.phase),
                done: progress.done,
                total: progress.total,
                unit: cut(progress.unit),
                activity: cut(progress.activity),
                ..Progress::default()
            };
            run.told(said).await;
        }
        Event::Warning(warning) => {
            let (code, text) = (cut_at(MAX_CODE, warning.code), cut_at(MAX_WARNING, warning.text));
            run.warn(code, text, cut_at(MAX_WARNING, warning.item)).await;
        }
        Event::Link(link) => {
            run.log(LogLevel::Info, format!("{}: {}", cut(link.label), cut(link.url))).await;
        }
        other => return Err(Problem::protocol(format!("an event {} here", name(&other)))),
    }
    Ok(())
}

/// Notes how the plugin says an item ended. Only what went wrong is its to tell.
pub(crate) async fn tell_item(run: &JobRun, item: v1::Item) {
    let outcome = item.outcome();
    let problem = item.error.map(errors::problem);
    match outcome {
        v1::Outcome::Failed => {
            let problem = problem.unwrap_or_else(|| {
                Problem::operation("source.item", "the plugin could not bring this item")
            });
            run.named_failed(&cut(item.key), problem).await;
        }
        v1::Outcome::Skipped => run.named_skipped(&cut(item.key), problem),
        _ => {}
    }
}

/// What a host that does not drive this event yet answers.
pub(crate) fn not_driven(run: &str, event: &Event) -> Problem {
    Problem::protocol(format!(
        "an event {} during a {run}: this host does not announce that feature",
        name(event)
    ))
}

fn log_level(level: v1::LogLevel) -> LogLevel {
    match level {
        v1::LogLevel::Trace => LogLevel::Trace,
        v1::LogLevel::Debug => LogLevel::Debug,
        v1::LogLevel::Unspecified | v1::LogLevel::Info => LogLevel::Info,
        v1::LogLevel::Warn => LogLevel::Warn,
        v1::LogLevel::Error => LogLevel::Error,
    }
}

/// Cuts a text that a plugin sent, at a character, with a mark.
pub(super) fn cut(text: String) -> String {
    cut_at(MAX_TEXT, text)
}

fn cut_at(most: usize, mut text: String) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
    text
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Log(_) => "log",
        Event::Progress(_) => "progress",
        Event::Items(_) => "items",
        Event::Units(_) => "units",
        Event::Keep(_) => "keep",
        Event::Remove(_) => "remove",
        Event::Output(_) => "output",
        Event::Files(_) => "files",
        Event::PassThrough(_) => "pass_through",
        Event::Reuse(_) => "reuse",
        Event::Aliases(_) => "aliases",
        Event::Variants(_) => "variants",
        Event::Warning(_) => "warning",
        Event::Link(_) => "link",
        Event::Checkpoint(_) => "checkpoint",
        Event::Metadata(_) => "metadata",
        Event::Job(_) => "job",
        Event::Listed(_) => "listed",
        Event::Content(_) => "content",
        Event::Resolved(_) => "resolved",
        Event::Result(_) => "result",
        Event::Error(_) => "error",
    }
}
