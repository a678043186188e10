//! One batch of declared units: what is known, what is missing, fetch, make durable, save.

use wharf_store::model::{NewArtifact, UnitId};

use super::Sync;
use super::bytes::{self, Outcome};
use crate::convert::{self, Pending};
use crate::instances::settings::OnFileError;
use crate::jobs::run::JobRun;
use crate::problem::{Class, Problem};

/// What became of a batch.
#[derive(Default)]
pub(super) struct Done {
    /// Units that the new version holds.
    pub(super) present: Vec<(UnitId, Option<String>)>,
    /// Of these, those that the base version holds too.
    pub(super) kept: u64,
    /// Units that the base version lacks.
    pub(super) fresh: u64,
    /// Units looked at.
    pub(super) units: u64,
}

/// Brings the batch's units into the store. Nothing of it is visible before the version is committed.
pub(super) async fn process(sync: &Sync<'_>, batch: Vec<Pending>) -> Result<Done, Problem> {
    let mut done = Done { units: batch.len() as u64, ..Done::default() };
    let batch = skip_unchanged(sync, batch, &mut done).await?;
    let mut batch = skip_known(sync, batch, &mut done).await?;
    if sync.setup.options.dry_run {
        done.fresh += batch.len() as u64;
        return Ok(done);
    }
    let wanted = bytes::wanted(sync, &mut batch).await?;
    let arrived = bytes::bring(sync, &batch, wanted).await?;
    let (batch, artifacts) = settle(sync, batch, arrived, &mut done).await?;
    save(sync, batch, artifacts, &mut done).await?;
    Ok(done)
}

/// Listed items whose revision is that of the base version stand as they are.
async fn skip_unchanged(
    sync: &Sync<'_>,
    batch: Vec<Pending>,
    done: &mut Done,
) -> Result<Vec<Pending>, Problem> {
    let asked: Vec<[u8; 32]> = batch
        .iter()
        .filter(|pending| pending.revision.is_some())
        .filter_map(|pending| pending.repo_key)
        .collect();
    if asked.is_empty() || sync.setup.options.full {
        return Ok(batch);
    }
    let members =
        sync.engine.store.meta.members_by_repo_key(sync.setup.repository.id, asked).await?;
    let mut members = members.into_iter();
    let mut rest = Vec::with_capacity(batch.len());
    for pending in batch {
        let listed = pending.revision.is_some() && pending.repo_key.is_some();
        let member = if listed { members.next().flatten() } else { None };
        match member {
            Some(member)
                if member.revision == pending.revision
                    && (member.complete || !sync.setup.immediate()) =>
            {
                done.kept += 1;
                done.present.push((member.unit, None));
            }
            _ => rest.push(pending),
        }
    }
    Ok(rest)
}

/// Units that the store has, with all that this sync must bring, need no work.
async fn skip_known(
    sync: &Sync<'_>,
    batch: Vec<Pending>,
    done: &mut Done,
) -> Result<Vec<Pending>, Problem> {
    let asked =
        batch.iter().filter_map(|pending| Some((pending.type_id, pending.key.as_ref()?.digest)));
    let known = sync.engine.store.meta.known(sync.setup.repository.id, asked.collect()).await?;
    let mut known = known.into_iter();
    let settings_changed = sync.setup.full_reasons.iter().any(|reason| reason == "settings");
    let mut rest = Vec::with_capacity(batch.len());
    let mut strangers = Vec::new();
    for pending in batch {
        let found = if pending.key.is_some() { known.next().flatten() } else { None };
        match found {
            Some(found) if found.complete && !found.member => strangers.push((found.unit, pending)),
            Some(found) if found.complete => {
                done.kept += 1;
                done.present.push((found.unit, pending.revision));
            }
            Some(found)
                if found.member
                    && !sync.setup.immediate()
                    && !settings_changed
                    && !pending.files.iter().any(|file| file.eager) =>
            {
                done.kept += 1;
                done.present.push((found.unit, pending.revision));
            }
            _ => rest.push(pending),
        }
    }
    take_strangers(sync, strangers, &mut rest, done).await?;
    Ok(rest)
}

/// Complete units that the repository does not hold: it may be that nobody does, so they are held on to first (F89).
async fn take_strangers(
    sync: &Sync<'_>,
    strangers: Vec<(UnitId, Pending)>,
    rest: &mut Vec<Pending>,
    done: &mut Done,
) -> Result<(), Problem> {
    if strangers.is_empty() {
        return Ok(());
    }
    let units = strangers.iter().map(|(unit, _)| *unit).collect();
    let there = sync.engine.store.meta.hold_units(sync.run.lease, units).await?;
    for ((unit, pending), there) in strangers.into_iter().zip(there) {
        if there {
            done.fresh += 1;
            done.present.push((unit, pending.revision));
        } else {
            rest.push(pending);
        }
    }
    Ok(())
}

/// Puts what arrived into its units, and decides about what did not.
async fn settle(
    sync: &Sync<'_>,
    mut batch: Vec<Pending>,
    arrived: Vec<Outcome>,
    done: &mut Done,
) -> Result<(Vec<Pending>, Vec<NewArtifact>), Problem> {
    let mut staged = Vec::with_capacity(arrived.len());
    let mut artifacts = Vec::with_capacity(arrived.len());
    let mut failed = vec![false; batch.len()];
    for (wanted, outcome) in arrived {
        let pending = &mut batch[wanted.unit];
        match outcome {
            Ok(arrived) => {
                let file = &mut pending.files[wanted.file];
                file.sha256 = Some(arrived.digest);
                file.size = Some(arrived.size);
                if arrived.revision.is_some() {
                    pending.revision = arrived.revision;
                }
                artifacts.push(NewArtifact { digest: arrived.digest, size: arrived.size });
                staged.extend(arrived.staged);
            }
            Err(problem) => {
                let given_up =
                    give_up(sync.run, sync.setup.settings.on_file_error, pending, problem);
                failed[wanted.unit] |= given_up.await?;
            }
        }
    }
    sync.engine.store.blobs.adopt(staged).await?;
    keep_what_stood(sync, &batch, &failed, done).await?;
    let mut good = Vec::with_capacity(batch.len());
    for (mut pending, failed) in batch.into_iter().zip(failed) {
        if failed {
            continue;
        }
        pending.complete_key()?;
        good.push(pending);
    }
    Ok((good, artifacts))
}

/// Says whether the unit is left out.
async fn give_up(
    run: &JobRun,
    on_file_error: OnFileError,
    pending: &Pending,
    problem: Problem,
) -> Result<bool, Problem> {
    let ends_the_job = problem.class != Class::Operation || problem.code.starts_with("storage");
    match on_file_error {
        _ if ends_the_job => Err(problem),
        OnFileError::Fail => Err(problem),
        OnFileError::Defer if pending.can_wait() => {
            run.warn("deferred", problem.message, pending.name()).await;
            Ok(false)
        }
        OnFileError::Skip | OnFileError::Defer => {
            run.failed(pending.name(), problem).await;
            Ok(true)
        }
    }
}

/// Where a new unit could not be had, the one that stood in its place stays.
async fn keep_what_stood(
    sync: &Sync<'_>,
    batch: &[Pending],
    failed: &[bool],
    done: &mut Done,
) -> Result<(), Problem> {
    let places: Vec<[u8; 32]> = batch
        .iter()
        .zip(failed)
        .filter_map(|(pending, failed)| pending.repo_key.filter(|_| *failed))
        .collect();
    if places.is_empty() {
        return Ok(());
    }
    let meta = &sync.engine.store.meta;
    for member in
        meta.members_by_repo_key(sync.setup.repository.id, places).await?.into_iter().flatten()
    {
        done.kept += 1;
        done.present.push((member.unit, None));
    }
    Ok(())
}

async fn save(
    sync: &Sync<'_>,
    batch: Vec<Pending>,
    artifacts: Vec<NewArtifact>,
    done: &mut Done,
) -> Result<(), Problem> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut revisions = Vec::with_capacity(batch.len());
    let mut units = Vec::with_capacity(batch.len());
    for pending in batch {
        let (unit, revision) = convert::new_unit(pending)?;
        units.push(unit);
        revisions.push(revision);
    }
    let meta = &sync.engine.store.meta;
    let saved = meta.save_units(sync.run.lease, sync.setup.repository.id, units, artifacts).await?;
    for (saved, revision) in saved.into_iter().zip(revisions) {
        *(if saved.member { &mut done.kept } else { &mut done.fresh }) += 1;
        done.present.push((saved.unit, revision));
    }
    Ok(())
}
