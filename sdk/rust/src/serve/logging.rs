//! `tracing` events as go-plugin hosts read them: one JSON object a line on standard error, with `@level`,
//! `@message`, `@timestamp`, `@module`, and every field as a key of its own.
//!
//! A line never reaches 64 KiB, where hosts stop reading it as JSON: long texts are cut with a mark. When
//! nobody reads standard error any more, lines are lost and the plugin goes on.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// What a text may take before escaping, which makes it six times longer at worst.
const MAX_TEXT: usize = 4 << 10;
/// What all texts of a line may take before escaping.
const MAX_TEXTS: usize = 8 << 10;
/// The end of a text that was cut.
const CUT: &str = "... (cut)";
/// Libraries underneath, whose own debugging is nobody's business here.
const LIBRARIES: [&str; 7] = ["h2", "hyper", "hyper_util", "rustls", "tokio", "tonic", "tower"];

/// Sends events to the host from now on, unless the program has a subscriber of its own.
pub(crate) fn start(level: LevelFilter) {
    let libraries = LIBRARIES.map(|name| (name, level.min(LevelFilter::WARN)));
    let filter = Targets::new().with_default(level).with_targets(libraries);
    drop(tracing_subscriber::registry().with(Lines.with_filter(filter)).try_init());
}

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut line = line(event, now);
        line.push('\n');
        drop(std::io::stderr().write_all(line.as_bytes()));
    }
}

fn line(event: &Event<'_>, now: Duration) -> String {
    let mut fields = Fields { map: Map::new(), left: MAX_TEXTS };
    let level = match *event.metadata().level() {
        Level::TRACE => "trace",
        Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    };
    event.record(&mut fields);
    let mut map = fields.map;
    map.entry("@message").or_insert_with(|| Value::from(""));
    map.insert("@level".to_owned(), Value::from(level));
    map.insert("@module".to_owned(), Value::from(event.metadata().target()));
    map.insert("@timestamp".to_owned(), Value::from(timestamp(now)));
    Value::Object(map).to_string()
}

struct Fields {
    map: Map<String, Value>,
    left: usize,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let name = if field.name() == "message" { "@message" } else { field.name() };
        self.map.insert(name.to_owned(), value);
    }

    fn text(&mut self, field: &Field, text: &str) {
        let room = self.left.min(MAX_TEXT);
        let cut = text.floor_char_boundary(room);
        self.left -= cut;
        let mut kept = text.get(..cut).unwrap_or_default().to_owned();
        if kept.len() < text.len() {
            kept.push_str(CUT);
        }
        self.put(field, kept.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        match write!(text, "{value:?}") {
            Ok(()) => self.text(field, &text),
            Err(_refused) => self.text(field, "(cannot be shown)"),
        }
    }
}

/// `2006-01-02T15:04:05.000000Z`: exactly six digits, or hosts do not read the line.
fn timestamp(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let micros = since_1970.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// The Gregorian date of a day since 1970, counted in eras of 400 years that begin in March.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Collect(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Collect {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(line(event, Duration::from_micros(1_700_000_000_000_042)));
        }
    }

    fn lines(work: impl FnOnce()) -> Vec<String> {
        let lines = Arc::default();
        let collect = Collect(Arc::clone(&lines));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(collect), work);
        lines.lock().unwrap().clone()
    }

    #[test]
    fn every_level_is_a_line_that_hosts_read_p43() {
        let lines = lines(|| {
            tracing::trace!("a");
            tracing::debug!("b");
            tracing::info!(job = 7, ok = true, name = "x", "c");
            tracing::warn!("d");
            tracing::error!("e");
        });
        let read: Vec<Value> = lines.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
        let levels: Vec<_> = read.iter().map(|line| line["@level"].as_str().unwrap()).collect();
        assert_eq!(levels, ["trace", "debug", "info", "warn", "error"]);
        assert_eq!(read[2]["@message"], "c");
        assert_eq!((&read[2]["job"], &read[2]["ok"]), (&Value::from(7), &Value::from(true)));
        assert_eq!(read[2]["@timestamp"], "2023-11-14T22:13:20.000042Z");
        assert!(read[2]["@module"].as_str().unwrap().contains("logging"));
    }

    #[test]
    fn awkward_values_stay_one_line_below_the_limit_p45() {
        let long = "\u{1}\"\n".repeat(50_000);
        let lines = lines(|| tracing::info!(long, again = %long, "quote \" and\nline"));
        assert_eq!(lines.len(), 1);
        assert!(lines[0].len() < 60 << 10, "{} bytes", lines[0].len());
        assert!(!lines[0].contains('\n'));
        let read: Value = serde_json::from_str(&lines[0]).unwrap();
        assert!(read["long"].as_str().unwrap().ends_with(CUT));
    }

    #[test]
    fn dates_are_right_around_leap_days() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (19_782, (2024, 2, 29)),
            (19_783, (2024, 3, 1)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(date(days), expected);
        }
    }
}
