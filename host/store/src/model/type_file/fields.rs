//! Names of types and fields: which can be used, and for what.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::errors::Offenders;
use super::limits::{NAME_BYTES, cut};
use crate::model::TypeDefinition;

/// Whether a text can be the name of a type. It never becomes a path that means something else.
pub(super) fn is_type_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=NAME_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether a text can be the name of a field: it becomes part of an index's expression.
pub(crate) fn is_field_name(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$');
    (1..=NAME_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether the fields of a definition can be what they are named for.
pub(super) fn check(definition: &TypeDefinition, file: &str, offenders: &mut Offenders) {
    let mut refuse = |what: &str, why: &str| {
        offenders.add(format!("{file}: {}: {what}: {why}", definition.id));
    };
    if definition.unit_key.is_empty() {
        refuse("unit_key", "has no field");
    }
    let only = definition.attributes.as_ref().and_then(only_attributes);
    for (what, fields) in lists(definition) {
        if what == "search_indexes" && fields.is_empty() {
            refuse(what, "an index has no field");
        }
        let mut seen = HashSet::new();
        for field in fields {
            let told = cut(field);
            if !is_field_name(field) {
                refuse(what, &format!("{told:?}: use 1 to 128 of A-Z a-z 0-9 _ - . $"));
            }
            if !seen.insert(field) {
                refuse(what, &format!("{told:?} is there twice"));
            }
            let there = definition.is_key_field(field)
                || only.is_none_or(|attributes| attributes.contains_key(field));
            if !there {
                refuse(what, &format!("{told:?} is neither in unit_key nor in attributes"));
            }
        }
    }
    for field in definition.unit_key.iter().filter(|field| field.from_artifact) {
        if definition.repo_key.contains(&field.name) {
            refuse("repo_key", &format!("{:?}: a place cannot depend on the bytes", field.name));
        }
    }
}

/// All lists of fields, each with the attribute that it stands in.
fn lists(definition: &TypeDefinition) -> Vec<(&'static str, Vec<&str>)> {
    let key = definition.unit_key.iter().map(|field| field.name.as_str()).collect();
    let place = definition.repo_key.iter().map(String::as_str).collect();
    let mut lists = vec![("unit_key", key), ("repo_key", place)];
    for index in &definition.search_indexes {
        lists.push(("search_indexes", index.iter().map(String::as_str).collect()));
    }
    lists
}

/// The attributes that there can be at all, if the schema says so: it lists some and allows no others.
fn only_attributes(schema: &Value) -> Option<&Map<String, Value>> {
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let open = schema.get("patternProperties").is_some();
    schema.get("properties").and_then(Value::as_object).filter(|_| closed && !open)
}
