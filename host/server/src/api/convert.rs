//! From the engine's and the store's types to those of the API, and back.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};
use wharf_engine as engine;
use wharf_store::model;

use super::types::{
    Attachment, Brought, Change, Class, Component, DiffEntry, DiffPage, ImportRequest, Item, Job,
    JobPlugin, JobResult, JobState, JobSubject, LastRun, LogLine, MigrateRequest, MigrationReport,
    Outcome, PendingMigration, Plugin, Problem, Progress, PublicationInfo, PublishRequest,
    Repository, Resolution, SyncRequest, Token, TypeInfo, Upload, Version, Warning,
};
use super::{Failure, callbacks};

impl From<engine::Problem> for Problem {
    fn from(problem: engine::Problem) -> Self {
        let engine::Problem { class, code, message, at, help, details, .. } = problem;
        let details = details.map(|details| *details);
        Self { class: class.into(), code, message, at, help, details }
    }
}

impl From<engine::Class> for Class {
    fn from(class: engine::Class) -> Self {
        match class {
            engine::Class::Usage => Self::Usage,
            engine::Class::Operation => Self::Operation,
            engine::Class::Cancelled => Self::Cancelled,
            _ => Self::Fault,
        }
    }
}

impl From<engine::PluginView> for Plugin {
    fn from(plugin: engine::PluginView) -> Self {
        let engine::PluginView {
            name,
            version,
            description,
            state,
            reason,
            last_failure,
            failures,
            retry_in,
            restarts,
            idle_stops,
            recycles,
            pids,
            components,
            pending_migrations,
            origin,
            file,
            link,
            program,
            interpreted,
            maintainer,
            license,
            warnings,
        } = plugin;
        let milliseconds = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            name,
            version,
            description,
            state,
            reason,
            last_failure,
            failures,
            retry_in_ms: retry_in.map(milliseconds),
            restarts,
            idle_stops,
            recycles,
            pids,
            components: components.into_iter().map(Component::from).collect(),
            pending_migrations: pending_migrations
                .into_iter()
                .map(|engine::PendingMigration { number, name }| PendingMigration { number, name })
                .collect(),
            origin,
            file,
            link,
            program,
            interpreted,
            maintainer,
            license,
            warnings,
        }
    }
}

impl From<engine::ComponentView> for Component {
    fn from(component: engine::ComponentView) -> Self {
        let engine::ComponentView { id, role, profile, operations, types, targets } = component;
        Self { id, role, profile, operations, types, targets }
    }
}

impl From<engine::RepositoryView> for Repository {
    fn from(view: engine::RepositoryView) -> Self {
        let engine::RepositoryView { repository, attachments } = view;
        Self {
            name: repository.name.to_string(),
            types: repository.types,
            version: repository.current_version,
            units: repository.units,
            created_ms: repository.created_ms,
            labels: repository.labels,
            retain: repository.retain,
            attachments: attachments.into_iter().map(Attachment::from).collect(),
        }
    }
}

impl From<engine::AttachmentView> for Attachment {
    fn from(view: engine::AttachmentView) -> Self {
        let attachment = view.attachment;
        let served = attachment.last.as_ref().map_or(0, |last| last.version);
        Self {
            component: attachment.component,
            instance: attachment.instance,
            role: attachment.role,
            settings: object(attachment.settings),
            path: attachment.path,
            last: attachment.last.map(LastRun::from),
            publication: attachment
                .publication
                .map(|id| PublicationInfo { id: id.0, version: served }),
        }
    }
}

impl From<model::LastRun> for LastRun {
    fn from(last: model::LastRun) -> Self {
        let model::LastRun { finished_ms, version, outcome, .. } = last;
        Self { finished_ms, version, outcome }
    }
}

impl From<engine::VersionView> for Version {
    fn from(view: engine::VersionView) -> Self {
        let engine::VersionView { version, published } = view;
        let model::Version { number, created_ms, job, units, added, removed, .. } = version;
        Self { number, created_ms, job: job.map(|job| job.0), units, added, removed, published }
    }
}

/// One page of differences, and where the next one begins.
pub(super) fn diff_page(entries: Vec<model::DiffEntry>, cursor: Option<String>) -> DiffPage {
    DiffPage { entries: entries.into_iter().map(DiffEntry::from).collect(), cursor }
}

impl From<model::DiffEntry> for DiffEntry {
    fn from(entry: model::DiffEntry) -> Self {
        Self {
            change: if entry.added { Change::Added } else { Change::Removed },
            type_id: entry.type_name,
            // The store wrote it as JSON; should it not be, it is shown as it is.
            key: serde_json::from_str(&entry.key).unwrap_or(Value::String(entry.key)),
        }
    }
}

impl From<model::TypeDefinition> for TypeInfo {
    fn from(definition: model::TypeDefinition) -> Self {
        let filled = definition.unit_key.iter().filter(|field| field.from_artifact);
        Self {
            from_artifact: filled.map(|field| field.name.clone()).collect(),
            id: definition.id,
            display_name: definition.display_name,
            description: definition.description,
            unit_key: definition.unit_key.into_iter().map(|field| field.name).collect(),
            repo_key: definition.repo_key,
            search_indexes: definition.search_indexes,
            referenced_types: definition.referenced_types,
            version: definition.version,
            attributes: definition.attributes,
            ..Self::default()
        }
    }
}

impl From<engine::TypeView> for TypeInfo {
    fn from(view: engine::TypeView) -> Self {
        let engine::TypeView { definition, plugin, plugin_version, defined, components } = view;
        Self {
            plugin: Some(plugin),
            plugin_version: Some(plugin_version),
            defined,
            components,
            ..Self::from(definition)
        }
    }
}

impl From<model::LogLine> for LogLine {
    fn from(line: model::LogLine) -> Self {
        let model::LogLine { n, ms, level, text, fields } = line;
        let fields = fields.into_iter().map(|(name, value)| (name, Value::String(value)));
        Self { n, ms, level: word(level), text, fields: fields.collect() }
    }
}

impl From<SyncRequest> for engine::SyncOptions {
    fn from(wanted: SyncRequest) -> Self {
        let SyncRequest { full, dry_run, settings, callbacks } = wanted;
        Self { full, dry_run, settings, callbacks: callbacks::wanted(callbacks) }
    }
}

impl From<PublishRequest> for engine::PublishOptions {
    fn from(wanted: PublishRequest) -> Self {
        let PublishRequest { version, full, through, settings, dry_run, resolve, callbacks } =
            wanted;
        let callbacks = callbacks::wanted(callbacks);
        let resolve = resolve.into_iter().map(|(path, which)| (path, which.into())).collect();
        Self { version, full, dry_run, resolve, through, settings, callbacks }
    }
}

impl From<Resolution> for engine::Resolution {
    fn from(resolution: Resolution) -> Self {
        match resolution {
            Resolution::Local => Self::Local,
            Resolution::Remote => Self::Remote,
            Resolution::Both => Self::Both,
        }
    }
}

impl From<MigrateRequest> for engine::MigrateOptions {
    fn from(wanted: MigrateRequest) -> Self {
        let MigrateRequest { dry_run } = wanted;
        Self { dry_run }
    }
}

impl From<engine::MigrationReport> for MigrationReport {
    fn from(report: engine::MigrationReport) -> Self {
        let engine::MigrationReport { number, name, changed, rekeyed, first } = report;
        Self { number, name, changed, rekeyed, first }
    }
}

impl From<engine::JobView> for Job {
    fn from(view: engine::JobView) -> Self {
        Self {
            id: view.id,
            operation: view.operation,
            repository: view.repository,
            component: view.component,
            subject: view.subject.map(JobSubject::from),
            state: view.state.into(),
            attempts: view.attempts,
            submitted_ms: view.submitted_ms,
            started_ms: view.started_ms,
            finished_ms: view.finished_ms,
            revision: view.revision,
            progress: view.progress.map(Progress::from),
            result: view.result.map(JobResult::from),
            problem: view.problem.map(Problem::from),
            plugin: view.plugin.map(JobPlugin::from),
            asked_by: asker(view.asked_by, view.schedule_name),
        }
    }
}

impl From<engine::Subject> for JobSubject {
    fn from(subject: engine::Subject) -> Self {
        let engine::Subject { name, target, image, after } = subject;
        Self { name, target, image, after }
    }
}

/// Who asked for a job, in a word or two.
/// A schedule by its name, or by its number when it was deleted.
fn asker(asker: engine::Asker, schedule: Option<String>) -> String {
    match asker {
        engine::Asker::User => "user".to_owned(),
        engine::Asker::Schedule(id) => {
            format!("schedule {}", schedule.unwrap_or_else(|| id.to_string()))
        }
        engine::Asker::Job(id) => format!("job {id}"),
    }
}

impl From<model::JobState> for JobState {
    fn from(state: model::JobState) -> Self {
        match state {
            model::JobState::Queued => Self::Queued,
            model::JobState::Blocked => Self::Blocked,
            model::JobState::Running => Self::Running,
            model::JobState::Cancelling => Self::Cancelling,
            model::JobState::Succeeded => Self::Succeeded,
            model::JobState::Partial => Self::Partial,
            model::JobState::Failed => Self::Failed,
            model::JobState::Cancelled => Self::Cancelled,
            model::JobState::Skipped => Self::Skipped,
            _ => Self::Interrupted,
        }
    }
}

impl From<engine::Progress> for Progress {
    fn from(progress: engine::Progress) -> Self {
        let engine::Progress { phase, done, total, unit, bytes, rate, activity } = progress;
        let total = (total > 0).then_some(total);
        Self { phase, done, total, unit, bytes, bytes_total: None, rate, activity }
    }
}

impl From<engine::JobResult> for JobResult {
    fn from(result: engine::JobResult) -> Self {
        Self {
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
            migrations: result.migrations.into_iter().map(MigrationReport::from).collect(),
            items: result.items.into_iter().map(Item::from).collect(),
            warnings_list: result.warnings_list.into_iter().map(Warning::from).collect(),
            brought: result.brought.into_iter().map(Brought::from).collect(),
            secrets: result.secrets,
            unit: result.unit,
            identifier: result.identifier,
            follow_ups: result.follow_ups,
            summary: result.summary.map(object).unwrap_or_default(),
        }
    }
}

impl From<engine::BroughtUnit> for Brought {
    fn from(unit: engine::BroughtUnit) -> Self {
        let engine::BroughtUnit { file, kind, unit, key } = unit;
        Self { file, kind, unit, key }
    }
}

impl From<engine::UploadView> for Upload {
    fn from(view: engine::UploadView) -> Self {
        let engine::UploadView { upload, repository, expires_ms } = view;
        Self {
            id: upload.id.0,
            repository,
            name: upload.name,
            size: upload.size,
            sha256: upload.sha256.map(model::Digest::to_hex),
            received: upload.received,
            created_ms: upload.created_ms,
            expires_ms,
        }
    }
}

impl From<ImportRequest> for engine::ImportOptions {
    fn from(wanted: ImportRequest) -> Self {
        let ImportRequest { uploads, component, kind, key, attributes } = wanted;
        let files = uploads.into_iter();
        let files = files.map(|it| engine::ImportFile { upload: it.id, name: it.name }).collect();
        Self { files, kind, key, attributes, component }
    }
}

impl From<model::Token> for Token {
    fn from(token: model::Token) -> Self {
        let upload = token.repositories.into_iter().map(|(_id, name)| name).collect();
        Self { name: token.name, upload, created_ms: token.created_ms, secret: None }
    }
}

impl From<engine::ItemReport> for Item {
    fn from(item: engine::ItemReport) -> Self {
        let engine::ItemReport { key, outcome, problem } = item;
        let outcome = match outcome.as_str() {
            "added" => Outcome::Added,
            "changed" => Outcome::Changed,
            "unchanged" => Outcome::Unchanged,
            "removed" => Outcome::Removed,
            "skipped" => Outcome::Skipped,
            _ => Outcome::Failed,
        };
        Self { key, outcome, problem: problem.map(Problem::from) }
    }
}

impl From<engine::WarningReport> for Warning {
    fn from(warning: engine::WarningReport) -> Self {
        let engine::WarningReport { code, text, item } = warning;
        Self { code, text, item: (!item.is_empty()).then_some(item) }
    }
}

impl From<engine::PluginProcess> for JobPlugin {
    fn from(process: engine::PluginProcess) -> Self {
        let engine::PluginProcess { pid, handshake_ms, tls } = process;
        Self { pid, handshake_ms, tls }
    }
}

/// The filter of `GET /api/v1/jobs`; `states` as in `queued,running`.
///
/// # Errors
/// A word that is no state.
pub(super) fn job_filter(
    repository: Option<String>,
    states: Option<&str>,
    before: Option<i64>,
    limit: usize,
) -> Result<model::JobFilter, Failure> {
    let words = states.into_iter().flat_map(|words| words.split(','));
    let states = words.map(|word| {
        model::JobState::from_word(word).ok_or_else(|| {
            let message = format!("{word:?} is no state of a job");
            Failure::usage(StatusCode::UNPROCESSABLE_ENTITY, "usage.query", message).at("state")
        })
    });
    let states = states.collect::<Result<_, _>>()?;
    let before = before.map(model::JobId);
    Ok(model::JobFilter { repository, states, before, limit, ..model::JobFilter::default() })
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn word(level: model::LogLevel) -> String {
    match level {
        model::LogLevel::Trace => "trace",
        model::LogLevel::Debug => "debug",
        model::LogLevel::Info => "info",
        model::LogLevel::Warn => "warn",
        model::LogLevel::Error => "error",
    }
    .to_owned()
}
