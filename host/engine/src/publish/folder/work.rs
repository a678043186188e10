//! One batch of files: looked at and written beside their places, brought to the disk, moved there, brought to the disk
//! again, and only then noted. A run that is cut off anywhere leaves whole files, and at most does work twice: what it
//! had not noted has the bytes that the repository holds, so the next run takes it over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio_util::sync::CancellationToken;
use wharf_store::model::{Digest, FileStamp, FolderFile, RelativePath};

use super::decide::{self, Case, Here, OnConflict, Resolution};
use super::place::{Found, Moved, New, Place};
use super::report::Action;
use crate::problem::Problem;
use crate::staging::blocking;

/// Files that are looked at and written at once.
const AT_ONCE: usize = 8;
/// A stamp counts only when it was seen so long after the file was last changed: some file systems keep whole seconds,
/// FAT even pairs of them. Before that the bytes are read.
const SETTLED_NS: i64 = 2_500_000_000;

/// A file of the repository.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) path: RelativePath,
    pub(super) local: RelativePath,
    pub(super) digest: Digest,
    pub(super) modified_ms: Option<i64>,
    pub(super) base: Option<FolderFile>,
    pub(super) resolution: Option<Resolution>,
}

/// What a batch is worked on with.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) place: Arc<Place>,
    pub(super) blobs: wharf_store::Blobs,
    pub(super) on_conflict: OnConflict,
    pub(super) dry_run: bool,
    pub(super) cancel: CancellationToken,
}

/// What became of a file.
pub(super) struct Done {
    pub(super) local: RelativePath,
    /// Or why nothing did.
    pub(super) outcome: Result<Action, Problem>,
    /// To be remembered, if it is different now.
    pub(super) note: Option<FolderFile>,
}

/// What is to be done with a file, its bytes ready beside its place.
enum Step {
    Nothing,
    /// It is right; its stamp is new.
    Note(FileStamp),
    Put(New),
    /// None: what stands there is no file, and may go.
    Replace(New, Option<FileStamp>),
    Beside(New),
    KeepLocal,
    Ask,
}

struct Prepared {
    wanted: Wanted,
    case: Case,
    step: Step,
}

impl Work {
    /// Works on a batch. What fails, fails for one file; a file system that is full or broken ends the run.
    pub(super) async fn batch(&self, batch: Vec<Wanted>) -> Result<Vec<Done>, Problem> {
        let prepare = |wanted: Wanted| {
            let work = self.clone();
            blocking(move || Ok(work.prepare(wanted)))
        };
        let prepared: Vec<_> = stream::iter(batch).map(prepare).buffered(AT_ONCE).collect().await;
        let prepared = prepared.into_iter().collect::<Result<Vec<_>, _>>()?;
        let work = self.clone();
        blocking(move || work.conclude(prepared)).await
    }

    fn prepare(&self, wanted: Wanted) -> Result<Prepared, Box<(Wanted, io::Error)>> {
        match self.step(&wanted) {
            Ok((case, step)) => Ok(Prepared { wanted, case, step }),
            Err(error) => Err(Box::new((wanted, error))),
        }
    }

    fn step(&self, wanted: &Wanted) -> io::Result<(Case, Step)> {
        let (here, stamp) = self.here(wanted)?;
        let base = wanted.base.as_ref().map(|base| base.digest);
        let case = decide::case(wanted.digest, here, base);
        let wishes = match (wanted.resolution, self.on_conflict) {
            (Some(resolution), _) => Some(resolution),
            (None, OnConflict::KeepLocal) => Some(Resolution::Both),
            (None, OnConflict::Overwrite) => Some(Resolution::Remote),
            (None, OnConflict::Ask) => None,
        };
        let fresh = || if self.dry_run { Ok(None) } else { self.write(wanted).map(Some) };
        let file = matches!(here, Here::File(_));
        let step = match (case, wishes) {
            (Case::Unchanged, _)
                if wanted.base.as_ref().is_some_and(|it| it.stamp == stamp && trusted(it)) =>
            {
                Step::Nothing
            }
            (Case::Unchanged | Case::Adopted, _) => Step::Note(stamp),
            (Case::LocalChanged, _) if wanted.resolution != Some(Resolution::Remote) => {
                Step::Nothing
            }
            (Case::New, _) => fresh()?.map_or(Step::Nothing, Step::Put),
            (Case::RemoteChanged | Case::LocalChanged, _) => {
                fresh()?.map_or(Step::Nothing, |new| Step::Replace(new, Some(stamp)))
            }
            (Case::BothChanged, None) => Step::Ask,
            (Case::BothChanged, Some(Resolution::Local)) => Step::KeepLocal,
            (Case::BothChanged, Some(Resolution::Both)) => {
                fresh()?.map_or(Step::Nothing, Step::Beside)
            }
            (Case::BothChanged, Some(Resolution::Remote)) => {
                fresh()?.map_or(Step::Nothing, |new| Step::Replace(new, file.then_some(stamp)))
            }
        };
        Ok((case, step))
    }

    /// What stands at the place. Its bytes are read unless it stands exactly as it did when they were last known.
    fn here(&self, wanted: &Wanted) -> io::Result<(Here, FileStamp)> {
        let found = self.place.look(&wanted.local)?;
        let stamp = match found {
            Found::Nothing => return Ok((Here::Nothing, FileStamp::default())),
            Found::Something(_kind) => return Ok((Here::Something, FileStamp::default())),
            Found::File(_file, stamp) => stamp,
        };
        if let Some(base) = wanted.base.as_ref().filter(|base| base.stamp == stamp && trusted(base))
        {
            return Ok((Here::File(base.digest), stamp));
        }
        match self.place.read(&wanted.local, &self.cancel)? {
            Some((digest, stamp)) => Ok((Here::File(digest), stamp)),
            None => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "it is being written right now"))
            }
        }
    }

    fn write(&self, wanted: &Wanted) -> io::Result<New> {
        let opened = self.blobs.open_blocking(wanted.digest).map_err(io::Error::other)?;
        let (blob, _size): (File, u64) = opened.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "its bytes are not in the store")
        })?;
        self.place.write(&wanted.local, blob, wanted.digest, wanted.modified_ms, &self.cancel)
    }

    fn conclude(
        &self,
        prepared: Vec<Result<Prepared, Box<(Wanted, io::Error)>>>,
    ) -> Result<Vec<Done>, Problem> {
        let fresh =
            |step: &Step| matches!(step, Step::Put(_) | Step::Replace(..) | Step::Beside(_));
        let writes = prepared.iter().flatten().any(|prepared| fresh(&prepared.step));
        if writes {
            self.place.sync().map_err(|error| storage(&error))?;
        }
        let mut done = Vec::with_capacity(prepared.len());
        let mut landed = BTreeMap::new();
        for prepared in prepared {
            match prepared {
                Ok(prepared) => done.push(self.finish(prepared, &mut landed)?),
                Err(lost) => {
                    let (wanted, error) = *lost;
                    done.push(failed(wanted, &error)?);
                }
            }
        }
        if writes {
            self.place.sync().map_err(|error| storage(&error))?;
        }
        for done in &mut done {
            if let Some(stamp) = landed.remove(&done.local) {
                self.note_landed(done, stamp);
            }
        }
        Ok(done)
    }

    /// Moves a file to its place. Where something else has come to stand there meanwhile, it is a conflict after all.
    fn finish(
        &self,
        prepared: Prepared,
        landed: &mut BTreeMap<RelativePath, FileStamp>,
    ) -> Result<Done, Problem> {
        let Prepared { wanted, case, step } = prepared;
        let mut note = None;
        let moved = match step {
            Step::Nothing => Ok(Action::of(case, wanted.resolution, self.on_conflict)),
            Step::Note(stamp) => {
                note = Some(wanted.seen(stamp));
                Ok(Action::Unchanged)
            }
            Step::KeepLocal => {
                note = Some(wanted.differs());
                Ok(Action::KeptLocal)
            }
            Step::Ask => Ok(Action::Conflict),
            Step::Put(new) => self.land(&wanted, &new, landed, &mut note, New::put, Action::New),
            Step::Replace(new, stamp) => {
                let replace = |new: &New| new.replace(stamp);
                self.land(&wanted, &new, landed, &mut note, replace, Action::Replaced)
            }
            Step::Beside(new) => beside(&wanted, &new, &mut note),
        };
        match moved {
            Ok(action) => Ok(Done { local: wanted.local, outcome: Ok(action), note }),
            Err(error) => failed(wanted, &error),
        }
    }

    fn land(
        &self,
        wanted: &Wanted,
        new: &New,
        landed: &mut BTreeMap<RelativePath, FileStamp>,
        note: &mut Option<FolderFile>,
        put: impl FnOnce(&New) -> io::Result<Moved>,
        action: Action,
    ) -> io::Result<Action> {
        match put(new) {
            Ok(Moved::Yes) => {
                landed.insert(wanted.local.clone(), new.stamp);
                *note = Some(wanted.differs());
                Ok(action)
            }
            Ok(Moved::Refused) if self.on_conflict == OnConflict::Ask => {
                new.discard();
                Ok(Action::Conflict)
            }
            Ok(Moved::Refused) => beside(wanted, new, note),
            Err(error) => {
                new.discard();
                Err(error)
            }
        }
    }

    /// Remembers how a file stands that was moved to its place, if it is that one still.
    fn note_landed(&self, done: &mut Done, expected: FileStamp) {
        let Ok(Found::File(_file, found)) = self.place.look(&done.local) else { return };
        let same = |stamp: FileStamp| (stamp.size, stamp.modified_ns, stamp.inode);
        if let Some(note) = done.note.as_mut().filter(|_| same(found) == same(expected)) {
            note.stamp = found;
            note.seen_ns = now_ns();
        }
    }
}

impl Wanted {
    /// The file has the repository's bytes.
    fn seen(&self, stamp: FileStamp) -> FolderFile {
        FolderFile { stamp, seen_ns: now_ns(), ..self.differs() }
    }

    /// The repository's bytes are known here, whatever stands at the place: no stamp is equal to this one.
    fn differs(&self) -> FolderFile {
        FolderFile {
            path: self.path.clone(),
            local: self.local.clone(),
            digest: self.digest,
            stamp: FileStamp::default(),
            seen_ns: 0,
        }
    }
}

/// Whether a stamp says that the bytes are those that were known.
pub(super) fn trusted(base: &FolderFile) -> bool {
    let last = base.stamp.changed_ns.max(base.stamp.modified_ns);
    base.stamp.inode != 0 && base.seen_ns > last.saturating_add(SETTLED_NS)
}

pub(super) fn now_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// A file that could not be worked on. What concerns all files ends the run.
fn failed(wanted: Wanted, error: &io::Error) -> Result<Done, Problem> {
    if matches!(
        error.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
    ) {
        return Err(storage(error).at(wanted.local.to_string()));
    }
    if error.kind() == io::ErrorKind::Interrupted {
        return Err(Problem::cancelled());
    }
    let outcome = Err(of_file(&wanted.local, error));
    Ok(Done { local: wanted.local, outcome, note: None })
}

/// Why one file could not be written or taken away.
pub(super) fn of_file(local: &RelativePath, error: &io::Error) -> Problem {
    use rustix::io::Errno;
    let in_the_way = [Errno::XDEV, Errno::LOOP, Errno::NOTDIR, Errno::ISDIR];
    let (code, why) = match Errno::from_io_error(error) {
        Some(errno) if in_the_way.contains(&errno) => (
            "conflict.in_the_way",
            "a link that leads out of the folder, or a file or folder of this name, is in the way"
                .to_owned(),
        ),
        _ => ("storage.folder", error.to_string()),
    };
    Problem::operation(code, format!("{local}: {why}")).at(local.to_string())
}

pub(super) fn storage(error: &io::Error) -> Problem {
    Problem::operation("storage.folder", format!("the folder cannot be written to: {error}"))
        .help("check the disk's space and the folder's rights; what was written so far stays")
}

fn beside(wanted: &Wanted, new: &New, note: &mut Option<FolderFile>) -> io::Result<Action> {
    let name = new.put_beside(wanted.digest).inspect_err(|_error| new.discard())?;
    *note = Some(wanted.differs());
    Ok(Action::Beside(name))
}
