//! `tracing` events as go-plugin hosts read them: one JSON object a line on the real standard error, with `@level`,
//! `@message`, `@timestamp`, `@module`, on request `@caller`, and every field of the event and of the spans around it
//! as a key of its own.
//!
//! A line never reaches 64 KiB, where hosts stop reading it as JSON: long texts are cut with a mark. When
//! nobody reads standard error any more, lines are lost and the plugin goes on; a host that reads and is slow is waited for.

mod fields;
mod timestamp;

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::StartError;
use fields::Fields;
use timestamp::timestamp;

/// Libraries underneath, whose own debugging is nobody's business here.
const LIBRARIES: [&str; 8] =
    ["h2", "hyper", "hyper_util", "rustls", "tokio", "tonic", "tower", "yamux"];

/// Where the host reads the log: standard error as it was when the plugin started. Clones write to the same place.
#[derive(Clone, Debug)]
pub(super) struct Journal(Arc<File>);

impl Journal {
    pub(super) fn open() -> Result<Self, StartError> {
        let kept = io::stderr().as_fd().try_clone_to_owned();
        kept.map(|kept| Self(Arc::new(kept.into()))).map_err(StartError::system("log"))
    }

    /// Writes whole lines. A host that no longer listens must not keep the plugin from anything.
    pub(super) fn write(&self, lines: &str) {
        drop((&*self.0).write_all(lines.as_bytes()));
    }
}

impl AsFd for Journal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Sends events to the host from now on, unless the program has a subscriber of its own.
pub(super) fn start(journal: Journal, level: LevelFilter, caller: bool) {
    let libraries = LIBRARIES.map(|name| (name, level.min(LevelFilter::WARN)));
    let filter = Targets::new().with_default(level).with_targets(libraries);
    let lines = Lines { journal, caller };
    drop(tracing_subscriber::registry().with(lines.with_filter(filter)).try_init());
}

struct Lines {
    journal: Journal,
    caller: bool,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        remember(id, &context, |fields| attributes.record(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        remember(id, &context, |fields| values.record(fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut line = line(event, &context, now, self.caller);
        line.push('\n');
        self.journal.write(&line);
    }
}

/// Keeps a span's fields with the span.
fn remember<S: Subscriber + for<'a> LookupSpan<'a>>(
    id: &Id,
    context: &Context<'_, S>,
    record: impl FnOnce(&mut Fields),
) {
    let Some(span) = context.span(id) else { return };
    let mut kept = span.extensions_mut();
    if let Some(fields) = kept.get_mut::<Fields>() {
        record(fields);
    } else {
        let mut fields = Fields::default();
        record(&mut fields);
        kept.insert(fields);
    }
}

fn line<S: Subscriber + for<'a> LookupSpan<'a>>(
    event: &Event<'_>,
    context: &Context<'_, S>,
    now: Duration,
    caller: bool,
) -> String {
    let metadata = event.metadata();
    let mut fields = Fields::default();
    event.record(&mut fields);
    // Inner spans come first, and the event itself before them: what is nearer wins.
    for span in context.event_scope(event).into_iter().flatten() {
        if let Some(outer) = span.extensions().get::<Fields>() {
            fields.add(outer);
        }
    }
    let mut map = fields.into_map();
    map.entry("@message").or_insert_with(|| Value::from(""));
    map.insert("@level".to_owned(), Value::from(level(*metadata.level())));
    map.insert("@module".to_owned(), Value::from(metadata.target().replace("::", ".")));
    map.insert("@timestamp".to_owned(), Value::from(timestamp(now)));
    if let (true, Some(file), Some(line)) = (caller, metadata.file(), metadata.line()) {
        map.insert("@caller".to_owned(), Value::from(format!("{file}:{line}")));
    }
    Value::Object(map).to_string()
}

fn level(level: Level) -> &'static str {
    match level {
        Level::TRACE => "trace",
        Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use std::error::Error;

    use super::*;

    struct Collect(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collect {
        fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
            remember(id, &context, |fields| attributes.record(fields));
        }

        fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
            remember(id, &context, |fields| values.record(fields));
        }

        fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
            let now = Duration::from_micros(1_700_000_000_000_042);
            self.0.lock().unwrap().push(line(event, &context, now, true));
        }
    }

    fn lines(work: impl FnOnce()) -> Vec<String> {
        let lines = Arc::default();
        let collect = Collect(Arc::clone(&lines));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(collect), work);
        lines.lock().unwrap().clone()
    }

    fn read(lines: &[String]) -> Vec<Value> {
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    // P43
    #[test]
    fn every_level_is_a_line_that_hosts_read() {
        let lines = lines(|| {
            tracing::trace!("a");
            tracing::debug!("b");
            tracing::info!(job = 7, ok = true, name = "x", "c");
            tracing::warn!("d");
            tracing::error!("e");
        });
        let read = read(&lines);
        let levels: Vec<_> = read.iter().map(|line| line["@level"].as_str().unwrap()).collect();
        assert_eq!(levels, ["trace", "debug", "info", "warn", "error"]);
        assert_eq!(read[2]["@message"], "c");
        assert_eq!((&read[2]["job"], &read[2]["ok"]), (&Value::from(7), &Value::from(true)));
        assert_eq!(read[2]["@timestamp"], "2023-11-14T22:13:20.000042Z");
        assert!(read[2]["@module"].as_str().unwrap().contains("goplugin.logging"));
        assert!(read[2]["@caller"].as_str().unwrap().contains("logging/mod.rs:"));
    }

    // P43
    #[test]
    fn errors_are_texts_with_their_causes() {
        let cause = io::Error::other("no route");
        let error = StartError::system("log")(io::Error::other("disk"));
        let outer = tonic::Status::from_error(Box::new(cause));
        let lines = lines(|| {
            tracing::info!(error = &error as &dyn Error, "one");
            tracing::info!(error = &outer as &dyn Error, "two");
        });
        let read = read(&lines);
        assert_eq!(read[0]["error"], "the log cannot be set up: disk");
        assert!(read[1]["error"].as_str().unwrap().contains("no route"));
    }

    #[test]
    fn fields_of_spans_belong_to_the_events_inside() {
        let lines = lines(|| {
            let outer =
                tracing::info_span!("outer", job = 7, name = "outer", late = tracing::field::Empty);
            outer.record("late", "x");
            let _outer = outer.enter();
            let _inner = tracing::info_span!("inner", name = "inner").entered();
            tracing::info!(own = 1, "event");
        });
        let read = read(&lines);
        let fields = ["own", "name", "job", "late"].map(|name| read[0][name].clone());
        assert_eq!(fields, [Value::from(1), "inner".into(), 7.into(), "x".into()]);
    }

    #[test]
    fn a_field_that_is_recorded_again_and_again_stays_whole() {
        let state = "x".repeat(3 << 10);
        let lines = lines(|| {
            let span = tracing::info_span!("long", state = tracing::field::Empty).entered();
            for _ in 0..10 {
                span.record("state", state.as_str());
            }
            tracing::info!("event");
        });
        assert_eq!(read(&lines)[0]["state"], state);
    }

    // P45
    #[test]
    fn awkward_values_stay_one_line_below_the_limit() {
        let long = "\u{1}\"\n".repeat(50_000);
        let lines = lines(|| {
            let _span = tracing::info_span!("span", outer = long.as_str()).entered();
            tracing::info!(long, again = %long, "quote \" and\nline");
        });
        assert_eq!(lines.len(), 1);
        assert!(lines[0].len() < 60 << 10, "{} bytes", lines[0].len());
        assert!(!lines[0].contains('\n'));
        let read = read(&lines);
        assert!(read[0]["long"].as_str().unwrap().ends_with("... (cut)"));
        assert_eq!(read[0]["@message"], "quote \" and\nline");
    }
}
