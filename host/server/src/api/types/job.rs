//! Jobs: state, progress, result and log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Brought, Problem};

/// Answer of `GET /api/v1/jobs` and of `POST .../publish`.
pub type JobList = Vec<Job>;

/// One run of one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// `sync`, `publish`, `upload`, `migrate`, ...
    pub operation: String,
    /// The repository it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The component that does it, `PLUGIN.COMPONENT[@INSTANCE]`; of a migration the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// What it is about, if it builds, pushes or takes away an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<JobSubject>,
    /// Where it stands.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: u32,
    /// When it was asked for.
    pub submitted_ms: i64,
    /// When it was last begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<i64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_ms: Option<i64>,
    /// Grows with every change of this document; hand it back as `since` to wait for the next.
    pub revision: u64,
    /// How far it is, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What came of it, once it ended; may stand beside a problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<JobResult>,
    /// Why it failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The plugin process that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<JobPlugin>,
    /// Who asked for it: `user`, `schedule NAME` (its number when it was deleted), or `job NUMBER`.
    #[serde(default)]
    pub asked_by: String,
}

/// What a job of images is about, as far as it is known before it ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobSubject {
    /// How the template is called that it builds from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The target that it builds for; without one it makes the base image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The image that it builds from, pushes, or takes away: a unit's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<i64>,
    /// The job that makes that image first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobState {
    /// It waits for its turn.
    Queued,
    /// It waits for something named: another job, a lock, a plugin.
    Blocked,
    /// It runs.
    Running,
    /// It was asked to stop and has not yet.
    Cancelling,
    /// It did all it should.
    Succeeded,
    /// It ended, but some items failed or were skipped.
    Partial,
    /// It ended with a problem.
    Failed,
    /// It was stopped on request.
    Cancelled,
    /// It never ran, because what it depended on failed.
    Skipped,
    /// The host died while it ran; it is queued again or failed at the next start.
    Interrupted,
}

impl JobState {
    /// Whether the job will not change any more.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Partial | Self::Failed | Self::Cancelled | Self::Skipped
        )
    }

    /// The word used in JSON and in the `state` filter of `GET /api/v1/jobs`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Blocked => "blocked",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }
}

/// How far a running job is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// What is being done, such as `download`.
    #[serde(default)]
    pub phase: String,
    /// Steps done in this phase.
    #[serde(default)]
    pub done: u64,
    /// Steps of this phase, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What a step is, such as `files`.
    #[serde(default)]
    pub unit: String,
    /// Bytes moved.
    #[serde(default)]
    pub bytes: u64,
    /// Bytes to move, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
    /// Bytes per second, lately.
    #[serde(default)]
    pub rate: u64,
    /// What is being handled right now, such as a file's name.
    #[serde(default)]
    pub activity: String,
}

/// What came of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobResult {
    /// Units added.
    #[serde(default)]
    pub added: u64,
    /// Units removed.
    #[serde(default)]
    pub removed: u64,
    /// Units that took the place of another; counted among the added, the other one among the removed.
    #[serde(default)]
    pub updated: u64,
    /// Units that stayed as they were.
    #[serde(default)]
    pub unchanged: u64,
    /// Items that failed.
    #[serde(default)]
    pub failed: u64,
    /// Items that were left out on purpose.
    #[serde(default)]
    pub skipped: u64,
    /// Bytes downloaded or taken over.
    #[serde(default)]
    pub bytes: u64,
    /// Files downloaded.
    #[serde(default)]
    pub downloads: u64,
    /// Running time in seconds.
    #[serde(default)]
    pub seconds: f64,
    /// Number of warnings.
    #[serde(default)]
    pub warnings: u64,
    /// Number of warnings of each code; after a hundred codes `other`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub warning_codes: BTreeMap<String, u64>,
    /// The repository's version that was made, found unchanged, or published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether anything is different now.
    #[serde(default)]
    pub changed: bool,
    /// Nothing was stored: the job only compared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Why there was nothing to do, if it ended because of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_because: Option<String>,
    /// Path or address where the result can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What migrations did, or would do in a dry run, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<MigrationReport>,
    /// The first 100 items that were not simply done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// The first 100 warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings_list: Vec<Warning>,
    /// What the first 100 files of an upload became.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brought: Vec<Brought>,
    /// The image that a build made, or what is kept of it after a push, by the number of its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<i64>,
    /// What the provider calls an image that was pushed, or was taken away there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Jobs that this one asked for: publications after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow_ups: Vec<i64>,
    /// Secrets that the plugin was handed, and how often; never their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, u64>,
    /// Figures and words of the plugin's own.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub summary: Map<String, Value>,
}

/// What one migration did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MigrationReport {
    /// Its number.
    pub number: u32,
    /// What it does, as the plugin's manifest says.
    pub name: String,
    /// Units that are different now.
    #[serde(default)]
    pub changed: u64,
    /// Of these, those with another key.
    #[serde(default)]
    pub rekeyed: u64,
    /// The first of them, one a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<String>,
}

/// What became of one item of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Item {
    /// The unit's key or the file's path, as text.
    pub key: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, when it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It is new.
    Added,
    /// It replaced an older one.
    Changed,
    /// It was here already.
    Unchanged,
    /// It is gone.
    Removed,
    /// It was left out on purpose.
    Skipped,
    /// It could not be done.
    Failed,
}

/// Something the user should know though nothing was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// Stable word for programs.
    pub code: String,
    /// One sentence for people.
    pub text: String,
    /// The item it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// The plugin process that did a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobPlugin {
    /// The process.
    pub pid: u32,
    /// Launch to first answered call, in milliseconds.
    pub handshake_ms: f64,
    /// Whether the connection to it is encrypted.
    pub tls: bool,
}

/// One page of a job's log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// The lines, by number.
    pub lines: Vec<LogLine>,
    /// Hand it back as `from` for the lines after these.
    pub next: u64,
    /// The job is over and these were its last lines.
    pub ended: bool,
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// Its number within the job.
    pub n: u64,
    /// When it was written.
    pub ms: i64,
    /// `trace`, `debug`, `info`, `warn`, `error` or `plugin`.
    pub level: String,
    /// The text, without line end.
    pub text: String,
    /// Named values beside the text.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}
