//! What the clients of a publication are told.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What a client's machine needs to use what a repository publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientConfig {
    /// Whose publication it is: `PLUGIN.COMPONENT`, with `@INSTANCE` if it is not the only one.
    pub component: String,
    /// Where it is served.
    pub url: String,
    /// Files for the client's machine, or lines to paste.
    pub files: Vec<ClientFile>,
    /// For programs, in the plugin's own words.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

/// A file for a client's machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientFile {
    /// As the plugin names it.
    pub name: String,
    /// Empty: not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Its text.
    pub content: String,
}
