//! What calls are given: `verify.json` beside the manifest, and single settings from the command line.
//!
//! ```json
//! { "components": { "importer": {
//!     "settings": { "url": "http://upstream.test/list.txt" },
//!     "upstream": { "http://upstream.test/": "verify/upstream" },
//!     "uploads": ["verify/upload/notes.txt"],
//!     "units": [{ "type": "note", "key": { "path": "n{n}.txt" }, "files": [{ "path": "n{n}.txt" }] }] } } }
//! ```
//!
//! What is said of `all` holds for every component that does not say it itself.
//!
//! Folders are relative to the manifest's. In settings `{folder}` is that folder, in units `{n}` is the unit's number
//! and `{sha256}` the digest of its first file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Map, Value};
use wharf_supervisor::{Component, Installed};

use crate::error::Error;
use crate::recipe::Recipe;

const FILE: &str = "verify.json";
/// More is no sample.
const MAX_BYTES: u64 = 1 << 20;

/// The samples of all components.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    components: BTreeMap<String, Sample>,
    none: Sample,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// What every component is given, unless it says otherwise.
    all: Map<String, Value>,
    components: BTreeMap<String, Map<String, Value>>,
}

/// What the calls of one component are given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sample {
    pub(crate) settings: Map<String, Value>,
    /// Arguments of an action, parameters of a build.
    pub(crate) arguments: Map<String, Value>,
    /// Beginnings of addresses, and the folders that hold what lies there.
    pub(crate) upstream: BTreeMap<String, PathBuf>,
    /// What `Host.GetSecret` answers, by the names that settings have.
    pub(crate) secrets: BTreeMap<String, String>,
    /// Files that a user brings.
    pub(crate) uploads: Vec<PathBuf>,
    /// What units of the repository look like.
    pub(crate) units: Vec<Template>,
    /// What a build is asked for, besides its parameters.
    pub(crate) recipe: Recipe,
    /// What hooks are told that the step is about, by the hook's name.
    pub(crate) hooks: BTreeMap<String, Map<String, Value>>,
}

/// What a unit looks like, whatever its number.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    pub(crate) r#type: String,
    pub(crate) key: Map<String, Value>,
    #[serde(default)]
    pub(crate) attributes: Map<String, Value>,
    #[serde(default)]
    pub(crate) files: Vec<TemplateFile>,
}

/// A file of such a unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateFile {
    pub(crate) path: String,
    /// Its bytes; without it a line with the unit's number.
    pub(crate) text: Option<String>,
}

/// One setting from the command line: `COMPONENT.KEY=VALUE`, the value as JSON, or else as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    component: String,
    key: String,
    value: Value,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(name, value)| {
            let (component, key) = name.split_once('.')?;
            (!component.is_empty() && !key.is_empty()).then_some((component, key, value))
        });
        let (component, key, value) =
            parts.ok_or("write it as COMPONENT.KEY=VALUE, such as importer.url=http://...")?;
        let value = serde_json::from_str(value).unwrap_or_else(|_no_json| Value::from(value));
        Ok(Self { component: component.to_owned(), key: key.to_owned(), value })
    }
}

impl Samples {
    /// # Errors
    /// [`Error::Sample`]: the file cannot be read, or either names a component that is not there.
    pub(crate) fn read(plugin: &Installed, given: &[Given]) -> Result<Self, Error> {
        let file = plugin.folder.join(FILE);
        let refuse = |reason: String| Error::Sample { place: file.display().to_string(), reason };
        let document = match fs::metadata(&file) {
            Ok(found) if found.len() > MAX_BYTES => {
                return Err(refuse("it is larger than 1 MiB".to_owned()));
            }
            Ok(_) => {
                let text = fs::read_to_string(&file).map_err(|error| refuse(error.to_string()))?;
                serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?
            }
            Err(_none) => Document::default(),
        };
        let components = &plugin.manifest.components;
        let is_there = |id: &str| components.iter().any(|component| component.id == id);
        if let Some(name) = document.components.keys().find(|name| !is_there(name)) {
            return Err(refuse(format!("the plugin has no component {name:?}")));
        }
        let mut samples =
            Self::of_document(document, components).map_err(|e| refuse(e.to_string()))?;
        for Given { component, key, value } in given {
            if !is_there(component) {
                let place = format!("--set {component}.{key}");
                let reason = format!("the plugin has no component {component:?}");
                return Err(Error::Sample { place, reason });
            }
            let sample = samples.components.entry(component.clone()).or_default();
            sample.settings.insert(key.clone(), value.clone());
        }
        for sample in samples.components.values_mut() {
            sample.settle(&plugin.folder).map_err(&refuse)?;
        }
        Ok(samples)
    }

    fn of_document(
        Document { all, mut components }: Document,
        declared: &[Component],
    ) -> Result<Self, serde_json::Error> {
        let mut samples = Self::default();
        for Component { id, .. } in declared {
            let mut given = all.clone();
            given.extend(components.remove(id).unwrap_or_default());
            samples.components.insert(id.clone(), Sample::deserialize(Value::Object(given))?);
        }
        Ok(samples)
    }

    pub(crate) fn of(&self, component: &str) -> &Sample {
        self.components.get(component).unwrap_or(&self.none)
    }
}

impl Sample {
    /// Every place as it is on this machine.
    fn settle(&mut self, folder: &Path) -> Result<(), String> {
        let here = folder.display().to_string();
        for value in self.settings.values_mut().chain(self.arguments.values_mut()) {
            fill(value, &[("{folder}", &here)]);
        }
        for place in self.upstream.values_mut().chain(&mut self.uploads) {
            *place = folder.join(&*place);
        }
        self.recipe.settle(folder)
    }

    /// What a hook is told that the step is about.
    pub(crate) fn subject_text(&self, hook: &str) -> String {
        Value::Object(self.hooks.get(hook).cloned().unwrap_or_default()).to_string()
    }

    pub(crate) fn settings_text(&self) -> String {
        Value::Object(self.settings.clone()).to_string()
    }

    pub(crate) fn arguments_text(&self) -> String {
        Value::Object(self.arguments.clone()).to_string()
    }

    /// Whether somebody thought of this component.
    pub(crate) fn is_given(&self) -> bool {
        let is_empty =
            self.settings.is_empty() && self.arguments.is_empty() && self.upstream.is_empty();
        !is_empty || self.recipe.is_given()
    }

    /// Settings and arguments that the component's schemas demand and nobody gave.
    pub(crate) fn missing(&self, component: &Component) -> Vec<String> {
        let schemas = [&component.instance_schema, &component.attachment_schema];
        let settings =
            schemas.into_iter().flatten().flat_map(|schema| lacks(schema, &self.settings));
        let arguments = component.arguments_schema.iter();
        settings.chain(arguments.flat_map(|schema| lacks(schema, &self.arguments))).collect()
    }
}

fn lacks(schema: &Value, given: &Map<String, Value>) -> Vec<String> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let required = required.iter().filter_map(Value::as_str);
    let has_default = |name: &str| !schema["properties"][name]["default"].is_null();
    required
        .filter(|name| !given.contains_key(*name) && !has_default(name))
        .map(str::to_owned)
        .collect()
}

/// Replaces words in all texts of a value.
pub(crate) fn fill(value: &mut Value, words: &[(&str, &str)]) {
    match value {
        Value::String(text) => {
            for (word, meaning) in words {
                if text.contains(word) {
                    *text = text.replace(word, meaning);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, words)),
        Value::Object(fields) => fields.values_mut().for_each(|value| fill(value, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_setting_is_json_or_else_text() {
        for (text, value) in [
            ("importer.url=http://a/?b=c", json!("http://a/?b=c")),
            ("importer.flat=true", json!(true)),
            ("importer.suites=[\"a\"]", json!(["a"])),
            ("importer.url=", json!("")),
        ] {
            assert_eq!(text.parse::<Given>().unwrap().value, value, "{text}");
        }
        for wrong in ["url=1", "importer.url", ".url=1", "importer.=1"] {
            assert!(wrong.parse::<Given>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_are_filled_in_at_any_depth() {
        let mut value = json!({ "a": ["x{n}", { "b": "{n}{n}" }], "c": 1 });
        fill(&mut value, &[("{n}", "7")]);
        assert_eq!(value, json!({ "a": ["x7", { "b": "77" }], "c": 1 }));
    }

    #[test]
    fn what_is_required_is_missed_unless_it_has_a_default() {
        let schema = json!({ "required": ["url", "name", "kind"],
            "properties": { "kind": { "default": "all" } } });
        let given = Map::from_iter([("name".to_owned(), json!("n"))]);
        assert_eq!(lacks(&schema, &given), ["url"]);
    }
}
