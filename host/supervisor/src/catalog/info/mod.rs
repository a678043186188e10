//! Image Factory's metadata of a plugin, `NAME.info`, read as it is: what it says, and what it stands for here.
//!
//! [`Info::read`] takes the text and answers what it says, or everything that is wrong with it, each with its place: line
//! and column of what is no JSON, else the path of the element. `targets` has the forms in which targets are written,
//! `manifest` turns it into a manifest. The file names no executable; whoever found it knows what lies beside it.

mod manifest;
mod targets;

use std::fmt;

use serde_json::{Map, Value};

pub(super) use self::manifest::name;
use super::manifest::Maintainer;

/// More is no metadata.
pub(super) const MAX_BYTES: u64 = 64 << 10;
/// The longest text of an element.
const MAX_TEXT: usize = 4 << 10;
const KEYS: [&str; 6] = ["type", "targets", "description", "maintainer", "version", "license"];

/// What a plugin of Image Factory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It installs systems.
    Os,
    /// It makes images for targets, and brings them to providers.
    Cloud,
}

/// What the file says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Info {
    pub(crate) kind: Kind,
    /// Lists of names, where null stands for any.
    pub(crate) targets: Vec<Vec<Option<String>>>,
    pub(crate) description: String,
    pub(crate) maintainer: Option<Maintainer>,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// What its author should know.
    pub(crate) warnings: Vec<String>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where: a path of elements, or line and column.
    pub(crate) place: String,
    /// What, and what belongs there.
    pub(crate) problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl Info {
    /// Reads the file's text.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Self, Vec<Fault>> {
        let document: Value = serde_json::from_str(text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let words = error.to_string();
            let problem = words.split(" at line ").next().unwrap_or(&words);
            vec![Fault { place, problem: format!("this is no JSON: {problem}") }]
        })?;
        let Value::Object(fields) = document else {
            let problem =
                "the file holds a JSON object: {\"type\": ..., \"targets\": ...}".to_owned();
            return Err(vec![Fault { place: "/".to_owned(), problem }]);
        };
        let mut reader = Reader { fields: &fields, faults: Vec::new() };
        let kind = reader.kind();
        let targets = reader.targets(kind);
        let (description, license) = (reader.text("description"), reader.text("license"));
        let (maintainer, version) = (reader.maintainer(), reader.version());
        let Reader { faults, .. } = reader;
        let Some(kind) = kind.filter(|_| faults.is_empty()) else { return Err(faults) };
        let unknown = fields.keys().filter(|key| !KEYS.contains(&key.as_str()));
        let warnings = unknown.map(|key| format!("unknown field /{key} is ignored")).collect();
        let description = description.unwrap_or_default();
        Ok(Self { kind, targets, description, maintainer, version, license, warnings })
    }
}

/// The elements of the file, and what is wrong with those that were read.
struct Reader<'a> {
    fields: &'a Map<String, Value>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn wrong(&mut self, place: &str, problem: impl Into<String>) {
        self.faults.push(Fault { place: place.to_owned(), problem: problem.into() });
    }

    fn kind(&mut self) -> Option<Kind> {
        match self.fields.get("type") {
            Some(Value::String(kind)) if kind.eq_ignore_ascii_case("os") => return Some(Kind::Os),
            Some(Value::String(kind)) if kind.eq_ignore_ascii_case("cloud") => {
                return Some(Kind::Cloud);
            }
            None => self.wrong("/type", "it is missing; it is \"os\" or \"cloud\""),
            Some(other) => self.wrong("/type", format!("it is {other}, not \"os\" or \"cloud\"")),
        }
        None
    }

    fn targets(&mut self, kind: Option<Kind>) -> Vec<Vec<Option<String>>> {
        let Some(targets) = self.fields.get("targets") else {
            self.wrong("/targets", "it is missing; it lists what the plugin builds for");
            return Vec::new();
        };
        // Which forms are meant is known with the type; what is wrong in itself is told without.
        targets::read(kind.unwrap_or(Kind::Os), targets, &mut self.faults)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let value = self.fields.get(name)?;
        self.text_at(value, &format!("/{name}"))
    }

    fn text_at(&mut self, value: &Value, place: &str) -> Option<String> {
        match value {
            Value::Null => None,
            Value::String(text) if text.len() <= MAX_TEXT => Some(text.clone()),
            Value::String(_) => {
                self.wrong(place, format!("it is longer than {MAX_TEXT} bytes"));
                None
            }
            other => {
                self.wrong(place, format!("it is {}, not text", named(other)));
                None
            }
        }
    }

    fn maintainer(&mut self) -> Option<Maintainer> {
        let nobody = Maintainer { name: None, email: None, url: None };
        match self.fields.get("maintainer")? {
            Value::Null => None,
            Value::String(name) => Some(Maintainer { name: Some(name.clone()), ..nobody }),
            Value::Object(fields) => {
                let mut field = |name: &str| {
                    let value = fields.get(name)?;
                    self.text_at(value, &format!("/maintainer/{name}"))
                };
                let (name, email, url) = (field("name"), field("email"), field("url"));
                Some(Maintainer { name, email, url })
            }
            other => {
                let problem =
                    format!("it is {}, not an object with name, email, url", named(other));
                self.wrong("/maintainer", problem);
                None
            }
        }
    }

    fn version(&mut self) -> String {
        match self.fields.get("version") {
            Some(Value::Number(number)) => number.to_string(),
            Some(value) => self.text_at(value, "/version").unwrap_or_default(),
            None => String::new(),
        }
    }
}

/// What kind of value it is, in words.
fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        Info::read(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_as_image_factory_has_them_is_read() {
        let info = Info::read(
            r#"{
            "type": "OS",
            "targets": [["Fedora", null, "x86_64"], ["CentOS", "7", null]],
            "description": "Installs systems",
            "maintainer": {"name": "A", "email": "a@example.org", "url": "http://example.org/"},
            "version": "1.0",
            "license": "Copyright somebody"
        }"#,
        )
        .unwrap();
        assert_eq!((info.kind, info.targets.len(), info.version.as_str()), (Kind::Os, 2, "1.0"));
        assert_eq!(info.targets[0], [Some("Fedora".into()), None, Some("x86_64".into())]);
        assert_eq!(info.maintainer.unwrap().email.as_deref(), Some("a@example.org"));
        assert!(info.warnings.is_empty());
        let bare = Info::read(r#"{"type": "cloud", "targets": "ec2", "colour": 1}"#).unwrap();
        assert_eq!(bare.targets, [[Some("ec2".to_owned())]]);
        assert_eq!(bare.warnings, ["unknown field /colour is ignored"]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_its_place() {
        let wrong = r#"{"type": "cluod", "targets": [["a", 1], [], {}], "maintainer": [],
            "version": {}, "license": 3, "description": ["x"]}"#;
        let faults = faults(wrong);
        for place in [
            "/type: it is \"cluod\"",
            "/targets/0/1: ",
            "/targets/1: ",
            "/targets/2: ",
            "/maintainer: ",
            "/version: ",
            "/license: it is a number, not text",
            "/description: it is a list",
        ] {
            assert!(faults.iter().any(|fault| fault.starts_with(place)), "{place}: {faults:?}");
        }
        assert_eq!(faults.len(), 8, "{faults:?}");
    }

    #[test]
    fn what_is_no_json_is_told_with_line_and_column() {
        let told = faults("{\n  \"type\": os }");
        assert!(told[0].starts_with("line 2, column 11: this is no JSON: "), "{told:?}");
        assert_eq!(faults("[]")[0].split(':').next(), Some("/"));
        let none = faults("{}");
        assert!(none[0].contains("/type: it is missing") && none[1].contains("/targets: "));
    }
}
