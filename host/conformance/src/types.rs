//! The plugin's types of units, as far as a stream of events is held against them: ids and fields of the key.
//! Source: `proto/schema/types.schema.json`.
//!
//! `wharf type check` judges a document in full; here one that cannot be read is simply refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use wharf_supervisor::TypeFile;

/// By id, the fields of the key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Types(BTreeMap<String, Vec<KeyField>>);

/// One field of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyField {
    pub(crate) name: String,
    /// The host fills it in: the sha256 of the first file.
    pub(crate) from_artifact: bool,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    types: Vec<Definition>,
}

#[derive(Deserialize)]
struct Definition {
    id: String,
    unit_key: OneOrMany,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Field>),
    One(Field),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Name(String),
    Told { name: String, from: Option<String> },
}

impl Types {
    /// # Errors
    /// The file that cannot be read, and why.
    pub(crate) fn read(files: &[TypeFile]) -> Result<Self, String> {
        let mut types = BTreeMap::new();
        for file in files {
            let document: Document = serde_json::from_str(&file.text).map_err(|error| {
                format!("{}: {error}; `wharf type check` says more", file.path.display())
            })?;
            for definition in document.types {
                types.insert(definition.id, fields(definition.unit_key));
            }
        }
        Ok(Self(types))
    }

    pub(crate) fn key_of(&self, id: &str) -> Option<&[KeyField]> {
        self.0.get(id).map(Vec::as_slice)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn fields(key: OneOrMany) -> Vec<KeyField> {
    let many = match key {
        OneOrMany::Many(many) => many,
        OneOrMany::One(one) => vec![one],
    };
    let field = |field| match field {
        Field::Name(name) => KeyField { name, from_artifact: false },
        Field::Told { name, from } => {
            KeyField { name, from_artifact: from.as_deref() == Some("artifact") }
        }
    };
    many.into_iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_all_their_forms() {
        let text = r#"{"types":[
            {"id":"a","unit_key":"path"},
            {"id":"b","unit_key":["path",{"name":"sha256","from":"artifact"},{"name":"x"}]}]}"#;
        let file = TypeFile { path: "t.json".into(), text: text.to_owned() };
        let types = Types::read(std::slice::from_ref(&file)).unwrap();
        let names = |id| -> Vec<(String, bool)> {
            let fields = types.key_of(id).unwrap().iter();
            fields.map(|field| (field.name.clone(), field.from_artifact)).collect()
        };
        assert_eq!(names("a"), [("path".to_owned(), false)]);
        let b = [("path", false), ("sha256", true), ("x", false)];
        assert_eq!(names("b"), b.map(|(name, filled)| (name.to_owned(), filled)));
        assert!(types.key_of("c").is_none());
        let broken = TypeFile { text: "{".to_owned(), ..file };
        assert!(Types::read(&[broken]).unwrap_err().contains("t.json"));
    }
}
