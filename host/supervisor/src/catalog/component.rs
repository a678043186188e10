//! One component of a manifest.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a component is for. Decides which calls exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Brings content in.
    Importer,
    /// Gives content out.
    Distributor,
    /// Makes content from a recipe.
    Builder,
    /// Does something on request.
    Action,
}

impl Role {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Importer => "importer",
            Self::Distributor => "distributor",
            Self::Builder => "builder",
            Self::Action => "action",
        }
    }

    /// What a component of this role may offer: calls, and `sign`, which says that it uses the host's key.
    pub(super) fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Importer => &["sync", "list", "fetch", "upload", "resolve"],
            Self::Distributor => &["publish", "unpublish", "sign"],
            Self::Builder => &["build"],
            Self::Action => &["run"],
        }
    }

    /// The settings of an attachment that belong to the host.
    pub(super) fn reserved_settings(self) -> &'static [&'static str] {
        match self {
            Self::Importer => &[
                "policy",
                "mode",
                "on_file_error",
                "concurrency",
                "rate",
                "auto_publish",
                "allow_hosts",
                "allow_weak_digests",
                "ignore",
            ],
            Self::Distributor => &["path", "signing_key", "after"],
            Self::Builder | Self::Action => &[],
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One ability of a plugin. Absent fields have the defaults of the manifest's schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Unique within the plugin; its address is `PLUGIN.ID`.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// A convention inside the role: `content`, `tree`, `os`, `notify`.
    #[serde(default)]
    pub profile: String,
    /// A name for people. Empty: the id.
    #[serde(default)]
    pub name: String,
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// An SVG picture, relative to the plugin's folder.
    pub icon: Option<String>,
    /// A heading to list it under.
    pub category: Option<String>,
    /// Its place under the heading.
    #[serde(default)]
    pub order: i64,
    /// An action that needs no context.
    #[serde(default)]
    pub standalone: bool,
    /// The calls that it answers: `sync`, `list`, `fetch`, `upload`, `resolve`, `publish`,
    /// `unpublish`, `build`, `run`.
    pub operations: Vec<String>,
    /// What it builds for or pushes to: a name, or name, version and architecture with null for
    /// any.
    #[serde(default)]
    pub targets: Vec<Value>,
    /// Decides between components that match a target equally well.
    #[serde(default)]
    pub target_priority: i64,
    /// What an action can be asked for.
    #[serde(default)]
    pub contexts: Vec<Context>,
    /// Rights that its user must have.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// JSON Schema of an instance's settings.
    pub instance_schema: Option<Value>,
    /// JSON Schema of an attachment's settings.
    pub attachment_schema: Option<Value>,
    /// JSON Schema of one run's arguments.
    pub arguments_schema: Option<Value>,
    /// JSON Schema of a result's outputs.
    pub result_schema: Option<Value>,
    /// `default`, `named` or `both`: which instances there can be. Absent: both.
    pub instances: Option<String>,
    /// Jobs that one process takes at a time. Absent: one.
    pub concurrency: Option<u32>,
    /// Its jobs may run beside those of the plugin's other components.
    #[serde(default)]
    pub shared_process: bool,
    /// Types of units that it brings in or takes.
    #[serde(default)]
    pub content_types: Vec<String>,
    /// Types of units that it makes.
    #[serde(default)]
    pub produces: Vec<String>,
    /// Steps of other components' runs that call it.
    #[serde(default)]
    pub hooks: Vec<Hook>,
    /// The queue that its jobs wait in.
    pub queue: Option<String>,
    /// The share of the host's capacity (100) that one job takes.
    pub weight: Option<u32>,
    /// Of its jobs in the queue.
    #[serde(default)]
    pub priority: i32,
    /// Milliseconds after which a job is cancelled.
    pub timeout_ms: Option<u64>,
    /// Milliseconds that a cancelled job has to end by itself.
    pub grace_ms: Option<u64>,
    /// A text with `{argument}` holes; equal keys are not run at the same time.
    pub duplicate_key: Option<String>,
    /// `none`, `dry` or `live`: what a test run does. Absent: none.
    pub test_mode: Option<String>,
}

impl Component {
    /// Whether it answers this call.
    pub fn offers(&self, operation: &str) -> bool {
        self.operations.iter().any(|offered| offered == operation)
    }
}

/// What an action can be asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The type of the units.
    #[serde(rename = "type")]
    pub kind: String,
    /// `one` or `many`. Absent: one.
    pub cardinality: Option<String>,
    /// The argument that the units fill.
    pub argument: Option<String>,
}

/// A step that calls the component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    /// `before:STEP` or `after:STEP`.
    pub on: String,
    /// Lower is called first.
    #[serde(default)]
    pub order: i64,
    /// Only steps where all of it is equal.
    pub filter: Option<HookFilter>,
}

/// Which steps a hook is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookFilter {
    /// Name of the target.
    pub target: Option<String>,
    /// Type of the unit.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Stage of the build.
    pub stage: Option<String>,
}
