//! What is installed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// One installed plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plugin {
    /// Its name, unique among the active ones.
    pub name: String,
    /// Its version, as its manifest says.
    pub version: String,
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// `stopped`, `starting`, `running`, `backing-off`, `crash-loop`, `behind` or `broken`.
    /// Processes are started when they are needed: stopped is as good as running. Behind: its data
    /// need migrations first.
    pub state: String,
    /// Why it is not ready, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What happened when it failed last, when it is ready again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    /// How often it failed in a row up to now; 0 once it works.
    #[serde(default)]
    pub failures: u32,
    /// How many milliseconds it is left alone from now, when it is backing off or in a crash loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u64>,
    /// How many processes were started in place of one that failed.
    #[serde(default)]
    pub restarts: u32,
    /// How many processes were stopped because nobody used them.
    #[serde(default)]
    pub idle_stops: u32,
    /// How many processes were replaced between two jobs because they had done their share.
    #[serde(default)]
    pub recycles: u32,
    /// Its processes that run now.
    #[serde(default)]
    pub pids: Vec<u32>,
    /// What it can do.
    #[serde(default)]
    pub components: Vec<Component>,
    /// Migrations that its data need before it is ready, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending_migrations: Vec<PendingMigration>,
    /// The folder it was found in.
    pub origin: String,
    /// The file that describes it: `plugin.json`, or Image Factory's `NAME.info`.
    #[serde(default)]
    pub file: String,
    /// The link that activated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What is started. Empty: that is not known.
    #[serde(default)]
    pub program: String,
    /// The program is an interpreter, which runs the plugin by `wharf.compat.imagefactory` of the SDK for Python.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interpreted: bool,
    /// Whom to tell about a fault: name, address for mail, page, as far as they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintainer: Vec<String>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// What its author should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A migration that was not run yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingMigration {
    /// Its number.
    pub number: u32,
    /// What it does.
    pub name: String,
}

/// Body of `POST /api/v1/plugins/NAME/migrate`; an empty body means the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"dry_run": true})))]
pub struct MigrateRequest {
    /// Say what the next migration would change and change nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// One named ability of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// Its name within the plugin; the address is `PLUGIN.ID`.
    pub id: String,
    /// `importer`, `distributor`, `builder` or `action`.
    pub role: String,
    /// The convention within the role, such as `content` or `tree`.
    #[serde(default)]
    pub profile: String,
    /// The calls it offers.
    #[serde(default)]
    pub operations: Vec<String>,
    /// The unit types it reads or makes.
    #[serde(default)]
    pub types: Vec<String>,
    /// What it builds for or pushes to: a name, or name, version and architecture; `*` stands for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

/// One type of unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TypeInfo {
    /// Its id, unique in the house.
    pub id: String,
    /// Its name for people.
    #[serde(default)]
    pub display_name: String,
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// The fields of its natural key, in order.
    #[serde(default)]
    pub unit_key: Vec<String>,
    /// Those of them that the host fills with the sha256 of a unit's first file.
    #[serde(default)]
    pub from_artifact: Vec<String>,
    /// The fields that at most one unit of a repository may share: a new unit takes the place of the one that is
    /// there. Empty: units stand side by side.
    #[serde(default)]
    pub repo_key: Vec<String>,
    /// Its declared search indexes, each a list of fields.
    #[serde(default)]
    pub search_indexes: Vec<Vec<String>>,
    /// Types that its units refer to.
    #[serde(default)]
    pub referenced_types: Vec<String>,
    /// The version of the definition.
    #[serde(default)]
    pub version: u64,
    /// JSON Schema of its attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Value>,
    /// The plugin that registered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// That plugin's version, when the definition changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_version: Option<String>,
    /// Whether an installed plugin defines it. If none does, it is kept with its units.
    #[serde(default)]
    pub defined: bool,
    /// The components that bring it in or take it, as `PLUGIN.COMPONENT`.
    #[serde(default)]
    pub components: Vec<String>,
}
