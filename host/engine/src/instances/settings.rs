//! Settings of an attachment: text from a command line becomes values by the schema's types, host-owned keys are
//! taken out and checked here, the rest is checked against the plugin's schema. Pure; the plugin's own check comes after.

use jsonschema::error::ValidationErrorKind;
use std::num::NonZeroU64;

use serde_json::{Map, Value, json};

use wharf_supervisor::Role;

use super::schema::{self, is_secret};
use crate::problem::Problem;
use crate::secrets::is_name;

/// Which key of the host a distributor's publications are signed with. Only distributors that sign take it.
pub(crate) const SIGNING_KEY: &str = "signing_key";

/// When bytes are fetched. The host's key `policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// By the sync.
    #[default]
    Immediate,
    /// When a client first asks; then kept.
    OnDemand,
    /// Whenever a client asks; never kept.
    Streamed,
}

/// How a sync treats what upstream no longer has. The host's key `mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The new version holds what upstream holds.
    #[default]
    Mirror,
    /// Nothing is taken out.
    Additive,
}

/// What happens when one file cannot be had. The host's key `on_file_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFileError {
    /// The item is failed; what stood in its place stays; the job ends partial.
    #[default]
    Skip,
    /// The job fails.
    Fail,
    /// The unit is kept without its bytes; they are fetched when a client asks.
    Defer,
}

/// The host's own settings of an importer.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ImporterSettings {
    /// When bytes are fetched.
    pub policy: Policy,
    /// What happens to units that upstream no longer has.
    pub mode: Mode,
    /// What happens when one file cannot be had.
    pub on_file_error: OnFileError,
    /// How many files are fetched at once; None: the host's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// The most bytes a second; None: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<NonZeroU64>,
    /// Publish after each sync that made a version.
    pub auto_publish: bool,
    /// Hosts that an index or a redirect may lead to although they lie inside this machine or a private network.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_hosts: Vec<String>,
    /// Take files that only MD5 or SHA-1 vouches for (F104).
    pub allow_weak_digests: bool,
    /// Listed items that are left out: names, or patterns of names or paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
}

/// The host's own settings of a distributor. Its path stands with the attachment.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct DistributorSettings {
    /// Another distributor of the repository: only what that one has published is published.
    pub(crate) after: Option<String>,
}

/// The schema of the keys that the host owns, by role. Source: the contract's manifest rules.
fn host_properties(role: Role) -> Map<String, Value> {
    let properties = match role {
        Role::Importer => json!({
            "policy": {"type": "string", "enum": ["immediate", "on_demand", "streamed"]},
            "mode": {"type": "string", "enum": ["mirror", "additive"]},
            "on_file_error": {"type": "string", "enum": ["skip", "fail", "defer"]},
            "concurrency": {"type": "integer", "minimum": 1, "maximum": 256},
            "rate": {"type": "integer", "minimum": 1},
            "auto_publish": {"type": "boolean"},
            "allow_hosts": {"type": "array", "items": {"type": "string", "minLength": 1}},
            "allow_weak_digests": {"type": "boolean"},
            "ignore": {"type": "array", "items": {"type": "string", "minLength": 1}},
        }),
        Role::Distributor => json!({
            "path": {"type": "string"},
            "after": {"type": "string"},
            SIGNING_KEY: {"type": "string", "minLength": 1},
        }),
        _ => json!({}),
    };
    match properties {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Settings, parted into what the host keeps for itself and what the plugin is asked about.
#[derive(Debug, PartialEq)]
pub(crate) struct Parted {
    pub(crate) host: Map<String, Value>,
    pub(crate) plugin: Map<String, Value>,
}

/// Reads `given` by the schemas and checks it. Values that are text are read as the type that the schema asks for, so
/// that `5` and `true` may come from a command line.
///
/// # Errors
///
/// `usage.settings`, naming every field at fault.
pub(crate) fn read(
    role: Role,
    schema: Option<&Value>,
    given: &Map<String, Value>,
) -> Result<Parted, Problem> {
    let host_schema = host_properties(role);
    let mut parted = Parted { host: Map::new(), plugin: Map::new() };
    let none = Map::new();
    let plugin_properties = schema::properties(schema).unwrap_or(&none);
    let mut faults = Vec::new();
    for (key, value) in given {
        if let Some(property) = host_schema.get(key) {
            parted.host.insert(key.clone(), coerce(value, property));
            continue;
        }
        let property = plugin_properties.get(key).unwrap_or(&Value::Null);
        let value =
            if is_secret(property) { reference(value) } else { Some(coerce(value, property)) };
        match value {
            Some(value) => drop(parted.plugin.insert(key.clone(), value)),
            None => {
                faults.push(Fault { field: format!("/{key}"), message: NO_SECRET_NAME.to_owned() });
            }
        }
    }
    let own = json!({"type": "object", "properties": host_schema});
    let known: Vec<&str> =
        plugin_properties.keys().chain(host_schema.keys()).map(String::as_str).collect();
    validate(&own, &parted.host, &known, &mut faults)?;
    if let Some(schema) = schema {
        let mut strict = schema.clone();
        if let Some(object) = strict.as_object_mut() {
            object.entry("additionalProperties").or_insert(Value::Bool(false));
        }
        validate(&strict, &parted.plugin, &known, &mut faults)?;
    }
    if faults.is_empty() { Ok(parted) } else { Err(refused(&faults)) }
}

/// Reads `given` by a schema of the host's own.
///
/// # Errors
///
/// `usage.settings`, naming every field at fault.
pub(crate) fn read_schema(
    schema: &Value,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    // A role whose settings are none of the host's.
    Ok(read(Role::Action, Some(schema), given)?.plugin)
}

/// One field that is not right.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Fault {
    pub(crate) field: String,
    pub(crate) message: String,
}

/// The problem that lists these faults.
pub(crate) fn refused(faults: &[Fault]) -> Problem {
    let words: Vec<String> = faults
        .iter()
        .map(|fault| match fault.field.trim_start_matches('/') {
            "" => fault.message.clone(),
            field => format!("{field}: {}", fault.message),
        })
        .collect();
    let at: Vec<&str> = faults.iter().map(|fault| fault.field.trim_start_matches('/')).collect();
    Problem::usage("usage.settings", words.join("; "))
        .at(at.join(", "))
        .details(json!({ "fields": faults }))
}

/// What is told of a secret that is no name. What was written instead is never repeated.
const NO_SECRET_NAME: &str = "it takes the NAME of a secret: keep the value with `wharf secret set NAME`, and write the name here";

/// The name of a secret, as it was written or as `{"secret": NAME}`.
fn reference(value: &Value) -> Option<Value> {
    let name = match value {
        Value::Object(object) if object.len() == 1 => object.get("secret")?,
        other => other,
    };
    name.as_str().filter(|name| is_name(name)).map(Value::from)
}

fn coerce(value: &Value, property: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    let kinds: Vec<&str> = match property.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let read = |kind: &str| match kind {
        "integer" => text.parse::<i64>().ok().map(Value::from),
        "number" => text.parse::<f64>().ok().map(Value::from),
        "boolean" => text.parse::<bool>().ok().map(Value::from),
        "array" if text.starts_with('[') => serde_json::from_str(text).ok(),
        "array" => Some(text.split(',').map(str::trim).map(Value::from).collect()),
        "object" => serde_json::from_str(text).ok(),
        "null" if text.is_empty() => Some(Value::Null),
        _ => None,
    };
    kinds.into_iter().find_map(read).unwrap_or_else(|| value.clone())
}

fn validate(
    schema: &Value,
    values: &Map<String, Value>,
    known: &[&str],
    faults: &mut Vec<Fault>,
) -> Result<(), Problem> {
    let validator = jsonschema::validator_for(schema).map_err(|error| {
        let message = format!("the plugin's settings schema is not usable: {error}");
        Problem::usage("config.schema", message)
    })?;
    let values = Value::Object(values.clone());
    for error in validator.iter_errors(&values) {
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                faults.extend(unexpected.iter().map(|key| Fault {
                    field: format!("/{key}"),
                    message: format!("there is no such setting; there are: {}", known.join(", ")),
                }));
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let message = "it must be set".to_owned();
                faults.push(Fault { field: format!("/{key}"), message });
            }
            _ => {
                let field = error.instance_path().to_string();
                faults.push(Fault { field, message: error.to_string() });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["url"],
            "properties": {
                "url": {"type": "string"},
                "depth": {"type": "integer"},
                "names": {"type": "array", "items": {"type": "string"}},
            },
        })
    }

    fn given(pairs: &[(&str, &str)]) -> Map<String, Value> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
    }

    #[test]
    fn text_is_read_by_the_schemas_type_and_host_keys_are_parted() {
        let given = given(&[
            ("url", "5"),
            ("depth", "5"),
            ("names", "a, b"),
            ("auto_publish", "true"),
            ("policy", "on_demand"),
        ]);
        let parted = read(Role::Importer, Some(&schema()), &given).expect("good settings");
        assert_eq!(
            Value::Object(parted.plugin),
            json!({"url": "5", "depth": 5, "names": ["a", "b"]})
        );
        assert_eq!(
            Value::Object(parted.host),
            json!({"auto_publish": true, "policy": "on_demand"})
        );
    }

    // F186
    #[test]
    fn a_secret_is_taken_by_name_only_and_never_repeated() {
        let schema = json!({
            "type": "object",
            "properties": {"password": {"type": "string", "format": "secret"}},
        });
        let map = |value: Value| Map::from_iter([("password".to_owned(), value)]);
        for good in [json!("school"), json!({"secret": "school"})] {
            let parted = read(Role::Importer, Some(&schema), &map(good)).expect("a name");
            assert_eq!(Value::Object(parted.plugin), json!({"password": "school"}));
        }
        for bad in
            [json!("hunter 2!"), json!({"secret": "hunter 2!"}), json!({"value": "hunter 2!"})]
        {
            let problem = read(Role::Importer, Some(&schema), &map(bad)).expect_err("no name");
            let told = format!("{problem:?}");
            assert!(told.contains("password") && !told.contains("hunter"), "{told}");
        }
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let given = given(&[("depth", "deep"), ("policy", "later"), ("urll", "x")]);
        let problem = read(Role::Importer, Some(&schema()), &given).expect_err("bad settings");
        assert_eq!(problem.code, "usage.settings");
        for word in ["depth", "policy", "urll", "url"] {
            assert!(problem.message.contains(word), "{word} is missing in: {}", problem.message);
        }
    }
}
