//! What runs did, looked at afterwards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Problem, Repository, Schedule};

/// A job that has ended, as the history of a repository tells it. Counted by the server. A unit that took the place of
/// another is one that was updated, and neither added nor removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// The job; its items, warnings and log are there.
    pub job: i64,
    /// `sync`, `publish`, ...
    pub operation: String,
    /// The component that did it, `PLUGIN.COMPONENT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Who asked for it: `user`, `schedule NAME` (its number when it was deleted), or `job NUMBER`.
    pub asked_by: String,
    /// When it was last begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<i64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_ms: Option<i64>,
    /// A state of a job, or `skipped` when there was nothing to do.
    pub outcome: String,
    /// The repository's version that was made, found unchanged, or published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Nothing was stored: the job only compared, and the counts tell what would have changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Units that came; of a publish, files.
    pub added: u64,
    /// Units that took the place of another.
    pub updated: u64,
    /// Units that went.
    pub removed: u64,
    /// Items that failed.
    pub failed: u64,
    /// Why there was nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_because: Option<String>,
    /// Number of warnings.
    pub warnings: u64,
    /// Figures and words of the plugin's own.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub summary: Map<String, Value>,
    /// Why it failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// One repository, with what the list leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RepositoryPage {
    /// As in the list.
    #[serde(flatten)]
    pub repository: Repository,
    /// Units of each type in the current version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub units_by_type: BTreeMap<String, u64>,
    /// The sync that ended last, however it ended; a dry run is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync: Option<Run>,
    /// The publish that ended last, however it ended; a dry run is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_publish: Option<Run>,
    /// What is to run by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
}
