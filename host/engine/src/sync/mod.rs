//! A sync: what upstream holds becomes the next version of a repository.
//!
//! The path: [`Setup`] gathers what the run needs → a plugin process is leased and granted its rights → [`drive`] makes
//! one call and turns its events into batches → [`batch`] asks what is new, fetches what is missing, saves → [`Draft`]
//! collects what the version will hold → one commit, or none if nothing changed.
//!
//! When bytes were not what the index promised, upstream may have changed meanwhile: the index is read once more
//! (F113). What was fetched is kept, so the second pass moves only what differs.

mod batch;
mod bring;
mod bytes;
mod draft;
mod drive;
mod ignore;
mod item;
mod reasons;
mod setup;
mod unlisted;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use wharf_store::model::{CommitVersion, LogLevel};

pub(crate) use self::bring::{Brought, BroughtFile, bring};
use self::draft::Draft;
pub(crate) use self::ignore::Ignore;
use self::setup::Setup;
use crate::callbacks::Callback;
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// What a user may ask of a sync.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncOptions {
    /// Use none of the shortcuts for an unchanged upstream.
    pub full: bool,
    /// Compare only; store nothing.
    pub dry_run: bool,
    /// Settings for this run only; null takes the repository's value away.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Who is told how it goes. Kept with the job's row, not in its arguments.
    #[serde(skip)]
    pub callbacks: Vec<Callback>,
}

/// One pass over upstream: what everything below needs.
struct Sync<'a> {
    engine: &'a Inner,
    run: &'a JobRun,
    setup: &'a Setup,
    process: &'a wharf_supervisor::Lease,
    context: wharf_proto::v1::JobContext,
    /// Ends with the pass at the latest.
    cancel: CancellationToken,
}

/// Runs the sync that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let options: SyncOptions = serde_json::from_str(&run.job.arguments)?;
    let mut setup = Setup::load(engine, run, options).await?;
    if !setup.full_reasons.is_empty() {
        let reasons = setup.full_reasons.join(", ");
        run.log(LogLevel::Info, format!("everything is looked at: {reasons}")).await;
    }
    let mut draft = pass(engine, run, &setup).await?;
    if run.saw_integrity_failure() && !setup.listed {
        let text = "files are not what the index says; reading the index once more";
        run.log(LogLevel::Warn, text).await;
        run.start_over();
        setup.full_reasons.push("integrity".to_owned());
        draft = pass(engine, run, &setup).await?;
    }
    run.check_cancelled()?;
    finish(engine, run, &setup, draft).await
}

/// One call of the plugin, to its end.
async fn pass(engine: &Inner, run: &JobRun, setup: &Setup) -> Result<Draft, Problem> {
    let process = engine.borrow_process(run, &setup.plugin).await?;
    let grant = engine.grants.grant(setup.rights(run, process.id()))?;
    let context = Inner::job_context(run, &process, grant.token());
    let cancel = run.cancel.child_token();
    let sync = Sync { engine, run, setup, process: &process, context, cancel };
    let outcome = drive::drive(&sync).await;
    drop(grant);
    if let Err(problem) = &outcome {
        process.end(problem);
    }
    outcome
}

/// Once a run, with how many: what was taken at a risk stands in the job's record (F104). The units tell it too, by the
/// digests of their files.
async fn warn_of_weak_digests(run: &JobRun) {
    let files = run.meter.weak();
    if files > 0 {
        let text = format!(
            "{files} files were taken that only MD5 or SHA-1 vouches for, as `allow_weak_digests` allows"
        );
        run.warn("policy.weak_digest", text, "").await;
    }
}

async fn finish(
    engine: &Inner,
    run: &JobRun,
    setup: &Setup,
    draft: Draft,
) -> Result<JobResult, Problem> {
    warn_of_weak_digests(run).await;
    let mut result = run.result();
    result.summary = draft.summary.clone();
    if setup.options.dry_run {
        return Ok(draft.preview(setup, result));
    }
    let outcome = if run.troubled() > 0 { "partial" } else { "succeeded" };
    let meta = &engine.store.meta;
    if draft.nothing_to_do {
        let last = setup.last_run(outcome, setup.base);
        meta.keep_version(run.lease, setup.attachment.id, draft.state, last).await?;
        return Ok(JobResult { unchanged: setup.base_units, version: Some(setup.base), ..result });
    }
    let committed = meta
        .commit_version(
            run.lease,
            CommitVersion {
                repository: setup.repository.id,
                base: setup.base,
                mode: setup.store_mode(),
                present: draft.present,
                removed: draft.removed,
                info: draft.metadata.unwrap_or_default(),
                attachment: Some(setup.attachment.id),
                state: draft.state,
                outcome: outcome.to_owned(),
                settings_digest: setup.fingerprint.to_string(),
            },
        )
        .await?;
    result.added = committed.added;
    result.removed = committed.removed;
    result.unchanged = committed.unchanged;
    result.version = Some(committed.version.unwrap_or(setup.base));
    result.changed = committed.version.is_some();
    if let Some(version) = committed.version.filter(|_| committed.removed > 0) {
        result.updated = meta.updated_in(setup.repository.id, version).await?;
    }
    if result.changed && setup.settings.auto_publish {
        result.follow_ups = engine.publish_all(&setup.repository.name, run).await;
    }
    Ok(result)
}
