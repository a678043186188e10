//! The bytes of a batch: which are missing, and how each comes: by address, staged by the plugin, inline, or streamed
//! by `Importer.Fetch`. Everything is hashed here; a digest that a plugin names is held against it before it counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use wharf_store::model::{Digest, Source, Staged};

use super::{Sync, item};
use crate::convert::{Bytes, Pending, PendingFile};
use crate::fetch::{self, Fetched, Request};
use crate::problem::{Problem, Scope};
use crate::staging;

/// How many files of one batch are on their way at once, unless the user says otherwise.
const AT_ONCE: usize = 16;

/// A file whose bytes are not in the store yet.
pub(super) struct Wanted {
    /// Place in the batch.
    pub(super) unit: usize,
    /// Place in the unit.
    pub(super) file: usize,
    target: PathBuf,
}

impl Wanted {
    fn file<'a>(&self, batch: &'a [Pending]) -> &'a PendingFile {
        &batch[self.unit].files[self.file]
    }
}

/// Bytes that came, verified.
pub(super) struct Arrived {
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// None: the store had them.
    pub(super) staged: Option<Staged>,
    /// What the bytes are a revision of, where it is not the listed one.
    pub(super) revision: Option<String>,
}

/// The files that this job must bring. Files whose bytes the store has are completed on the way.
pub(super) async fn wanted(sync: &Sync<'_>, batch: &mut [Pending]) -> Result<Vec<Wanted>, Problem> {
    let asked: Vec<Digest> = batch
        .iter()
        .flat_map(|pending| pending.files.iter().filter_map(|file| file.sha256))
        .collect();
    let held = sync.engine.store.meta.hold_artifacts(sync.run.lease, asked);
    let mut stored = held.await?.into_iter();
    let mut wanted = Vec::new();
    for (unit, pending) in batch.iter_mut().enumerate() {
        let needs_digest = pending.key.is_none();
        for (file, pending_file) in pending.files.iter_mut().enumerate() {
            let stored = if pending_file.sha256.is_some() { stored.next().flatten() } else { None };
            if let Some(size) = stored {
                pending_file.check_size(size)?;
                pending_file.size = Some(size);
                continue;
            }
            if matches!(pending_file.bytes, Bytes::Stored) {
                return Err(Problem::protocol(format!(
                    "{} is said to be in the store, but it is not",
                    pending_file.path
                )));
            }
            let must = sync.setup.immediate() || pending_file.eager || needs_digest;
            if must || !matches!(pending_file.bytes, Bytes::Sources(_)) {
                let target = sync.run.folder.fresh();
                wanted.push(Wanted { unit, file, target });
            }
        }
    }
    Ok(wanted)
}

/// Brings them, many at a time. A file that cannot be had is an answer of its own, not the end; but what a plugin says
/// of the whole run, that its server is gone for instance, is.
pub(super) async fn bring(
    sync: &Sync<'_>,
    batch: &[Pending],
    wanted: Vec<Wanted>,
) -> Result<Vec<Outcome>, Problem> {
    let (addressed, others): (Vec<Wanted>, Vec<Wanted>) = wanted
        .into_iter()
        .partition(|wanted| matches!(wanted.file(batch).bytes, Bytes::Sources(_)));
    sync.run.fetching(addressed.len() as u64);
    let mut arrived = from_sources(sync, batch, addressed).await;
    let at_once = sync.setup.settings.concurrency.map_or(AT_ONCE, |limit| limit as usize);
    let mut coming = stream::iter(others)
        .map(async |wanted: Wanted| {
            let outcome = one(sync, &batch[wanted.unit], &wanted).await;
            (wanted, outcome)
        })
        .buffer_unordered(at_once);
    while let Some((wanted, outcome)) = coming.next().await {
        match outcome {
            Err(problem) if problem.scope != Scope::Item => return Err(problem),
            outcome => arrived.push((wanted, outcome)),
        }
    }
    sync.run.check_cancelled()?;
    Ok(arrived)
}

/// A wanted file, and how it ended.
pub(super) type Outcome = (Wanted, Result<Arrived, Problem>);

async fn from_sources(sync: &Sync<'_>, batch: &[Pending], wanted: Vec<Wanted>) -> Vec<Outcome> {
    let requests: Vec<Request> = wanted
        .iter()
        .map(|wanted| {
            let file = wanted.file(batch);
            let sources = match &file.bytes {
                Bytes::Sources(sources) => sources.clone(),
                _ => Vec::new(),
            };
            request(sync, file, sources, &wanted.target)
        })
        .collect();
    let (fetcher, cancel, meter) = (&sync.engine.fetcher, &sync.cancel, &sync.run.meter);
    let fetched = match sync.setup.settings.concurrency {
        None => fetcher.fetch_many(&requests, cancel, meter).await,
        Some(limit) => {
            let one = async |request: &Request| fetcher.fetch(request, cancel, meter).await;
            stream::iter(&requests).map(one).buffered(limit as usize).collect().await
        }
    };
    let outcomes = wanted.into_iter().zip(fetched);
    outcomes
        .map(|(wanted, fetched)| {
            let arrived = landed(&wanted.target, fetched);
            (wanted, arrived)
        })
        .collect()
}

pub(super) fn request(
    sync: &Sync<'_>,
    file: &PendingFile,
    sources: Vec<Source>,
    target: &Path,
) -> Request {
    Request {
        sources,
        target: target.to_owned(),
        size: file.size,
        digests: file.digests.clone(),
        trust: Arc::clone(&sync.setup.trust),
        pace: sync.setup.pace.clone(),
        ..Request::default()
    }
}

pub(super) fn landed(
    target: &Path,
    fetched: Result<Fetched, fetch::Error>,
) -> Result<Arrived, Problem> {
    match fetched? {
        Fetched::Done(done) => {
            let staged = Staged { path: target.to_owned(), digest: done.sha256, size: done.size };
            Ok(Arrived::new(staged))
        }
        Fetched::NotModified => Err(Problem::fault("internal", "an unasked answer: not modified")),
    }
}

async fn one(sync: &Sync<'_>, pending: &Pending, wanted: &Wanted) -> Result<Arrived, Problem> {
    let file = &pending.files[wanted.file];
    match &file.bytes {
        Bytes::Staged(path) => {
            verified(file, staging::hash_below(sync.run.folder.path(), path).await?)
        }
        Bytes::Inline(bytes) => {
            verified(file, staging::write(&wanted.target, bytes.clone()).await?)
        }
        Bytes::Fetched => item::from_plugin(sync, pending, file, &wanted.target).await,
        Bytes::Sources(_) | Bytes::Stored => {
            Err(Problem::fault("internal", "a file that comes another way"))
        }
    }
}

impl Arrived {
    pub(super) fn new(staged: Staged) -> Self {
        Self { digest: staged.digest, size: staged.size, staged: Some(staged), revision: None }
    }
}

/// Bytes that were staged, if they are what was announced.
pub(super) fn verified(file: &PendingFile, staged: Staged) -> Result<Arrived, Problem> {
    file.check(&staged)?;
    Ok(Arrived::new(staged))
}

pub(super) fn too_long(file: &PendingFile) -> Problem {
    Problem::operation("integrity.size", format!("{} is longer than announced", file.path))
        .at(file.path.to_string())
}
