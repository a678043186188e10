//! Repositories, their versions and what is attached to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::CallbackRequest;

/// A named set of units in numbered versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Repository {
    /// Its name.
    pub name: String,
    /// The unit types it may hold; empty: any.
    #[serde(default)]
    pub types: Vec<String>,
    /// The current version; 0 is the empty one that every repository begins with.
    pub version: u64,
    /// Units in the current version.
    pub units: u64,
    /// When it was created.
    pub created_ms: i64,
    /// What users say of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How many of its newest versions are kept, besides those in use; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<u64>,
    /// What is attached.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// Body of `POST /api/v1/repositories`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "tools", "types": ["file"]})))]
pub struct CreateRepository {
    /// 1 to 128 of `A-Z a-z 0-9 . _ -`, not beginning with a dot or a dash.
    pub name: String,
    /// The unit types it may hold; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

/// One finished version of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// Its number, from 1.
    pub number: u64,
    /// When it was committed.
    pub created_ms: i64,
    /// The job that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<i64>,
    /// Units in it.
    pub units: u64,
    /// Units that it added to the one before.
    pub added: u64,
    /// Units that it removed.
    pub removed: u64,
    /// Clients see it now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub published: bool,
}

/// One page of the difference between two versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiffPage {
    /// The differences of this page.
    pub entries: Vec<DiffEntry>,
    /// Hand it back as `cursor` for the next page; none: this was the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One unit that came or went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiffEntry {
    /// Which way.
    pub change: Change,
    /// The unit's type.
    #[serde(rename = "type")]
    pub type_id: String,
    /// The unit's natural key.
    pub key: Value,
}

/// Which way a unit went between two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is in the later version only.
    Added,
    /// It is in the earlier version only.
    Removed,
}

/// A component bound to a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attachment {
    /// `PLUGIN.COMPONENT`.
    pub component: String,
    /// Which of several attachments of one component; `default` when there is one.
    pub instance: String,
    /// `importer` or `distributor`.
    pub role: String,
    /// The settings in force, without the values of secrets.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// Where a distributor's publications are served, below `/content/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its last run that ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRun>,
    /// What a distributor serves now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<PublicationInfo>,
}

/// The last run of an attachment that ended well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastRun {
    /// When it ended.
    pub finished_ms: i64,
    /// The repository's version that it made or served.
    pub version: u64,
    /// `succeeded` or `partial`.
    pub outcome: String,
}

/// A publication that is being served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicationInfo {
    /// Its number.
    pub id: i64,
    /// The repository's version that it shows.
    pub version: u64,
}

/// Body of `PUT /api/v1/repositories/NAME/attachments/COMPONENT[@INSTANCE]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"settings": {"url": "file:///srv/tools/PULP_MANIFEST"}})))]
pub struct PutAttachment {
    /// Settings by name. A text is read by the type that the component's schema gives the
    /// setting, so `"8"` is fine for a number; other JSON values are taken as they are.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// Body of `POST /api/v1/repositories/NAME/sync`; an empty body means the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"full": true})))]
pub struct SyncRequest {
    /// Look at everything again, even what the source says is unchanged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// Say what would change and change nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Settings for this run only, as in [`PutAttachment`]; null takes the repository's value away.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Who is told how it goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<CallbackRequest>,
}

/// Body of `POST /api/v1/repositories/NAME/publish`; an empty body means the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"through": "file.distributor"})))]
pub struct PublishRequest {
    /// The version to publish; none: the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Publish even when this version is being served already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// One distributor only, `PLUGIN.COMPONENT[@INSTANCE]`; none: each one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Settings for this run only, as in [`PutAttachment`]; null takes the repository's value away.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Folders only: tell what would be done, and do nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Folders only: what becomes of files that were changed on both sides, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolve: BTreeMap<String, Resolution>,
    /// Who is told how the jobs go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<CallbackRequest>,
}

/// Which of two versions of a file counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    /// The one in the folder.
    Local,
    /// The one of the repository.
    Remote,
    /// The one in the folder stays, the repository's is laid beside it.
    Both,
}
