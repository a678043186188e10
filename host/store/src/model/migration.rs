//! Changes of stored data by a plugin's migrations.

use super::{Digest, RelativePath, TypeDefinition, TypeId, UnitId};

/// Where a plugin's stored data stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// The plugin.
    pub plugin: String,
    /// The migration that was run last; 0: the plugin was seen, and nothing was run.
    pub number: u32,
    /// The version of the plugin that did it.
    pub plugin_version: String,
    /// Milliseconds since 1970.
    pub applied_ms: i64,
}

/// A unit as a migration would have it. What is left empty stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedUnit {
    /// Which unit.
    pub unit: UnitId,
    /// Its type, which no migration changes.
    pub type_id: TypeId,
    /// A JSON object, or empty.
    pub key: String,
    /// A JSON object, or empty.
    pub attributes: String,
    /// All files of the unit, or none.
    pub files: Vec<ChangedFile>,
}

/// A file of a changed unit. It is the one that had these bytes, else the one that had this path. Bytes never change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChangedFile {
    /// Where it stands in the unit.
    pub path: RelativePath,
    /// None while nobody knows.
    pub sha256: Option<Digest>,
    /// Empty: as it was.
    pub media_type: String,
}

/// A migration all of whose changes are staged.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// Whose.
    pub plugin: String,
    /// That plugin's version.
    pub plugin_version: String,
    /// Which.
    pub number: u32,
    /// Definitions that hold from then on.
    pub types: Vec<TypeDefinition>,
}

/// What a migration changed, or would change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Units that are different now.
    pub changed: u64,
    /// Of these, those with another key.
    pub rekeyed: u64,
    /// The first of them, each with its key before and after.
    pub first: Vec<(String, String)>,
}
