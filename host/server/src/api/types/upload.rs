//! What users bring, and who may bring it from outside.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A file that is being brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Upload {
    /// Its number.
    pub id: i64,
    /// The repository that it is for.
    pub repository: String,
    /// The file's name.
    pub name: String,
    /// Its size, as announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its SHA-256 in hex digits, as announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Bytes that are safely here: the next piece begins there.
    pub received: u64,
    /// When it was begun.
    pub created_ms: i64,
    /// When it is forgotten, unless more comes.
    pub expires_ms: i64,
}

/// Body of `POST /api/v1/repositories/NAME/uploads`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "a.txt", "size": 6})))]
pub struct CreateUpload {
    /// The file's name; a relative path.
    pub name: String,
    /// Its size; more will not be taken, and less not be imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its SHA-256 in hex digits; other bytes will not be imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The importer that is to take it; none: whichever of the repository takes uploads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The type of units that it is to become; empty: the importer finds out.
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// Body of `POST /api/v1/repositories/NAME/import`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"uploads": [{"id": 1}], "type": "file"})))]
pub struct ImportRequest {
    /// The uploads that become units, together in one version.
    pub uploads: Vec<ImportUpload>,
    /// The importer; none: whichever of the repository takes uploads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The type of the units; empty: the importer finds out.
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Fields of the key that the importer cannot know.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub key: Map<String, Value>,
    /// What else the importer is told.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
}

/// An upload to be imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportUpload {
    /// Its number.
    pub id: i64,
    /// Another name than it was begun with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a file of an upload became.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Brought {
    /// The file's name.
    pub file: String,
    /// The unit's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The values of the unit's key, in the type's order, for people.
    #[serde(default)]
    pub unit: String,
    /// The unit's key, less what the bytes say.
    pub key: Map<String, Value>,
}

/// The right to upload from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// The repositories that it is good for.
    pub upload: Vec<String>,
    /// When it was made.
    pub created_ms: i64,
    /// The secret: told once, by the answer to `POST /api/v1/tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Body of `POST /api/v1/tokens`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "builds", "upload": ["tools"]})))]
pub struct CreateToken {
    /// Its name.
    pub name: String,
    /// The repositories that may be uploaded to.
    pub upload: Vec<String>,
}
