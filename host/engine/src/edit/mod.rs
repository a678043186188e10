//! Versions that are made without an upstream: units taken out, copied from another repository, or all as they were.
//!
//! The path: a job that has its repository for itself, as a sync has → which units → one commit, or none if nothing
//! changed → auto-publish, where the importer asks for it. No plugin is asked, but by a copy that is to bring
//! dependencies along.

mod copy;
mod remove;
mod resolve;
mod rollback;

use wharf_store::model::{CommitVersion, Repository, UnitId, VersionMode};

pub use self::copy::CopyOptions;
pub use self::remove::RemoveOptions;
pub use self::rollback::RollbackOptions;
use crate::engine::Inner;
use crate::instances::Bound;
use crate::instances::settings::ImporterSettings;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

pub(crate) use self::copy::run as run_copy;
pub(crate) use self::remove::run as run_remove;
pub(crate) use self::rollback::run as run_rollback;

/// What a new version is to be.
#[derive(Debug, Default)]
struct Edit {
    mirror: bool,
    present: Vec<UnitId>,
    removed: Vec<UnitId>,
}

/// The repository of a job, as it is now.
pub(crate) async fn repository(engine: &Inner, run: &JobRun) -> Result<Repository, Problem> {
    let gone = || Problem::usage("not_found.repository", "the job's repository is gone");
    let id = run.job.repository_id.ok_or_else(gone)?;
    engine.store.meta.repository_by_id(id).await?.ok_or_else(gone)
}

/// Makes the version that holds one unit more.
pub(crate) async fn add(
    engine: &Inner,
    run: &JobRun,
    repository: &Repository,
    unit: UnitId,
) -> Result<JobResult, Problem> {
    commit(engine, run, repository, Edit { present: vec![unit], ..Edit::default() }).await
}

/// A unit that comes, and one that goes.
pub(crate) struct Exchange {
    pub(crate) added: Option<UnitId>,
    pub(crate) removed: Option<UnitId>,
}

/// Makes the version that tells what was done elsewhere, even when a stop is wanted by now.
pub(crate) async fn exchange(
    engine: &Inner,
    run: &JobRun,
    repository: &Repository,
    exchange: &Exchange,
) -> Result<JobResult, Problem> {
    let present = exchange.added.into_iter().collect();
    let removed = exchange.removed.into_iter().collect();
    settle(engine, run, repository, Edit { present, removed, ..Edit::default() }).await
}

/// Makes the version, or none if it would hold what the newest holds.
async fn commit(
    engine: &Inner,
    run: &JobRun,
    repository: &Repository,
    edit: Edit,
) -> Result<JobResult, Problem> {
    run.check_cancelled()?;
    settle(engine, run, repository, edit).await
}

async fn settle(
    engine: &Inner,
    run: &JobRun,
    repository: &Repository,
    edit: Edit,
) -> Result<JobResult, Problem> {
    let base = repository.current_version;
    let commit = CommitVersion {
        repository: repository.id,
        base,
        mode: if edit.mirror { VersionMode::Mirror } else { VersionMode::Additive },
        present: edit.present.into_iter().map(|unit| (unit, None)).collect(),
        removed: edit.removed,
        info: String::new(),
        attachment: None,
        state: None,
        outcome: String::new(),
        settings_digest: String::new(),
    };
    let committed = engine.store.meta.commit_version(run.lease, commit).await?;
    let mut result = run.result();
    result.added = committed.added;
    result.removed = committed.removed;
    result.unchanged = committed.unchanged;
    result.version = Some(committed.version.unwrap_or(base));
    result.changed = committed.version.is_some();
    if result.changed && publishes(engine, repository).await? {
        engine.publish_all(&repository.name, run).await;
    }
    Ok(result)
}

/// Whether an importer's settings ask for a publish after each change.
async fn publishes(engine: &Inner, repository: &Repository) -> Result<bool, Problem> {
    for attachment in engine.store.meta.attachments(repository.id).await? {
        if attachment.role == "importer" {
            let settings: ImporterSettings =
                Bound::resolve(engine, &attachment)?.host_settings()?;
            if settings.auto_publish {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
