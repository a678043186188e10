//! One line of a plugin's log, read as hclog's JSON if it is that, else as text. Never fails.

use serde_json::{Map, Value};
use tracing::Level;

use crate::text::{printable, printable_bytes};

/// One line that a plugin wrote, safe to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// How important the plugin says it is; `DEBUG` if it does not say.
    pub level: Level,
    /// The message.
    pub text: String,
    /// The dotted name of the plugin's own logger.
    pub logger: Option<String>,
    /// All other keys of a JSON line.
    pub fields: Map<String, Value>,
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

impl LogLine {
    pub(super) fn plain(level: Level, text: String) -> Self {
        Self { level, text, logger: None, fields: Map::new() }
    }

    /// Reads one line. `panicking` is the stream's state: on from the first line of a crash report
    /// to the next JSON line.
    pub(super) fn parse(line: &[u8], panicking: &mut bool) -> Self {
        if let Ok(object) = serde_json::from_slice::<Option<Map<String, Value>>>(line) {
            *panicking = false;
            let parsed = object.and_then(from_object);
            return parsed.unwrap_or_else(|| Self::plain(Level::DEBUG, printable_bytes(line)));
        }
        let text = printable_bytes(line);
        let prefix = PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix));
        if let Some(&(_, level)) = prefix {
            return Self::plain(level, text);
        }
        *panicking |= is_crash(&text);
        Self::plain(if *panicking { Level::ERROR } else { Level::DEBUG }, text)
    }
}

fn is_crash(text: &str) -> bool {
    CRASHES.iter().any(|start| match *start {
        "thread '" => text.starts_with(start) && text.contains(" panicked at "),
        start => text.starts_with(start),
    })
}

/// `None`: an object, but no log line that we know.
fn from_object(mut object: Map<String, Value>) -> Option<LogLine> {
    let native = object.contains_key("@level") || object.contains_key("@message");
    let (level_key, message_key) = if native { ("@level", "@message") } else { ("level", "msg") };
    let level = level(object.remove(level_key)?.as_str()?)?;
    let text = match object.remove(message_key) {
        Some(Value::String(text)) => printable(&text),
        None if native => String::new(),
        _ => return None,
    };
    if let Some(timestamp) = object.remove("@timestamp") {
        if !timestamp.is_string() {
            return None;
        }
        object.insert("timestamp".into(), timestamp);
    }
    let logger = match object.remove("@module") {
        Some(Value::String(name)) => Some(printable(&name)),
        Some(other) => {
            object.insert("@module".into(), other);
            None
        }
        None => None,
    };
    let fields = object.into_iter().map(|(key, value)| (printable(&key), safe(value))).collect();
    Some(LogLine { level, text, logger, fields })
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

    fn parse(line: &str) -> LogLine {
        LogLine::parse(line.as_bytes(), &mut false)
    }

    fn verbatim(line: &str) {
        assert_eq!(parse(line), LogLine::plain(Level::DEBUG, line.to_owned()), "{line}");
    }

    // H85
    #[test]
    fn an_hclog_line_keeps_level_message_logger_and_fields() {
        let line = parse(
            r#"{"@level":" WARN ","@message":"half full","@module":"p.disk","@timestamp":"2024-01-02T03:04:05.000006Z","free":7}"#,
        );
        assert_eq!((line.level, line.text.as_str()), (Level::WARN, "half full"));
        assert_eq!(line.logger.as_deref(), Some("p.disk"));
        assert_eq!(line.fields["free"], 7);
        assert_eq!(line.fields["timestamp"], "2024-01-02T03:04:05.000006Z");
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
            r#"{"@message":"x","@level":{}}"#,
            r#"{"@message":"x","@level":"info","@timestamp":true}"#,
            r#"{"@message":"x","@level":"off"}"#,
            r#"{"@message":"x"}"#,
        ] {
            verbatim(line);
        }
    }

    // H92
    #[test]
    fn timestamps_of_any_precision_and_other_loggers_are_read() {
        for digits in ["", ".123", ".123456", ".123456789"] {
            let line = format!(
                r#"{{"@level":"info","@message":"m","@timestamp":"2024-01-02T03:04:05{digits}Z"}}"#
            );
            assert_eq!(parse(&line).level, Level::INFO);
        }
        let other = parse(r#"{"level":"error","msg":"slog","n":1}"#);
        assert_eq!((other.level, other.text.as_str()), (Level::ERROR, "slog"));
    }

    // H88
    #[test]
    fn text_prefixes_set_the_level_and_stay() {
        assert_eq!(parse("[WARN] x"), LogLine::plain(Level::WARN, "[WARN] x".into()));
        verbatim("[INFO ] x");
        verbatim("plain");
    }

    // H90, F9
    #[test]
    fn crash_reports_are_errors_until_the_next_json_line() {
        for start in ["panic: x", "fatal error: x", "thread 'main' panicked at a.rs:1:1:"] {
            let mut panicking = false;
            for line in [start, "goroutine 1", "  main.go:7"] {
                let level = LogLine::parse(line.as_bytes(), &mut panicking).level;
                assert_eq!(level, Level::ERROR, "{start}: {line}");
            }
            LogLine::parse(br#"{"@level":"info","@message":"m"}"#, &mut panicking);
            assert_eq!(LogLine::parse(b"later", &mut panicking).level, Level::DEBUG);
        }
    }

    // F61
    #[test]
    fn escapes_in_any_place_are_neutralised() {
        let line = parse("{\"@level\":\"info\",\"@message\":\"a\\u001b[2J\",\"k\":[\"\\u202e\"]}");
        assert_eq!(line.text, "a\\u{1b}[2J");
        assert_eq!(line.fields["k"][0], "\\u{202e}");
        assert_eq!(
            LogLine::parse(b"\x1b]0;x\x07\xff", &mut false).text,
            "\\u{1b}]0;x\\u{7}\u{fffd}"
        );
    }
}
