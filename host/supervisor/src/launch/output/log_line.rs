//! One line of a plugin's log, read as hclog's JSON if it is that, else as text. Never fails.
//!
//! [`parse`] decides as go-plugin's host does, with three differences: fields that are no strings
//! do no harm, timestamps may have any precision, and the JSON of other loggers (`level` and `msg`)
//! is read too. Source: the tables of go-plugin's protocol, "Logging".

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use tracing::Level;

use super::timestamp;
use crate::text::printable;

/// One line that a plugin wrote, safe to be shown.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LogLine {
    /// The host's own name and the plugin's: `wharf.kv`.
    pub logger: Arc<str>,
    /// How important the plugin says it is; `DEBUG` if it does not say.
    pub level: Level,
    /// The message.
    pub text: String,
    /// All other keys of a JSON line, `@module` and `@caller` included, and `timestamp` as the
    /// plugin wrote it.
    pub fields: Map<String, Value>,
}

/// A line without the name of its logger.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) level: Level,
    pub(crate) text: String,
    pub(crate) fields: Map<String, Value>,
}

/// What announces a crash report of some language's runtime: the line and those after it are
/// errors.
const CRASHES: &[&str] = &[
    "panic: ",
    "fatal error: ",
    "Traceback (most recent call last)",
    "Exception in thread ",
    "thread '",
];

const PREFIXES: &[(&str, Level)] = &[
    ("[TRACE]", Level::TRACE),
    ("[DEBUG]", Level::DEBUG),
    ("[INFO]", Level::INFO),
    ("[WARN]", Level::WARN),
    ("[ERROR]", Level::ERROR),
];

/// hclog's own keys, and those of other loggers: slog, zap, logrus, zerolog.
const LEVEL: &str = "@level";
const MESSAGE: &str = "@message";
const TIMESTAMP: &str = "@timestamp";
const OTHER_LEVEL: &str = "level";
const OTHER_MESSAGES: &[&str] = &["msg", "message"];

impl Entry {
    pub(super) fn plain(level: Level, text: String) -> Self {
        Self { level, text, fields: Map::new() }
    }
}

/// Reads one line, without its end. `panicking` is the stream's state: on from the first line of a
/// crash report to the next JSON object. `None`: nobody wants a line of that level; such a line is
/// not taken apart.
pub(crate) fn parse(
    line: &[u8],
    panicking: &mut bool,
    wanted: impl Fn(Level) -> bool,
) -> Option<Entry> {
    // As Go's parser does, which reads JSON with bytes that are no text too.
    let text = String::from_utf8_lossy(line);
    if !wanted(Level::TRACE)
        && let Some(level) = announced(&text)
        && !wanted(level)
    {
        *panicking = false;
        return None;
    }
    let verbatim = |level| wanted(level).then(|| Entry::plain(level, printable(&text)));
    if let Ok(object) = serde_json::from_str::<Option<Map<String, Value>>>(&text) {
        *panicking = false;
        return match object.and_then(from_object) {
            Some(entry) => wanted(entry.level).then_some(entry),
            None => verbatim(Level::DEBUG),
        };
    }
    let prefix = PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix));
    if let Some(&(_, level)) = prefix {
        return verbatim(level);
    }
    *panicking |= is_crash(&text);
    verbatim(if *panicking { Level::ERROR } else { Level::DEBUG })
}

/// The level of an hclog line, found without keeping anything else of it. What follows may still turn
/// out to be no log line.
pub(crate) fn announced(line: &str) -> Option<Level> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow, rename = "@level")]
        level: Cow<'a, str>,
    }
    level(&serde_json::from_str::<Head<'_>>(line).ok()?.level)
}

fn is_crash(line: &str) -> bool {
    CRASHES.iter().any(|start| {
        line.starts_with(start) && (*start != "thread '" || line.contains(" panicked at "))
    })
}

/// `None`: an object, but no log line that we know.
fn from_object(mut object: Map<String, Value>) -> Option<Entry> {
    let native = object.contains_key(LEVEL) || object.contains_key(MESSAGE);
    let level = object.remove(if native { LEVEL } else { OTHER_LEVEL })?;
    let level = self::level(level.as_str()?)?;
    let message = if native {
        object.remove(MESSAGE).unwrap_or_default()
    } else {
        OTHER_MESSAGES.iter().find_map(|key| object.remove(*key))?
    };
    let text = match message {
        Value::String(text) => printable(&text),
        Value::Null if native => String::new(),
        _ => return None,
    };
    if let Some(time) = object.remove(TIMESTAMP) {
        if !timestamp::is_valid(time.as_str()?) {
            return None;
        }
        object.insert("timestamp".into(), time);
    }
    let fields = object.into_iter().map(|(key, value)| (printable(&key), safe(value))).collect();
    Some(Entry { level, text, fields })
}

fn level(word: &str) -> Option<Level> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "trace" => Level::TRACE,
        "debug" => Level::DEBUG,
        "info" => Level::INFO,
        "warn" | "warning" => Level::WARN,
        "error" => Level::ERROR,
        _ => return None,
    })
}

/// The parser bounds the depth, so this recursion is bounded too.
fn safe(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(printable(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(safe).collect()),
        Value::Object(object) => {
            object.into_iter().map(|(key, value)| (printable(&key), safe(value))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Entry {
        super::parse(line.as_bytes(), &mut false, |_| true).unwrap()
    }

    fn verbatim(line: &str) {
        assert_eq!(parse(line), Entry::plain(Level::DEBUG, line.to_owned()), "{line}");
    }

    // H85
    #[test]
    fn an_hclog_line_of_each_level_keeps_its_message_and_all_its_keys() {
        for (word, level) in [
            ("trace", Level::TRACE),
            ("debug", Level::DEBUG),
            ("info", Level::INFO),
            (" WARN ", Level::WARN),
            ("Error", Level::ERROR),
        ] {
            let line = format!(
                r#"{{"@level":"{word}","@message":"half full","@module":"p.disk","@caller":"a.go:7","@timestamp":"2024-01-02T03:04:05.000006Z","free":7,"EXTRA_VALUE_AT_END":[1]}}"#
            );
            let entry = parse(&line);
            assert_eq!((entry.level, entry.text.as_str()), (level, "half full"));
            let fields = Value::Object(entry.fields);
            let expected = serde_json::json!({
                "@module": "p.disk", "@caller": "a.go:7", "free": 7, "EXTRA_VALUE_AT_END": [1],
                "timestamp": "2024-01-02T03:04:05.000006Z",
            });
            assert_eq!(fields, expected);
        }
        assert_eq!(parse(r#"{"@level":"info"}"#), Entry::plain(Level::INFO, String::new()));
    }

    // H86
    #[test]
    fn a_line_below_the_hosts_level_is_dropped_before_it_is_taken_apart() {
        let at_warn = |line: &str| super::parse(line.as_bytes(), &mut false, |l| l <= Level::WARN);
        assert_eq!(at_warn(r#"{"@level":"info","@message":"m"}"#), None);
        assert_eq!(at_warn("[INFO] x"), None);
        assert_eq!(at_warn("plain"), None);
        assert_eq!(at_warn("[1]"), None);
        assert!(at_warn(r#"{"@level":"warn","@message":"m"}"#).is_some());
        assert!(at_warn("[ERROR] x").is_some());
        // Taken apart, this would be no log line and an entry at debug.
        let odd = |level: &str| format!(r#"{{"@level":"{level}","@message":7}}"#);
        let at =
            |most: Level, line: String| super::parse(line.as_bytes(), &mut false, |l| l <= most);
        assert_eq!(at(Level::DEBUG, odd("trace")), None);
        assert_eq!(at(Level::DEBUG, odd("info")).unwrap().text, odd("info"));
        assert_eq!(super::parse(b"panic: x", &mut false, |_| false), None);
    }

    // H86, H90
    #[test]
    fn a_dropped_line_changes_the_streams_state_all_the_same() {
        let mut panicking = false;
        super::parse(b"panic: x", &mut panicking, |_| false);
        assert!(panicking);
        super::parse(br#"{"@level":"info","@message":"m"}"#, &mut panicking, |l| l <= Level::WARN);
        assert!(!panicking);
    }

    // H87, H91
    #[test]
    fn json_that_is_no_log_line_stays_as_it_is() {
        for line in [
            "null",
            "[1]",
            "7",
            r#""text""#,
            "{}",
            r#"{"@message":1,"@level":"info"}"#,
            r#"{"@message":["x"],"@level":"info"}"#,
            r#"{"@message":"x","@level":{}}"#,
            r#"{"@message":"x","@level":null}"#,
            r#"{"@message":"x","@level":"info","@timestamp":true}"#,
            r#"{"@message":"x","@level":"info","@timestamp":7}"#,
            r#"{"@message":"x","@level":"off"}"#,
            r#"{"@message":"x","@level":"fatal"}"#,
            r#"{"@message":"x"}"#,
            r#"{"level":30,"msg":"x"}"#,
            r#"{"level":"info"}"#,
        ] {
            verbatim(line);
        }
    }

    // H92
    #[test]
    fn timestamps_of_any_precision_are_read() {
        let line = |time: &str| {
            format!(r#"{{"@level":"info","@message":"m","@timestamp":"2024-01-02{time}"}}"#)
        };
        for digits in ["", ".1", ".123", ".123456", ".123456789"] {
            for zone in ["Z", "+02:00"] {
                let entry = parse(&line(&format!("T03:04:05{digits}{zone}")));
                assert_eq!((entry.level, entry.text.as_str()), (Level::INFO, "m"));
            }
        }
        verbatim(&line(" 03:04:05.000000Z"));
        verbatim(&line("T03:04:05.1234567890Z"));
    }

    // H92
    #[test]
    fn other_loggers_are_read() {
        let slog = r#"{"time":"2024-01-02T03:04:05.123456789Z","level":"ERROR","msg":"m","n":1}"#;
        let slog = parse(slog);
        assert_eq!((slog.level, slog.text.as_str()), (Level::ERROR, "m"));
        assert_eq!((slog.fields.len(), &slog.fields["n"]), (2, &Value::from(1)));
        let zerolog = parse(r#"{"level":"warn","message":"z"}"#);
        assert_eq!((zerolog.level, zerolog.text.as_str()), (Level::WARN, "z"));
    }

    // H94
    #[test]
    fn bytes_that_are_no_text_are_replaced_inside_json_too() {
        let line = b"{\"@level\":\"warn\",\"@message\":\"a \xff\"}";
        for most in [Level::TRACE, Level::WARN] {
            let entry = super::parse(line, &mut false, |level| level <= most).unwrap();
            assert_eq!((entry.level, entry.text.as_str()), (Level::WARN, "a \u{fffd}"));
        }
    }

    // H88
    #[test]
    fn text_prefixes_set_the_level_and_stay() {
        for (prefix, level) in PREFIXES {
            let line = format!("{prefix} x");
            assert_eq!(parse(&line), Entry::plain(*level, line.clone()));
        }
        verbatim("[INFO ] x");
        verbatim(" [WARN] x");
        verbatim("plain");
    }

    // H90, F9
    #[test]
    fn crash_reports_are_errors_until_the_next_json_line() {
        for start in ["panic: x", "fatal error: x", "thread 'main' panicked at a.rs:1:1:"] {
            let mut panicking = false;
            let mut level =
                |line: &str| super::parse(line.as_bytes(), &mut panicking, |_| true).unwrap().level;
            for line in [start, "goroutine 1", "[signal SIGSEGV]", "  main.go:7", "7"] {
                assert_eq!(level(line), Level::ERROR, "{start}: {line}");
            }
            assert_eq!(level("[INFO] a level of its own"), Level::INFO);
            assert_eq!(level("more"), Level::ERROR);
            assert_eq!(level(r#"{"@level":"info","@message":"m"}"#), Level::INFO);
            assert_eq!(level("later"), Level::DEBUG);
        }
    }

    // F61
    #[test]
    fn escapes_in_any_place_are_neutralised() {
        let line = parse("{\"@level\":\"info\",\"@message\":\"a\\u001b[2J\",\"k\":[\"\\u202e\"]}");
        assert_eq!(line.text, "a\\u{1b}[2J");
        assert_eq!(line.fields["k"][0], "\\u{202e}");
        let entry = super::parse(b"\x1b]0;x\x07\0\xff", &mut false, |_| true).unwrap();
        assert_eq!(entry.text, "\\u{1b}]0;x\\u{7}\\u{0}\u{fffd}");
    }
}
