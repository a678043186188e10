//! The folder distributor: a version of a repository, mirrored into a folder of the user. It is the one distributor
//! inside the host, `wharf.folder`, in short `folder`: no plugin may touch a user's own files.
//!
//! The way through: the version's files get names that are safe anywhere (`names`) → each is compared with what stands
//! in the folder and with what both had last (`decide`) → new bytes are written beside their places and moved there
//! (`work`, `place`) → what both have now is noted in the store → files that upstream has no more are kept or deleted.
//!
//! Never destroys what the user wrote: only the setting `on_conflict = overwrite`, or a decision about the very file,
//! lets a changed file be replaced. A run compares all files each time, for the folder is not the host's alone.

mod decide;
pub(crate) mod names;
mod place;
mod report;
mod settings;
mod work;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use wharf_store::model::{
    Attachment, FolderFile, LastRun, RelativePath, Repository, UnitId, UnitQuery,
};

pub use self::decide::Resolution;
use self::decide::{Gone, Here};
use self::place::{Found, Moved, Place};
use self::report::{Action, Report};
use self::settings::Settings;
use self::work::{Wanted, Work};
use super::PublishOptions;
use crate::engine::Inner;
use crate::instances;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;
use crate::staging::blocking;

/// Its address.
pub(crate) const COMPONENT: &str = "wharf.folder";
/// Files of one batch.
const BATCH: usize = 200;

/// Whether an address, with or without an instance, is that of a folder.
pub(crate) fn is_address(address: &str) -> bool {
    address.split('@').next() == Some(COMPONENT)
}

/// Whether an attachment is a folder.
pub(crate) fn is_folder(attachment: &Attachment) -> bool {
    attachment.component == COMPONENT
}

/// What a run works with.
struct Run<'a> {
    engine: &'a Inner,
    job: &'a JobRun,
    repository: Repository,
    attachment: Attachment,
    settings: Settings,
    options: PublishOptions,
    place: Arc<Place>,
    report: Report,
}

/// Brings the folder up to date with a version.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let options: PublishOptions = serde_json::from_str(&run.job.arguments)?;
    let (repository, attachment) = instances::of_job(engine, &run.job).await?;
    let settings = Settings::of(&attachment, &options.settings)?;
    let number = options.version.unwrap_or(repository.current_version);
    engine.version(&repository, number).await?;
    let before = engine.store.meta.folder_files(attachment.id).await?;
    let place = open(&settings.path, &attachment, before.is_empty() && !options.dry_run).await;
    let place = match place {
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound
                && options.dry_run
                && before.is_empty() =>
        {
            // Everything would be new; the temporary folder stands for the one that is not there yet.
            open(run.folder.path(), &attachment, false).await
        }
        opened => opened,
    };
    let place = Arc::new(place.map_err(|error| unusable(&settings.path, &error))?);
    let report = Report::default();
    let mut this =
        Run { engine, job: run, repository, attachment, settings, options, place, report };
    let wanted = this.wanted(number, before).await?;
    let gone = this.work(wanted).await?;
    this.gone(gone).await?;
    this.finish(number).await
}

async fn open(path: &Path, attachment: &Attachment, make: bool) -> std::io::Result<Place> {
    let (path, id) = (path.to_owned(), attachment.id);
    let opened = tokio::task::spawn_blocking(move || Place::open(&path, id, make)).await;
    opened.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

fn unusable(path: &Path, error: &std::io::Error) -> Problem {
    let message = format!("the folder {} cannot be used: {error}", path.display());
    let help = if error.kind() == std::io::ErrorKind::NotFound {
        "it held files before: mount or make it again, or attach another folder"
    } else {
        "check that it is a folder, and its rights"
    };
    Problem::operation("storage.folder", message).at(path.display().to_string()).help(help)
}

/// A file as the version holds it.
struct Held {
    path: RelativePath,
    digest: Option<wharf_store::model::Digest>,
    size: Option<u64>,
    present: bool,
    unit: UnitId,
    modified_ms: Option<i64>,
}

/// What is to be done, and what is remembered of files that the version does not hold.
struct Todo {
    wanted: Vec<Wanted>,
    gone: Vec<FolderFile>,
}

impl Run<'_> {
    /// All files of a version, each with its place. What has no bytes here is brought, or fails.
    async fn wanted(&mut self, number: u64, before: Vec<FolderFile>) -> Result<Todo, Problem> {
        let held = self.held(number).await?;
        let locals: BTreeMap<&str, &RelativePath> =
            before.iter().map(|file| (file.path.as_str(), &file.local)).collect();
        let places = names::assign(held.iter().map(|held| held.path.as_str()), &locals);
        let places: HashMap<String, RelativePath> =
            places.into_iter().map(|(path, local)| (path.to_owned(), local)).collect();
        let mut bases: HashMap<String, FolderFile> =
            before.into_iter().map(|file| (file.path.to_string(), file)).collect();
        let mut wanted = Vec::with_capacity(held.len());
        for held in held {
            self.job.check_cancelled()?;
            let base = bases.remove(held.path.as_str());
            let Some(local) = places.get(held.path.as_str()).cloned() else {
                let message = format!("{}: there is no safe name for it", held.path);
                self.job
                    .failed(held.path.as_str(), Problem::operation("content.name", message))
                    .await;
                continue;
            };
            if local != held.path && base.is_none() {
                let text = format!("it is called {local} in the folder");
                self.job.warn("folder.name", text, held.path.as_str()).await;
            }
            match self.bytes(&held).await {
                Ok(digest) => wanted.push(Wanted {
                    resolution: self.resolution(&held.path, &local),
                    path: held.path,
                    local,
                    digest,
                    modified_ms: held.modified_ms,
                    base,
                }),
                Err(problem) => self.job.failed(held.path.as_str(), problem).await,
            }
        }
        Ok(Todo { wanted, gone: bases.into_values().collect() })
    }

    async fn held(&self, number: u64) -> Result<Vec<Held>, Problem> {
        let mut held: Vec<Held> = Vec::new();
        let mut query = UnitQuery { with_files: true, ..UnitQuery::default() };
        loop {
            let page =
                self.engine.store.meta.units(self.repository.id, number, query.clone()).await?;
            let Some(last) = page.last() else { break };
            query.after = Some(last.id);
            for unit in page {
                let modified_ms = modified_ms(&unit.attributes);
                held.extend(unit.files.into_iter().map(|file| Held {
                    path: file.path,
                    digest: file.sha256,
                    size: file.size,
                    present: file.present,
                    unit: unit.id,
                    modified_ms,
                }));
            }
        }
        held.sort_by(|one, other| one.path.cmp(&other.path));
        if let Some(twice) = held.windows(2).find(|pair| pair[0].path == pair[1].path) {
            let message = format!("two units of the version have a file {}", twice[0].path);
            return Err(Problem::operation("content.path_conflict", message)
                .at(twice[0].path.to_string())
                .help("a folder can hold one of them only"));
        }
        Ok(held)
    }

    /// The digest of a file whose bytes are in the store, or are brought there now.
    async fn bytes(&self, held: &Held) -> Result<wharf_store::model::Digest, Problem> {
        match (held.digest, held.size) {
            (Some(digest), _) if held.present || self.options.dry_run => Ok(digest),
            (Some(digest), Some(size)) => {
                let file = (held.unit, held.path.clone());
                let (cancel, meter) = (&self.job.cancel, &self.job.meter);
                crate::content::restore(self.engine, file, digest, size, cancel, meter).await?;
                Ok(digest)
            }
            _ => Err(Problem::operation(
                "source.absent",
                format!("{}: its bytes were never fetched", held.path),
            )
            .help("sync with policy=immediate")),
        }
    }

    fn resolution(&self, path: &RelativePath, local: &RelativePath) -> Option<Resolution> {
        let resolve = &self.options.resolve;
        resolve.get(path.as_str()).or_else(|| resolve.get(local.as_str())).copied()
    }

    /// Works on all files, batch by batch; what is remembered of others comes back.
    async fn work(&mut self, todo: Todo) -> Result<Vec<FolderFile>, Problem> {
        let Todo { wanted, gone } = todo;
        self.check_resolutions(&wanted)?;
        self.clean(&wanted).await?;
        let work = Work {
            place: Arc::clone(&self.place),
            blobs: self.engine.store.blobs.clone(),
            on_conflict: self.settings.on_conflict,
            dry_run: self.options.dry_run,
            cancel: self.job.cancel.clone(),
        };
        let total = wanted.len() as u64;
        let mut rest = wanted.into_iter();
        loop {
            let batch: Vec<Wanted> = rest.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(gone);
            }
            self.job.check_cancelled()?;
            let count = batch.len() as u64;
            let mut notes = Vec::new();
            for done in work.batch(batch).await? {
                self.tell(done.local.as_str(), done.outcome).await;
                notes.extend(done.note);
            }
            self.note(notes, Vec::new()).await?;
            self.job.progress(|progress| {
                "writing".clone_into(&mut progress.phase);
                "files".clone_into(&mut progress.unit);
                progress.total = total;
                progress.done += count;
            });
        }
    }

    fn check_resolutions(&self, wanted: &[Wanted]) -> Result<(), Problem> {
        let known = |path: &str| {
            wanted.iter().any(|it| it.path.as_str() == path || it.local.as_str() == path)
        };
        match self.options.resolve.keys().find(|path| !known(path)) {
            None => Ok(()),
            Some(path) => Err(Problem::usage(
                "not_found.file",
                format!("{} has no file {path}", self.repository.name),
            )
            .help("name it as the last run did, from the folder down")),
        }
    }

    /// Takes away what a run that was cut off left beside its places.
    async fn clean(&self, wanted: &[Wanted]) -> Result<(), Problem> {
        if self.options.dry_run {
            return Ok(());
        }
        let above = |wanted: &Wanted| {
            let local = wanted.local.as_str();
            local.rsplit_once('/').map_or_else(String::new, |(folder, _name)| folder.to_owned())
        };
        let folders: std::collections::BTreeSet<String> = wanted.iter().map(above).collect();
        let place = Arc::clone(&self.place);
        blocking(move || place.clean(&folders).map_err(|error| work::storage(&error))).await
    }

    async fn note(&self, files: Vec<FolderFile>, gone: Vec<RelativePath>) -> Result<(), Problem> {
        if self.options.dry_run || (files.is_empty() && gone.is_empty()) {
            return Ok(());
        }
        let meta = &self.engine.store.meta;
        Ok(meta.note_folder_files(self.job.lease, self.attachment.id, files, gone).await?)
    }

    async fn tell(&mut self, local: &str, outcome: Result<Action, Problem>) {
        let action = match outcome {
            Ok(action) => action,
            Err(problem) => return self.job.failed(local, problem).await,
        };
        match &action {
            Action::Beside(name) if !self.options.dry_run => {
                let text = format!("it was changed here and upstream; upstream's is in {name}");
                self.job.warn("folder.conflict", text, local).await;
            }
            Action::Conflict if !self.options.dry_run => {
                let message = format!("{local} was changed here and upstream");
                let help = format!(
                    "wharf folder resolve {} {local} --take local|remote|both",
                    self.repository.name
                );
                let problem = Problem::operation("conflict.local_change", message).help(help);
                self.job.named_skipped(local, Some(problem));
            }
            _ => {}
        }
        self.report.add(local, &action);
    }

    /// Files that were here and are in the version no more.
    async fn gone(&mut self, gone: Vec<FolderFile>) -> Result<(), Problem> {
        let mut forgotten = Vec::new();
        for file in gone {
            self.job.check_cancelled()?;
            let (place, policy) = (Arc::clone(&self.place), self.settings.on_delete);
            let (dry_run, cancel) = (self.options.dry_run, self.job.cancel.clone());
            let (path, local) = (file.path.clone(), file.local.clone());
            let done = blocking(move || {
                leave_or_delete(&place, &file, policy, dry_run, &cancel)
                    .map_err(|error| work::of_file(&file.local, &error))
            })
            .await;
            match done {
                Err(problem) => self.job.failed(local.as_str(), problem).await,
                Ok(Gone::Keep) => self.report.add(local.as_str(), &Action::Kept),
                Ok(gone) => {
                    forgotten.push(path);
                    if gone == Gone::Delete {
                        self.report.add(local.as_str(), &Action::Deleted);
                    }
                    if gone == Gone::Leave && !dry_run {
                        let text = "it is gone upstream, and stays because it was changed here";
                        self.job.warn("folder.kept", text, local.as_str()).await;
                    }
                }
            }
        }
        self.note(Vec::new(), forgotten).await
    }

    async fn finish(self, number: u64) -> Result<JobResult, Problem> {
        let Self { engine, job, attachment, settings, options, report, .. } = self;
        if !options.dry_run {
            let outcome = if job.troubled() > 0 { "partial" } else { "succeeded" };
            let last = LastRun {
                finished_ms: crate::clock::now_ms(),
                version: number,
                outcome: outcome.to_owned(),
                settings_digest: String::new(),
            };
            engine.store.meta.keep_version(job.lease, attachment.id, None, last).await?;
        }
        let folder = settings.path.display().to_string();
        let result = report.into_result(&folder, options.dry_run, job.result());
        Ok(JobResult { version: Some(number), ..result })
    }
}

fn leave_or_delete(
    place: &Place,
    file: &FolderFile,
    policy: decide::OnDelete,
    dry_run: bool,
    cancel: &tokio_util::sync::CancellationToken,
) -> std::io::Result<Gone> {
    let (here, stamp) = match place.look(&file.local)? {
        Found::Nothing => (Here::Nothing, file.stamp),
        Found::Something(_kind) => (Here::Something, file.stamp),
        Found::File(_file, stamp) if stamp == file.stamp && work::trusted(file) => {
            (Here::File(file.digest), stamp)
        }
        Found::File(..) => match place.read(&file.local, cancel)? {
            Some((digest, stamp)) => (Here::File(digest), stamp),
            None => (Here::Something, file.stamp),
        },
    };
    match decide::gone(here, file.digest, policy) {
        Gone::Delete if !dry_run => match place.remove(&file.local, stamp)? {
            Moved::Yes => Ok(Gone::Delete),
            Moved::Refused => Ok(Gone::Leave),
        },
        other => Ok(other),
    }
}

/// When upstream last changed a unit's file, as its listing said.
fn modified_ms(attributes: &str) -> Option<i64> {
    let attributes: Value = serde_json::from_str(attributes).ok()?;
    attributes.get("modified_ms")?.as_i64()
}
