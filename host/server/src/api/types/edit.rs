//! What is asked of a repository beside syncs and publishes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Selection;

/// Body of `PATCH /api/v1/repositories/NAME`. What is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"labels": {"stage": "test", "team": null}, "retain": 5})))]
pub struct ChangeRepository {
    /// Labels to set; null takes one away.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Option<String>>,
    /// How many of the newest versions are kept, besides those in use; 0 means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain: Option<u64>,
}

/// Body of `POST /api/v1/repositories/NAME/remove`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"select": {"types": ["file"], "where": [{"field": "name", "prefix": "old-"}]}})))]
pub struct RemoveRequest {
    /// Which units of the newest version; something must be said.
    pub select: Selection,
    /// Count only; store nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Body of `POST /api/v1/repositories/NAME/copy`: into the repository of the address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"from": "tools", "select": {"types": ["file"]}, "dry_run": true})))]
pub struct CopyRequest {
    /// The repository to copy from.
    pub from: String,
    /// Its version; none: the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Which of its units; nothing said: all.
    pub select: Selection,
    /// And what they depend on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub with_dependencies: bool,
    /// Count only; store nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Body of `POST /api/v1/gc`; an empty body means the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"protect_ms": 3_600_000, "dry_run": true})))]
pub struct GcRequest {
    /// Bytes that came so lately stay, in milliseconds; none: a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protect_ms: Option<u64>,
    /// Count only; take nothing away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Body of `POST /api/v1/verify`; an empty body means the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"repository": "tools"})))]
pub struct VerifyRequest {
    /// The bytes of this repository; none: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Fetch again what is broken.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repair: bool,
}

/// Body of `POST /api/v1/repositories/NAME/rollback`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"to": 1})))]
pub struct RollbackRequest {
    /// The version whose units the new version is to hold.
    pub to: u64,
}
