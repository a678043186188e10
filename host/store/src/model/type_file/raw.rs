//! One definition as it stands in its file, and what it means.

use serde_json::{Map, Value};

use super::errors::Offenders;
use super::limits::cut;
use super::{ReadType, is_type_name};
use crate::model::{KeyField, TypeDefinition};

const REQUIRED: [&str; 4] = ["id", "display_name", "description", "unit_key"];
const OPTIONAL: [&str; 2] = ["search_indexes", "referenced_types"];
/// What Pulp 2 does not know.
const ADDITIONS: [&str; 3] = ["version", "repo_key", "attributes"];

/// One definition as it stands in its file.
pub(super) struct Raw<'a> {
    pub(super) file: &'a str,
    pub(super) value: &'a Map<String, Value>,
}

impl Raw<'_> {
    fn name(&self) -> &str {
        cut(self.value.get("id").and_then(Value::as_str).unwrap_or("?"))
    }

    fn refuse(&self, what: &str, offenders: &mut Offenders) {
        offenders.add(format!("{}: {}: {what}", self.file, self.name()));
    }

    pub(super) fn unknown_attributes(&self, offenders: &mut Offenders) {
        let known = |name: &str| {
            REQUIRED.contains(&name) || OPTIONAL.contains(&name) || ADDITIONS.contains(&name)
        };
        for name in self.value.keys().filter(|name| !known(name)) {
            self.refuse(cut(name), offenders);
        }
    }

    pub(super) fn missing_attributes(&self, offenders: &mut Offenders) {
        for name in REQUIRED.into_iter().filter(|name| !self.value.contains_key(*name)) {
            self.refuse(name, offenders);
        }
    }

    /// None: an attribute is of a wrong kind, and is among the offenders.
    pub(super) fn definition(&self, offenders: &mut Offenders) -> Option<ReadType> {
        let object = self.value;
        let mut check = Check { raw: self, offenders };
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = check.is("id", text("id"), "text");
        let display_name = check.is("display_name", text("display_name"), "text");
        let description = check.is("description", text("description"), "text");
        let unit_key = check.is("unit_key", key_fields(object.get("unit_key")), "list of fields");
        let search_indexes = indexes(object);
        let search_indexes = check.is("search_indexes", search_indexes, "list of fields or lists");
        let referenced_types = names(object, "referenced_types");
        let referenced_types = check.is("referenced_types", referenced_types, "list of types");
        let repo_key = check.is("repo_key", names(object, "repo_key"), "list of fields");
        let version = object.get("version").map_or(Some(1), Value::as_u64);
        let version = version.filter(|at| (1..=u64::from(u32::MAX)).contains(at));
        let version = check.is("version", version, "number from 1 to 4294967295");
        let attributes = object.get("attributes");
        let sound = attributes.is_none_or(is_schema_of_objects).then_some(());
        check.is("attributes", sound, "JSON Schema of an object")?;
        let definition = TypeDefinition {
            id: id?,
            display_name: display_name?,
            description: description?,
            unit_key: unit_key?,
            search_indexes: search_indexes?,
            referenced_types: referenced_types?,
            version: version?,
            repo_key: repo_key?,
            attributes: attributes.cloned(),
        };
        let additions = self.additions(&definition);
        Some(ReadType { file: self.file.to_owned(), definition, additions })
    }

    /// What of it Pulp 2 would refuse.
    fn additions(&self, definition: &TypeDefinition) -> Vec<&'static str> {
        let mut found: Vec<&str> =
            ADDITIONS.into_iter().filter(|name| self.value.contains_key(*name)).collect();
        let key = self.value.get("unit_key");
        let ruled = |value: &Value| value.is_object();
        if key.is_some_and(|key| ruled(key) || key.as_array().into_iter().flatten().any(ruled)) {
            found.push("unit_key with rules");
        }
        let plain = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        if is_type_name(&definition.id) && !definition.id.bytes().all(plain) {
            found.push("id with digits or dashes");
        }
        found
    }
}

/// Collects what is of a wrong kind.
struct Check<'a> {
    raw: &'a Raw<'a>,
    offenders: &'a mut Offenders,
}

impl Check<'_> {
    fn is<T>(&mut self, name: &str, read: Option<T>, wanted: &str) -> Option<T> {
        if read.is_none() {
            self.raw.refuse(&format!("{name} is no {wanted}"), self.offenders);
        }
        read
    }
}

fn key_fields(value: Option<&Value>) -> Option<Vec<KeyField>> {
    match value? {
        Value::Array(list) => list.iter().map(key_field).collect(),
        one => key_field(one).map(|field| vec![field]),
    }
}

fn key_field(value: &Value) -> Option<KeyField> {
    match value {
        Value::String(name) => Some(KeyField { name: name.clone(), from_artifact: false }),
        Value::Object(object) => {
            let name = object.get("name")?.as_str()?.to_owned();
            let from_artifact = match object.get("from") {
                None => false,
                Some(from) => from.as_str() == Some("artifact"),
            };
            let known = object.keys().all(|key| key == "name" || key == "from");
            let sound = known && from_artifact == object.contains_key("from");
            sound.then_some(KeyField { name, from_artifact })
        }
        _ => None,
    }
}

/// A list of names; one name alone counts as a list.
fn list(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(name) => Some(vec![name.clone()]),
        Value::Array(list) => list.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn names(object: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    object.get(name).map_or_else(|| Some(Vec::new()), list)
}

fn indexes(object: &Map<String, Value>) -> Option<Vec<Vec<String>>> {
    match object.get("search_indexes") {
        None => Some(Vec::new()),
        Some(Value::Array(indexes)) => indexes.iter().map(list).collect(),
        Some(one) => list(one).map(|index| vec![index]),
    }
}

/// Attributes are an object: a schema that says otherwise would fit no unit.
fn is_schema_of_objects(schema: &Value) -> bool {
    schema.is_object() && schema.get("type").is_none_or(|kind| kind == "object")
}
