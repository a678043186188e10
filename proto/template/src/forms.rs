//! The three forms that a template is written in.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::lines::Lines;
use crate::model::Template;
use crate::node::{Node, Value};
use crate::problem::Problems;
use crate::{MAX_BYTES, check, tdl};

/// How a template is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// XML, as Oz and Image Factory read it.
    Tdl,
    /// TOML, with the names of the canonical JSON.
    Toml,
    /// JSON: the canonical form, or written by hand.
    Json,
}

impl Form {
    /// The form of a file: by the ending of its name, else by how it begins.
    pub fn of(name: &str, content: &[u8]) -> Self {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.as_deref() {
            Some("tdl" | "xml") => return Self::Tdl,
            Some("toml") => return Self::Toml,
            Some("json") => return Self::Json,
            _ => {}
        }
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        match content.trim_ascii_start().first() {
            Some(b'<') => Self::Tdl,
            Some(b'{') => Self::Json,
            _ => Self::Toml,
        }
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Everything that is wrong with it; a text that is not of the form at all has one or a few problems, with their
    /// places.
    pub fn read(content: &[u8], form: Form) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let template = text(content, &mut problems)
            .and_then(|text| tree(text, form, &mut problems))
            .and_then(|node| check::template(node, &mut problems));
        problems.or(template)
    }
}

/// The text of a template, if it is one and no longer than it may be.
pub(crate) fn text<'a>(content: &'a [u8], problems: &mut Problems) -> Option<&'a str> {
    if content.len() > MAX_BYTES {
        problems.add(None, "", format!("longer than {MAX_BYTES} bytes"));
        return None;
    }
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    match std::str::from_utf8(content) {
        Ok(text) => Some(text),
        Err(error) => {
            let line = content.get(..error.valid_up_to()).unwrap_or_default();
            let line = line.split(|byte| *byte == b'\n').count();
            problems.add(None, "", format!("not UTF-8, in line {line}"));
            None
        }
    }
}

fn tree(text: &str, form: Form, problems: &mut Problems) -> Option<Node> {
    match form {
        Form::Tdl => tdl::tree(text, problems),
        Form::Toml => toml(text, problems),
        Form::Json => json(text, problems),
    }
}

fn json(text: &str, problems: &mut Problems) -> Option<Node> {
    match serde_json::from_str(text) {
        Ok(value) => Some(json_node(value)),
        Err(error) => {
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let place =
                (error.line() > 0).then(|| (count(error.line()), count(error.column().max(1))));
            problems.add(place, "", format!("this is not JSON: {error}"));
            None
        }
    }
}

fn json_node(value: serde_json::Value) -> Node {
    use serde_json::Value as Json;
    let value = match value {
        Json::Null => Value::Other("null"),
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Number(number.to_string()),
        Json::String(text) => Value::Text(text),
        Json::Array(entries) => Value::List(entries.into_iter().map(json_node).collect()),
        Json::Object(fields) => {
            let field = |(name, value)| (name, None, json_node(value));
            Value::Record(fields.into_iter().map(field).collect())
        }
    };
    Node { place: None, value }
}

fn toml(text: &str, problems: &mut Problems) -> Option<Node> {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = error.span().and_then(|span| lines.place(span.start));
        problems.add(place, "", format!("this is not TOML: {}", error.message()));
    }
    let span = table.span();
    let whole = || toml_node(DeValue::Table(table.into_inner()), &span, &lines);
    errors.is_empty().then(whole)
}

fn toml_node(value: DeValue<'_>, span: &Range<usize>, lines: &Lines<'_>) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Integer(number) => {
            let decimal = i64::from_str_radix(number.as_str(), number.radix());
            decimal.map_or(Value::Other("a number that is too large"), |n| {
                Value::Number(n.to_string())
            })
        }
        DeValue::Float(_) => Value::Other("a number with a point; put it in quotes"),
        DeValue::Datetime(_) => Value::Other("a date; put it in quotes"),
        DeValue::Array(entries) => {
            let entries = entries.into_iter().map(|entry| {
                let span = entry.span();
                toml_node(entry.into_inner(), &span, lines)
            });
            Value::List(entries.collect())
        }
        DeValue::Table(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let (key, span) = (lines.place(name.span().start), value.span());
                (name.into_inner().into_owned(), key, toml_node(value.into_inner(), &span, lines))
            });
            Value::Record(fields.collect())
        }
    };
    Node { place: lines.place(span.start), value }
}
