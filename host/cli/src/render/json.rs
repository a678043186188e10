//! Objects for programs. Their fields are an interface: they are added to, never renamed.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::{
    Attachment, Brought, Item, Job, JobPlugin, JobState, JobSubject, MigrationReport, Problem,
    Repository, Warning,
};

/// A job on one level: what scripts ask for first, then the rest.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct JobLine {
    job: i64,
    state: JobState,
    operation: String,
    repository: Option<String>,
    component: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<JobSubject>,
    added: u64,
    removed: u64,
    updated: u64,
    unchanged: u64,
    failed: u64,
    skipped: u64,
    bytes: u64,
    downloads: u64,
    seconds: f64,
    warnings: u64,
    warning_codes: BTreeMap<String, u64>,
    version: Option<u64>,
    changed: bool,
    dry_run: bool,
    skipped_because: Option<String>,
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    attempts: u32,
    submitted_ms: i64,
    started_ms: Option<i64>,
    finished_ms: Option<i64>,
    plugin: Option<JobPlugin>,
    asked_by: String,
    problem: Option<Problem>,
    migrations: Vec<MigrationReport>,
    items: Vec<Item>,
    warnings_list: Vec<Warning>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<String, u64>,
    summary: Map<String, Value>,
}

impl From<&Job> for JobLine {
    fn from(job: &Job) -> Self {
        let job = job.clone();
        let result = job.result.unwrap_or_default();
        Self {
            job: job.id,
            state: job.state,
            operation: job.operation,
            repository: job.repository,
            component: job.component,
            subject: job.subject,
            added: result.added,
            removed: result.removed,
            updated: result.updated,
            unchanged: result.unchanged,
            failed: result.failed,
            skipped: result.skipped,
            bytes: result.bytes,
            downloads: result.downloads,
            seconds: result.seconds,
            warnings: result.warnings,
            warning_codes: result.warning_codes,
            version: result.version,
            changed: result.changed,
            dry_run: result.dry_run,
            skipped_because: result.skipped_because,
            url: result.url,
            unit: result.unit,
            identifier: result.identifier,
            attempts: job.attempts,
            submitted_ms: job.submitted_ms,
            started_ms: job.started_ms,
            finished_ms: job.finished_ms,
            plugin: job.plugin,
            asked_by: job.asked_by,
            problem: job.problem,
            migrations: result.migrations,
            items: result.items,
            warnings_list: result.warnings_list,
            secrets: result.secrets,
            summary: result.summary,
        }
    }
}

/// Several jobs of one command: the fields of the one that ended worst, and all of them.
#[derive(Debug, Serialize)]
pub(crate) struct JobLines {
    #[serde(flatten)]
    worst: Option<JobLine>,
    jobs: Vec<JobLine>,
}

impl JobLines {
    /// Of these jobs; `worst` is one of them.
    pub(crate) fn new(worst: Option<&Job>, jobs: &[Job]) -> Self {
        Self { worst: worst.map(JobLine::from), jobs: jobs.iter().map(JobLine::from).collect() }
    }
}

/// A build: its jobs, and the base image that its targets are made of where none of them makes it.
#[derive(Debug, Serialize)]
pub(crate) struct BuildLine {
    #[serde(flatten)]
    lines: JobLines,
    base: Option<i64>,
}

impl BuildLine {
    /// Of these jobs; `worst` is one of them.
    pub(crate) fn new(base: Option<i64>, worst: Option<&Job>, jobs: &[Job]) -> Self {
        Self { lines: JobLines::new(worst, jobs), base }
    }
}

/// A command that went wrong before or beside any job.
#[derive(Debug, Serialize)]
pub(crate) struct Failure<'a> {
    /// Why.
    pub(crate) problem: &'a Problem,
    /// The exit status that follows.
    pub(crate) exit: u8,
}

/// An upload: the fields of its job, and what was made of it.
#[derive(Debug, Serialize)]
pub(crate) struct UploadLine {
    /// The upload, its state replaced by the worst of all jobs.
    #[serde(flatten)]
    upload: JobLine,
    brought: Vec<Brought>,
    published: Vec<JobLine>,
}

impl UploadLine {
    /// Of an upload and the publications after it.
    pub(crate) fn new(upload: &Job, published: &[Job], worst: &Job) -> Self {
        let mut line = JobLine::from(upload);
        line.state = worst.state;
        line.problem.clone_from(&worst.problem);
        let result = published.iter().find_map(|job| job.result.as_ref());
        line.url = result.and_then(|result| result.url.clone());
        let brought = upload.result.iter().flat_map(|result| result.brought.clone());
        Self {
            upload: line,
            brought: brought.collect(),
            published: published.iter().map(JobLine::from).collect(),
        }
    }
}

/// A mirror: the fields of its sync, and what else was done.
#[derive(Debug, Serialize)]
pub(crate) struct MirrorLine {
    /// The sync, its state replaced by the worst of all jobs.
    #[serde(flatten)]
    sync: JobLine,
    mirror: String,
    from: String,
    created: bool,
    published: Vec<JobLine>,
}

impl MirrorLine {
    /// Of a sync and the publications after it.
    pub(crate) fn new(
        sync: &Job,
        published: &[Job],
        worst: &Job,
        mirror: (&Repository, bool),
        importer: &Attachment,
    ) -> Self {
        let mut line = JobLine::from(sync);
        line.state = worst.state;
        line.problem.clone_from(&worst.problem);
        let result = published.iter().find_map(|job| job.result.as_ref());
        line.url = result.and_then(|result| result.url.clone());
        let setting = |name: &str| importer.settings.get(name).and_then(Value::as_str);
        let from = setting("url").or_else(|| setting("path")).unwrap_or_default();
        Self {
            sync: line,
            mirror: mirror.0.name.clone(),
            from: from.to_owned(),
            created: mirror.1,
            published: published.iter().map(JobLine::from).collect(),
        }
    }
}
