//! `plugin.json`, read. Source: `proto/schema/plugin.schema.json`.

use std::collections::BTreeMap;
use std::path::Path;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::component::Component;
use crate::error::Error;

/// The one form of the file that is known.
const MANIFEST_VERSION: u32 = 1;

/// What a plugin is and offers. Paths are relative to its folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// For editors.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// The form of the file: 1.
    #[serde(deserialize_with = "known_version")]
    pub manifest_version: u32,
    /// Unique among plugins.
    pub name: String,
    /// The plugin's own version.
    pub version: Version,
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// An SPDX licence expression.
    pub license: Option<String>,
    /// Whom a user tells about a fault.
    pub maintainer: Option<Maintainer>,
    /// The plugin's page.
    pub homepage: Option<String>,
    /// An SVG picture.
    pub icon: Option<String>,
    /// Words to find it by.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// `os` or `cloud`: the short form of plugins with one component, kept as it is.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The targets that belong to `kind`.
    #[serde(default)]
    pub targets: Vec<Value>,
    /// Which protocol it speaks.
    pub protocol: Protocol,
    /// The program by platform: `linux-amd64`, `linux-arm64`, `any`.
    pub executable: BTreeMap<String, String>,
    /// Arguments of the program.
    #[serde(default)]
    pub args: Vec<String>,
    /// Variables set for the program.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The plugin's abilities.
    pub components: Vec<Component>,
    /// Files with type definitions.
    #[serde(default)]
    pub types: Vec<String>,
    /// Numbered changes of stored data.
    #[serde(default)]
    pub migrations: Vec<Migration>,
    /// A new installation starts at the newest migration without running any.
    #[serde(default)]
    pub fast_forward: bool,
    /// Migrations up to this number are gone.
    pub removed_up_to: Option<u32>,
    /// What data older than that needs first: "version 1.4".
    pub removed_hint: Option<String>,
    /// JSON Schema of the settings of the whole plugin.
    pub settings: Option<Value>,
    /// What must be there for it to work.
    #[serde(default)]
    pub requires: Requires,
    /// What one of its processes may use at most.
    #[serde(default)]
    pub limits: ManifestLimits,
    /// Languages that it is translated to.
    #[serde(default)]
    pub messages: Vec<String>,
    /// What it was called elsewhere.
    #[serde(default)]
    pub legacy: Legacy,
}

/// Whom a user tells about a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maintainer {
    /// A person or a group.
    pub name: Option<String>,
    /// An address for mail.
    pub email: Option<String>,
    /// A page to report faults on.
    pub url: Option<String>,
}

/// Which protocol a plugin speaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    /// The application protocol versions, as in the handshake.
    pub versions: Vec<u32>,
}

/// One numbered change of stored data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migration {
    /// Its place in the order.
    pub number: u32,
    /// What it does.
    pub name: String,
    /// The type whose units it changes.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The type's version before.
    pub from: Option<u32>,
    /// The type's version after.
    pub to: Option<u32>,
}

/// What must be there for a plugin to work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Requires {
    /// Versions of the host, as a range.
    pub host: Option<String>,
    /// Programs that must be in `PATH`.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Files or folders that must exist.
    #[serde(default)]
    pub files: Vec<String>,
    /// Where the plugin itself connects to, `HOST:PORT`. Absent: not declared.
    pub network: Option<Vec<String>>,
    /// Variables of the host that the plugin needs to see.
    #[serde(default)]
    pub environment: Vec<String>,
    /// Abilities of the kernel.
    #[serde(default)]
    pub kernel_features: Vec<String>,
}

/// What one process of a plugin may use at most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ManifestLimits {
    /// Memory of the process and its children.
    pub memory_bytes: Option<u64>,
    /// Processors' worth of time.
    pub cpus: Option<f64>,
    /// Open files of one process.
    pub open_files: Option<u64>,
    /// Log lines of one job, in bytes.
    pub output_bytes: Option<u64>,
    /// Staged files of one job, in bytes.
    pub disk_bytes: Option<u64>,
}

/// What a plugin was called elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Legacy {
    /// Former names.
    #[serde(default)]
    pub names: Vec<String>,
    /// Beginnings of former component ids.
    #[serde(default)]
    pub id_prefixes: Vec<String>,
}

impl Manifest {
    /// Reads and checks a manifest's text. `file` is for messages only.
    ///
    /// The second part are warnings: fields that this host does not know, by JSON pointer.
    ///
    /// # Errors
    /// `config`: not JSON, a required field is missing or of the wrong type, an unknown `manifest_version` (each with line
    /// and column), or a value that breaks the schema's rules.
    pub fn parse(file: &Path, text: &str) -> Result<(Self, Vec<String>), Error> {
        let refuse =
            |problem: String| Error::config(format!("{}: {problem}", file.display()), None);
        let manifest: Self =
            serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
        manifest.check().map_err(refuse)?;
        let given = serde_json::from_str(text).unwrap_or_default();
        // Every known field is written, also those that were absent: what is missing here is
        // unknown.
        let known = serde_json::to_value(&manifest).unwrap_or_default();
        let mut unknown = Vec::new();
        collect_unknown(&given, &known, "", &mut unknown);
        let warn = |place: String| format!("{}: unknown field {place} is ignored", file.display());
        Ok((manifest, unknown.into_iter().map(warn).collect()))
    }

    /// The migration that brings data up to what this version knows; 0: it knows none.
    pub fn newest_migration(&self) -> u32 {
        let last = self.migrations.last().map(|migration| migration.number);
        last.or(self.removed_up_to).unwrap_or(0)
    }

    /// In the place of one that cannot be read.
    pub(super) fn unreadable(name: &str) -> Self {
        Self {
            schema: None,
            manifest_version: MANIFEST_VERSION,
            name: name.to_owned(),
            version: Version::new(0, 0, 0),
            description: String::new(),
            license: None,
            maintainer: None,
            homepage: None,
            icon: None,
            keywords: Vec::new(),
            kind: None,
            targets: Vec::new(),
            protocol: Protocol { versions: Vec::new() },
            executable: BTreeMap::new(),
            args: Vec::new(),
            env: BTreeMap::new(),
            components: Vec::new(),
            types: Vec::new(),
            migrations: Vec::new(),
            fast_forward: false,
            removed_up_to: None,
            removed_hint: None,
            settings: None,
            requires: Requires::default(),
            limits: ManifestLimits::default(),
            messages: Vec::new(),
            legacy: Legacy::default(),
        }
    }
}

fn known_version<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    match u32::deserialize(input)? {
        MANIFEST_VERSION => Ok(MANIFEST_VERSION),
        other => Err(de::Error::custom(format!(
            "manifest_version {other} is unknown, this host reads {MANIFEST_VERSION}; upgrade the host"
        ))),
    }
}

/// The depth is that of the text, which its parser bounds.
fn collect_unknown(given: &Value, known: &Value, place: &str, unknown: &mut Vec<String>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (key, value) in given {
                let place = format!("{place}/{key}");
                match known.get(key) {
                    Some(known) => collect_unknown(value, known, &place, unknown),
                    None => unknown.push(place),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (given, known)) in given.iter().zip(known).enumerate() {
                collect_unknown(given, known, &format!("{place}/{index}"), unknown);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "manifest_version": 1, "name": "file", "version": "1.2.3", "description": "d",
        "protocol": {"versions": [1]}, "executable": {"any": "wharf-plugin-file"},
        "components": [
            {"id": "importer", "role": "importer", "operations": ["sync"],
             "attachment_schema": {"type": "object", "properties": {"url": {"type": "string"}, "path": {}}}}
        ]
    }"#;

    fn changed(from: &str, to: &str) -> Result<(Manifest, Vec<String>), String> {
        assert!(GOOD.contains(from), "{from}");
        Manifest::parse(Path::new("plugin.json"), &GOOD.replace(from, to))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_good_manifest_is_read_without_a_warning() {
        let (manifest, warnings) = changed("\"d\"", "\"d\"").unwrap();
        assert_eq!((manifest.name.as_str(), warnings.len()), ("file", 0), "{warnings:?}");
        assert!(manifest.components[0].offers("sync"));
    }

    #[test]
    fn the_newest_migration_is_the_last_one_or_what_was_removed() {
        let newest = |migrations: &str| {
            let to = format!("{migrations} \"protocol\"");
            changed("\"protocol\"", &to).unwrap().0.newest_migration()
        };
        assert_eq!(newest(""), 0);
        let two = r#"{"number": 2, "name": "a"}, {"number": 7, "name": "b"}"#;
        assert_eq!(newest(&format!("\"migrations\": [{two}],")), 7);
        assert_eq!(newest(r#""removed_up_to": 4, "removed_hint": "version 1.4","#), 4);
    }

    #[test]
    fn unknown_fields_are_warnings_that_name_the_place() {
        let (_, warnings) = changed("\"role\"", "\"colour\": 1, \"role\"").unwrap();
        assert_eq!(warnings, ["plugin.json: unknown field /components/0/colour is ignored"]);
    }

    #[test]
    fn an_unknown_manifest_version_names_file_and_line() {
        let error = changed("\"manifest_version\": 1", "\n\"manifest_version\": 2").unwrap_err();
        assert!(error.starts_with("plugin.json: manifest_version 2 is unknown"), "{error}");
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn rules_of_the_schema_are_kept() {
        for (from, to, says) in [
            ("\"file\"", "\"File\"", "name"),
            ("\"id\": \"importer\"", "\"id\": \"a b\"", "id"),
            ("[\"sync\"]", "[\"publish\"]", "publish"),
            ("[\"sync\"]", "[\"list\"]", "sync, or list and fetch"),
            ("\"url\"", "\"policy\"", "policy"),
            ("\"any\": \"wharf-plugin-file\"", "\"any\": \"../x\"", "../x"),
            ("\"any\": \"wharf-plugin-file\"", "\"any\": \"/bin/sh\"", "/bin/sh"),
            ("[1]", "[2]", "protocol versions"),
            (
                "\"protocol\"",
                "\"env\": {\"PLUGIN_CLIENT_CERT\": \"x\"}, \"protocol\"",
                "PLUGIN_CLIENT_CERT",
            ),
            ("\"protocol\"", "\"types\": [\"../t.json\"], \"protocol\"", "../t.json"),
        ] {
            let error = changed(from, to).unwrap_err();
            assert!(error.contains(says), "{to}: {error}");
        }
        for (migrations, says) in [
            (r#"[{"number": 0, "name": "a"}]"#, "numbers begin with 1"),
            (
                r#"[{"number": 1, "name": "a"}, {"number": 1, "name": "b"}]"#,
                "number 1 stands twice",
            ),
            (
                r#"[{"number": 2, "name": "a"}, {"number": 1, "name": "b"}]"#,
                "number 1 stands behind 2",
            ),
            (r#"[{"number": -1, "name": "a"}]"#, "-1"),
            (r#"[{"number": 1, "name": ""}]"#, "number 1 has no name"),
            (r#"[{"number": 1, "name": "a", "to": 2}]"#, "number 1 names versions of no type"),
            (r#"[{"number": 1, "name": "a", "type": "t", "from": 2, "to": 2}]"#, "from 2 to 2"),
            (
                r#"[{"number": 3, "name": "a"}], "removed_up_to": 3, "removed_hint": "v1""#,
                "number 3 is among",
            ),
            (r#"[{"number": 3, "name": "a"}], "removed_up_to": 2"#, "removed_hint"),
        ] {
            let to = format!("\"migrations\": {migrations}, \"protocol\"");
            let error = changed("\"protocol\"", &to).unwrap_err();
            assert!(error.contains(says), "{to}: {error}");
        }
        let files: Vec<String> = (0..65).map(|number| format!("\"t{number}.json\"")).collect();
        let many = format!("\"types\": [{}], \"protocol\"", files.join(", "));
        let error = changed("\"protocol\"", &many).unwrap_err();
        assert!(error.contains("65 files, at most 64"), "{error}");
    }
}
