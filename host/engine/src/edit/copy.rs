//! Copies units from a version of one repository into a new version of another.
//!
//! Units are shared, so nothing but memberships and addresses of bytes is written. What stands in a copied unit's place
//! gives way, as in a sync; copying twice changes nothing.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use wharf_store::model::{Repository, UnitId};

use super::{Edit, commit, repository, resolve};
use crate::engine::{Engine, Inner};
use crate::instances::Bound;
use crate::jobs::run::JobRun;
use crate::jobs::view::{JobResult, JobView};
use crate::problem::Problem;
use crate::units::Selection;

/// Units whose addresses are copied in one step.
const STEP: usize = 5_000;

/// What is to be copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CopyOptions {
    /// The repository to copy from.
    pub from: String,
    /// Its version; None: the newest when the job is asked for.
    pub version: Option<u64>,
    /// Which of its units; nothing said: all.
    pub select: Selection,
    /// And those of the same version that they depend on.
    pub with_dependencies: bool,
    /// Count only; store nothing.
    pub dry_run: bool,
}

impl Engine {
    /// Asks for units to be copied into a repository.
    ///
    /// # Errors
    /// `not_found.*`; `usage.copy` from a repository into itself.
    pub async fn copy_units(&self, to: &str, options: CopyOptions) -> Result<JobView, Problem> {
        let engine = &self.inner;
        let target = engine.repository(to).await?;
        let source = engine.repository(&options.from).await?;
        if source.id == target.id {
            let message = format!("{to} cannot be copied into itself");
            return Err(Problem::usage("usage.copy", message).help(format!(
                "to go back to an earlier version: `wharf repo rollback {to} --to N`"
            )));
        }
        let version = options.version.unwrap_or(source.current_version);
        engine.version(&source, version).await?;
        let options = CopyOptions { version: Some(version), ..options };
        engine.submit_on("copy", Some(target.id), serde_json::to_string(&options)?).await
    }
}

/// Runs the copy that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let options: CopyOptions = serde_json::from_str(&run.job.arguments)?;
    let target = repository(engine, run).await?;
    let source = engine.repository(&options.from).await?;
    let version = options.version.unwrap_or(source.current_version);
    engine.version(&source, version).await?;
    let mut present = engine.selected((source.id, version), &options.select).await?;
    if options.with_dependencies && options.select != Selection::default() {
        let wanted = resolve::Wanted { source: &source, version, target: &target };
        present = resolve::with_dependencies(engine, run, wanted, present).await?;
    }
    check_types(engine, &target, &present).await?;
    if options.dry_run {
        return preview(engine, run, &target, &present).await;
    }
    for step in present.chunks(STEP) {
        run.check_cancelled()?;
        let meta = &engine.store.meta;
        meta.copy_sources(run.lease, source.id, target.id, step.to_vec()).await?;
    }
    commit(engine, run, &target, Edit { present, ..Edit::default() }).await
}

async fn preview(
    engine: &Inner,
    run: &JobRun,
    target: &Repository,
    present: &[UnitId],
) -> Result<JobResult, Problem> {
    let at = (target.id, target.current_version);
    let there: HashSet<UnitId> =
        engine.selected(at, &Selection::default()).await?.into_iter().collect();
    let added = present.iter().filter(|unit| !there.contains(unit)).count() as u64;
    let version = Some(target.current_version);
    Ok(JobResult { added, unchanged: target.units, version, dry_run: true, ..run.result() })
}

/// The target must take the types of all units that are copied: those that it names itself, and those that its importer
/// brings in, because nobody else could bring such units up to date. Types of units that are not copied do not matter.
async fn check_types(
    engine: &Inner,
    target: &Repository,
    present: &[UnitId],
) -> Result<(), Problem> {
    let mut taken: Vec<Vec<String>> = Vec::new();
    if !target.types.is_empty() {
        taken.push(target.types.clone());
    }
    for attachment in engine.store.meta.attachments(target.id).await? {
        if attachment.role == "importer" {
            let types = Bound::resolve(engine, &attachment)?.component.content_types;
            taken.extend(Some(types).filter(|types| !types.is_empty()));
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    for name in engine.type_names_of(present).await? {
        if taken.iter().any(|types| !types.contains(&name)) {
            let message = format!("{} takes no units of type {name}", target.name);
            return Err(Problem::usage("policy.type", message)
                .at(name)
                .help("copy the others only: name their types with --type"));
        }
    }
    Ok(())
}
