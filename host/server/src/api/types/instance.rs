//! Named instances, and what plugins say of settings.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A component with settings and a name, to be bound to repositories as `PLUGIN.COMPONENT@NAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// The component: `PLUGIN.COMPONENT`.
    pub component: String,
    /// Its settings. Secrets stand in them by name.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// When it was made.
    pub created_ms: i64,
    /// When its settings were last changed.
    pub changed_ms: i64,
    /// Repositories that it is bound to.
    #[serde(default)]
    pub used_by: Vec<String>,
}

/// Body of `POST /api/v1/instances`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "school", "component": "smb.importer", "settings": {"password": "school"}})))]
pub struct CreateInstance {
    /// 1 to 64 of `A-Z a-z 0-9 . _ -`, not beginning with a dot or a dash, and not `default`.
    pub name: String,
    /// The component: `PLUGIN.COMPONENT`.
    pub component: String,
    /// As the component's `instance_schema` describes them. A secret is named, as `"NAME"` or `{"secret": "NAME"}`.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// Body of `PATCH /api/v1/instances/NAME`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeInstance {
    /// The settings that are to be different; null takes one away.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// What a plugin says of settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckReport {
    /// Whose settings they are: `PLUGIN.COMPONENT@NAME`, with the repository if they are bound to one.
    pub of: String,
    /// What is wrong; empty: the settings are good.
    #[serde(default)]
    pub errors: Vec<SettingProblem>,
    /// What deserves a look.
    #[serde(default)]
    pub warnings: Vec<SettingProblem>,
}

/// Something about one setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingProblem {
    /// The setting; empty: all of them.
    #[serde(default)]
    pub setting: String,
    /// What is to be said of it.
    pub message: String,
}
