//! What the outside sees of a job: the stored row, joined with what is known only while it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// The states of a job. Source: `wharf_store::model::JobState`.
pub use wharf_store::model::{Asker, JobState};

/// How many failed items and warnings a job keeps word for word; the counts go on.
pub(crate) const KEPT: usize = 100;

/// The phase in which the host itself brings files; it counts them.
pub(crate) const FETCHING: &str = "fetching";

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What goes on, in a word or two.
    pub phase: String,
    /// How many are done.
    pub done: u64,
    /// Of how many; 0 while unknown. Never less than `done`.
    pub total: u64,
    /// What is counted: "files", "units".
    pub unit: String,
    /// Bytes received so far.
    pub bytes: u64,
    /// Bytes a second, lately.
    pub rate: u64,
    /// The thing at hand.
    pub activity: String,
}

/// How one item ended, where that is worth telling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemReport {
    /// The item: a path or a key.
    pub key: String,
    /// failed or skipped.
    pub outcome: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Something the user should know; nothing was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningReport {
    /// For programs.
    pub code: String,
    /// For people.
    pub text: String,
    /// What it is about, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub item: String,
}

/// What one migration did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MigrationReport {
    /// Its number.
    pub number: u32,
    /// What it does, as the plugin's manifest says.
    pub name: String,
    /// Units that are different now.
    pub changed: u64,
    /// Of these, those with another key.
    pub rekeyed: u64,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<String>,
}

impl MigrationReport {
    /// For the job's log.
    pub(crate) fn words(&self) -> String {
        let Self { number, changed, rekeyed, .. } = self;
        format!("migration {number}: {changed} units changed, {rekeyed} of them have another key")
    }
}

/// What a job did. Counted by the host, never taken from a plugin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobResult {
    /// Units in the new version that the base version lacked; for a publish, files of the publication.
    pub added: u64,
    /// Units of the base version that the new version lacks.
    pub removed: u64,
    /// Units that took the place of another; each is also one of those added, the other one of those removed.
    pub updated: u64,
    /// Units in both.
    pub unchanged: u64,
    /// Items that could not be brought in.
    pub failed: u64,
    /// Items that the plugin left out on purpose.
    pub skipped: u64,
    /// Bytes received from upstream.
    pub bytes: u64,
    /// Requests sent upstream for files.
    pub downloads: u64,
    /// Wall time of the run.
    pub seconds: f64,
    /// How many warnings there were.
    pub warnings: u64,
    /// How many of each code. After a hundred codes further ones are counted as `other`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub warning_codes: BTreeMap<String, u64>,
    /// The repository's version after the run, or the version that was published.
    pub version: Option<u64>,
    /// Whether a version or a publication appeared.
    pub changed: bool,
    /// Nothing was stored: the job only compared.
    pub dry_run: bool,
    /// Why there was nothing to do, if the job ended because of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped_because: Option<String>,
    /// Where the publication is served, relative to the server: "/content/NAME/".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What migrations did, or would do in a dry run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<MigrationReport>,
    /// The first failed and skipped items.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemReport>,
    /// The first warnings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings_list: Vec<WarningReport>,
    /// What the files of an upload became, the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brought: Vec<BroughtUnit>,
    /// The image that a build made, or what is kept of it after a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<i64>,
    /// What the provider calls an image that was pushed, or was taken away there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Jobs that this one asked for: publications after it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub follow_ups: Vec<i64>,
    /// Secrets that the plugin was handed, and how often.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, u64>,
    /// The plugin's own words, as a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<serde_json::Value>,
    /// The process that did it, if one was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginProcess>,
}

/// What a file that a user brought became.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BroughtUnit {
    /// The file, as the user calls it.
    pub file: String,
    /// The unit's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The values of the unit's key, in the type's order.
    pub unit: String,
    /// The unit's key, less what its bytes say.
    pub key: serde_json::Map<String, serde_json::Value>,
}

/// The process that works on a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginProcess {
    /// The plugin's process id.
    pub pid: u32,
    /// From the start of the process to its handshake line, in milliseconds. None: the process was running already.
    pub handshake_ms: f64,
    /// Whether the connection is encrypted and both sides proved who they are.
    pub tls: bool,
}

/// What a job of images is about, as far as it is known before it ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// How the template is called that it builds from.
    pub name: Option<String>,
    /// The target that it builds for; none: it makes the base image.
    pub target: Option<String>,
    /// The image that it builds from, pushes, or takes away: a unit's number.
    pub image: Option<i64>,
    /// The job that makes that image first.
    pub after: Option<i64>,
}

/// A job as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// The job's number.
    pub id: i64,
    /// sync, publish, upload, build, push, migrate or what else a repository is asked for.
    pub operation: String,
    /// The repository's name.
    pub repository: Option<String>,
    /// The component that does it: `file.importer`; the plugin, if it is one for all of it.
    pub component: Option<String>,
    /// Of jobs of images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// Where it stands.
    pub state: JobState,
    /// How often it was started.
    pub attempts: u32,
    /// Milliseconds since 1970.
    pub submitted_ms: i64,
    /// Milliseconds since 1970.
    pub started_ms: Option<i64>,
    /// Milliseconds since 1970.
    pub finished_ms: Option<i64>,
    /// Grows with every change of this view while the host lives.
    pub revision: u64,
    /// While it runs.
    pub progress: Option<Progress>,
    /// When it ended.
    pub result: Option<JobResult>,
    /// Why it ended badly.
    pub problem: Option<Problem>,
    /// While it runs and after.
    pub plugin: Option<PluginProcess>,
    /// Who asked for it.
    pub asked_by: Asker,
    /// How the schedule is called that asked for it, while there is such a one.
    pub schedule_name: Option<String>,
}
