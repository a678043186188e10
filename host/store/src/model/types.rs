//! Definitions of types.

use serde::{Deserialize, Serialize};

use super::TypeId;

/// What units of a type look like. Source: the type definitions of Pulp 2, with additions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TypeDefinition {
    /// Its name: letters, digits, `_` and `-`.
    pub id: String,
    /// For people.
    pub display_name: String,
    /// For people.
    pub description: String,
    /// The fields that together tell a unit from all others of the type, in this order.
    pub unit_key: Vec<KeyField>,
    /// Fields, alone or together, that units are searched by.
    #[serde(default)]
    pub search_indexes: Vec<Vec<String>>,
    /// Types whose units this type's units may be linked to.
    #[serde(default)]
    pub referenced_types: Vec<String>,
    /// Grows when the definition changes; from 1 on.
    pub version: u64,
    /// The fields that name a unit's place in a repository: a new unit replaces the one in its place. Empty: no unit
    /// ever replaces another.
    #[serde(default)]
    pub repo_key: Vec<String>,
    /// A JSON Schema for attributes.
    #[serde(default)]
    pub attributes: Option<serde_json::Value>,
}

/// A type that is stored. It stays when no plugin defines it any more, as its units do.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredType {
    /// Its number.
    pub id: TypeId,
    /// Who defines it.
    pub plugin: String,
    /// The plugin's version that changed it last.
    pub plugin_version: String,
    /// What it looks like.
    pub definition: TypeDefinition,
}

/// A field of a unit's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyField {
    /// Its name.
    pub name: String,
    /// The host fills it with the sha256 of the unit's first file, as 64 hex digits.
    #[serde(default)]
    pub from_artifact: bool,
}

impl TypeDefinition {
    /// The fields of its indexes: those declared, and the key's, by which units are found from its first field on. A
    /// declared one that begins like the key serves for that as well.
    pub fn indexes(&self) -> Vec<Vec<&str>> {
        let declared = self.search_indexes.iter();
        let mut indexes: Vec<Vec<&str>> =
            declared.map(|index| index.iter().map(String::as_str).collect()).collect();
        let key: Vec<&str> = self.unit_key.iter().map(|field| field.name.as_str()).collect();
        if indexes.iter().all(|index| index.first() != key.first()) {
            indexes.push(key);
        }
        indexes
    }

    /// Whether a field is one of the key.
    pub fn is_key_field(&self, name: &str) -> bool {
        self.unit_key.iter().any(|field| field.name == name)
    }
}
