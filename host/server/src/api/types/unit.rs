//! Units, and how they are looked for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Which units are meant; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// Of these types; empty: of any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// With these fields.
    #[serde(rename = "where", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldWish>,
    /// With one of these numbers; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<i64>,
}

/// A field of key or attributes, and what it must be: `value` or `prefix`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldWish {
    /// The field.
    pub field: String,
    /// This value; a text also means the number or truth value that looks like it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// A text that begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// Body of `POST /api/v1/units/search`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"repository": "tools", "select": {"where": [{"field": "name", "prefix": "a"}]}, "limit": 10})))]
pub struct UnitSearch {
    /// In this repository; none: in the newest versions of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// In this version of it; none: in the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// What is looked for.
    pub select: Selection,
    /// Ordered by this field of key or attributes, as text; none: as units became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The last first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
    /// Which fields of attributes come along with the key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// At most so many, from 1 to 1,000; none: 100.
    #[schema(minimum = 1, maximum = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// What the page before ended with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Some of what a search found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UnitPage {
    /// In order.
    pub units: Vec<FoundUnit>,
    /// Hand it back as `cursor` for the next page; none: this was the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A unit that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FoundUnit {
    /// Its number.
    pub id: i64,
    /// Its type.
    #[serde(rename = "type")]
    pub type_id: String,
    /// Its natural key.
    pub key: Map<String, Value>,
    /// The attributes that were asked for.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// Who holds it in the newest version; only when all repositories were searched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
}

/// All about one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Unit {
    /// Its number.
    pub id: i64,
    /// Its type.
    #[serde(rename = "type")]
    pub type_id: String,
    /// Its natural key.
    pub key: Map<String, Value>,
    /// What else is known.
    pub attributes: Map<String, Value>,
    /// Its files.
    pub files: Vec<UnitFile>,
    /// Which versions hold it.
    pub versions: Vec<Holding>,
}

/// A file of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitFile {
    /// Where it stands in the unit.
    pub path: String,
    /// In hex digits; none while nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// In bytes; none while nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether the bytes are here.
    pub present: bool,
    /// Empty: not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Further digests, as `NAME:HEX`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<String>,
}

/// Some versions in a row that hold a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Holding {
    /// The repository.
    pub repository: String,
    /// From this version on.
    pub added_in: u64,
    /// Up to, but without, this version; none: the newest one holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_in: Option<u64>,
}
