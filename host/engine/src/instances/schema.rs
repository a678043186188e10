//! The schemas that settings are held against: those of an instance and of an attachment, and both as one, because
//! what an attachment is run with are the settings of its instance under its own. Pure.

use serde_json::{Map, Value, json};
use wharf_supervisor::Component;

/// What is joined key by key; everything else of a schema holds for all settings.
const JOINED: [&str; 6] =
    ["$schema", "type", "properties", "required", "additionalProperties", "$defs"];

/// The schema of what an attachment is run with.
pub(crate) fn effective(component: &Component) -> Option<Value> {
    match (&component.instance_schema, &component.attachment_schema) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (Some(instance), Some(attachment)) => Some(joined(instance, attachment)),
    }
}

fn joined(instance: &Value, attachment: &Value) -> Value {
    let both = [instance, attachment];
    let objects = |key: &str| {
        let all = both.iter().filter_map(|schema| schema.get(key)?.as_object());
        Value::Object(all.flat_map(Map::clone).collect())
    };
    // JSON Schema wants each name once.
    let mut required: Vec<&Value> = Vec::new();
    for name in both.iter().filter_map(|schema| schema.get("required")?.as_array()).flatten() {
        if !required.contains(&name) {
            required.push(name);
        }
    }
    let rest = |schema: &&Value| -> Option<Value> {
        let mut rest = schema.as_object()?.clone();
        rest.retain(|key, _| !JOINED.contains(&key.as_str()));
        (!rest.is_empty()).then_some(Value::Object(rest))
    };
    let mut schema = json!({
        "type": "object",
        "properties": objects("properties"),
        "required": required,
        "additionalProperties": false,
        "$defs": objects("$defs"),
    });
    let further: Vec<Value> = both.iter().filter_map(rest).collect();
    if !further.is_empty() {
        schema["allOf"] = Value::Array(further);
    }
    schema
}

/// The settings that a schema describes.
pub(crate) fn properties(schema: Option<&Value>) -> Option<&Map<String, Value>> {
    schema?.get("properties")?.as_object()
}

/// Whether the schema says that it takes anything: what values mean is then between the user and the component.
pub(crate) fn takes_anything(schema: Option<&Value>) -> bool {
    schema.and_then(|schema| schema.get("additionalProperties")) == Some(&json!(true))
}

/// Whether a setting is a secret, so that its value is the name of one.
pub(crate) fn is_secret(property: &Value) -> bool {
    let marked = |key: &str, value: Value| property.get(key) == Some(&value);
    marked("format", json!("secret")) || marked("x-secret", json!(true))
}

/// The secrets that settings name: setting and name.
pub(crate) fn secrets<'a>(
    schema: Option<&'a Value>,
    settings: &'a Map<String, Value>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let properties = properties(schema).into_iter().flatten();
    properties
        .filter(|(_key, property)| is_secret(property))
        .filter_map(|(key, _property)| Some((key.as_str(), settings.get(key)?.as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(instance: &Value, attachment: &Value) -> Component {
        let component = json!({
            "id": "importer", "role": "importer", "operations": ["list", "fetch"],
            "instance_schema": instance, "attachment_schema": attachment,
        });
        serde_json::from_value(component).expect("a component")
    }

    #[test]
    fn both_schemas_hold_and_nothing_else_is_let_in() {
        let instance = json!({
            "type": "object", "required": ["host"], "additionalProperties": false,
            "properties": {"host": {"type": "string"}, "password": {"type": "string", "format": "secret"}},
        });
        let attachment = json!({
            "type": "object", "required": ["remote_dir"], "additionalProperties": false, "minProperties": 1,
            "properties": {"remote_dir": {"type": "string"}},
        });
        let schema = effective(&component(&instance, &attachment)).expect("a schema");
        let validator = jsonschema::validator_for(&schema).expect("it is one");
        let good = json!({"host": "h", "remote_dir": "/", "password": "school"});
        assert!(validator.is_valid(&good), "{schema:#}");
        for bad in [
            json!({"host": "h"}),
            json!({"remote_dir": "/"}),
            json!({"host": "h", "remote_dir": "/", "x": 1}),
        ] {
            assert!(!validator.is_valid(&bad), "{bad}");
        }
        let named: Vec<_> = secrets(Some(&schema), good.as_object().expect("an object")).collect();
        assert_eq!(named, [("password", "school")]);
    }

    #[test]
    fn a_name_that_both_schemas_require_is_required_once() {
        let both = json!({
            "type": "object", "required": ["token"], "properties": {"token": {"type": "string"}},
        });
        let schema = effective(&component(&both, &both)).expect("a schema");
        assert_eq!(schema["required"], json!(["token"]));
        jsonschema::meta::validate(&schema).expect("a schema by the letter");
    }
}
