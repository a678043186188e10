//! The fields of an event or a span, cut to what a line may hold.

use std::error::Error;
use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

/// What a text may take before escaping, which makes it six times longer at worst.
const MAX_TEXT: usize = 4 << 10;
/// What all texts of a line may take before escaping.
const MAX_TEXTS: usize = 8 << 10;
/// Values of a line that are no texts, such as numbers: each takes little, but so many must not be too much.
const MAX_FIELDS: usize = 128;
/// The end of a text that was cut.
const CUT: &str = "... (cut)";
/// What was recorded, by name.
pub(super) struct Fields {
    map: Map<String, Value>,
    left: usize,
}

impl Default for Fields {
    fn default() -> Self {
        Self { map: Map::new(), left: MAX_TEXTS }
    }
}

impl Fields {
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.map
    }

    fn put(&mut self, field: &Field, value: Value) {
        if self.map.len() < MAX_FIELDS {
            self.map.insert(name(field).to_owned(), value);
        }
    }

    fn text(&mut self, field: &Field, text: &str) {
        // What is recorded again makes room for itself.
        if let Some(Value::String(before)) = self.map.remove(name(field)) {
            self.left = MAX_TEXTS.min(self.left + before.len());
        }
        let kept = self.cut(text);
        self.put(field, kept.into());
    }

    /// As much of a text as there is room for.
    fn cut(&mut self, text: &str) -> String {
        let cut = text.floor_char_boundary(self.left.min(MAX_TEXT));
        self.left -= cut;
        let mut kept = text.get(..cut).unwrap_or_default().to_owned();
        if kept.len() < text.len() {
            kept.push_str(CUT);
        }
        kept
    }

    /// Takes over what is not there yet.
    pub(super) fn add(&mut self, others: &Self) {
        for (name, value) in &others.map {
            if self.map.contains_key(name) || self.map.len() >= MAX_FIELDS {
                continue;
            }
            let value = match value {
                Value::String(text) => self.cut(text).into(),
                other => other.clone(),
            };
            self.map.insert(name.clone(), value);
        }
    }
}

fn name(field: &Field) -> &'static str {
    if field.name() == "message" { "@message" } else { field.name() }
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

    /// An error as its text, with the causes that it does not name itself.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.contains(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = error.source();
        }
        self.text(field, &text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        match write!(text, "{value:?}") {
            Ok(()) => self.text(field, &text),
            Err(_refused) => self.text(field, "(cannot be shown)"),
        }
    }
}
