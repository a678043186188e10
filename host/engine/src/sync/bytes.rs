//! The bytes of a batch: which are missing, and how each comes: by address, staged by the plugin, inline, or streamed
//! by `Importer.Fetch`. Everything is hashed here; a digest that a plugin names is held against it before it counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use wharf_proto::v1::{self, content::Content, event::Event};
use wharf_store::model::{Digest, Source, Staged};
use wharf_supervisor::calls::{self, CallError};

use super::Sync;
use crate::convert::{self, Bytes, Pending, PendingFile};
use crate::fetch::{self, Fetched, Request};
use crate::problem::Problem;
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
                check_size(pending_file, size)?;
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
            let outcome = one(sync, &batch[wanted.unit], &wanted).await?;
            Ok::<_, Problem>((wanted, outcome))
        })
        .buffer_unordered(at_once);
    while let Some(outcome) = coming.next().await {
        arrived.push(outcome?);
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

fn request(sync: &Sync<'_>, file: &PendingFile, sources: Vec<Source>, target: &Path) -> Request {
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

fn landed(target: &Path, fetched: Result<Fetched, fetch::Error>) -> Result<Arrived, Problem> {
    match fetched? {
        Fetched::Done(done) => {
            let staged = Staged { path: target.to_owned(), digest: done.sha256, size: done.size };
            Ok(Arrived::new(staged))
        }
        Fetched::NotModified => Err(Problem::fault("internal", "an unasked answer: not modified")),
    }
}

async fn one(
    sync: &Sync<'_>,
    pending: &Pending,
    wanted: &Wanted,
) -> Result<Result<Arrived, Problem>, Problem> {
    let file = &pending.files[wanted.file];
    if matches!(file.bytes, Bytes::Fetched) {
        return match from_plugin(sync, pending, file, &wanted.target).await {
            Ok(arrived) => Ok(Ok(arrived)),
            Err(Failed::Run(problem)) => Err(problem),
            Err(Failed::File(problem)) => Ok(Err(problem)),
        };
    }
    Ok(at_hand(sync, file, wanted).await)
}

/// Bytes that came with the unit, in a message or as a file.
async fn at_hand(sync: &Sync<'_>, file: &PendingFile, wanted: &Wanted) -> Result<Arrived, Problem> {
    match &file.bytes {
        Bytes::Staged(path) => {
            verified(file, staging::hash_below(sync.run.folder.path(), path).await?)
        }
        Bytes::Inline(bytes) => {
            verified(file, staging::write(&wanted.target, bytes.clone()).await?)
        }
        Bytes::Sources(_) | Bytes::Stored | Bytes::Fetched => {
            Err(Problem::fault("internal", "a file that comes another way"))
        }
    }
}

/// Why an item did not come.
enum Failed {
    File(Problem),
    /// No other would, either.
    Run(Problem),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::File(problem)
    }
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        let further = matches!(&error, CallError::Plugin(error)
            if error.class() == v1::ErrorClass::Operation
                && matches!(error.scope(), v1::ErrorScope::Attachment | v1::ErrorScope::Run));
        if further { Self::Run(error.into()) } else { Self::File(error.into()) }
    }
}

impl Arrived {
    fn new(staged: Staged) -> Self {
        Self { digest: staged.digest, size: staged.size, staged: Some(staged), revision: None }
    }
}

/// Asks the plugin for one listed item.
async fn from_plugin(
    sync: &Sync<'_>,
    pending: &Pending,
    file: &PendingFile,
    target: &Path,
) -> Result<Arrived, Failed> {
    let unit = v1::Unit {
        r#type: pending.definition.id.clone(),
        key: pending.declared_key.clone(),
        attributes: pending.attributes.clone(),
        files: vec![v1::File {
            path: file.path.to_string(),
            size: file.size,
            digests: file.digests.clone(),
            ..v1::File::default()
        }],
        ..v1::Unit::default()
    };
    let asked = v1::FetchRequest {
        context: Some(sync.context.clone()),
        attachment: Some(sync.setup.wire_attachment()),
        unit: Some(unit),
        revision: pending.revision.clone().unwrap_or_default(),
        offset: 0,
    };
    let bounds = sync.engine.bounds(sync.run);
    let mut events = calls::fetch(sync.process, asked, &bounds).await?;
    let mut writer = staging::Writer::create(target).await?;
    let mut streamed = false;
    let mut listed = Listed { file, revision: None };
    while let Some(event) = events.next().await? {
        match event {
            Event::Content(v1::Content { content, revision }) => {
                if !revision.is_empty() {
                    listed.changed(revision, streamed)?;
                }
                match content {
                    None => {}
                    Some(Content::Chunk(chunk)) => {
                        streamed = true;
                        sync.run.meter.add_bytes(chunk.len());
                        writer.write(chunk).await?;
                        if listed.size().is_some_and(|size| writer.size() > size) {
                            return Err(too_long(file).into());
                        }
                    }
                    Some(Content::Source(_) | Content::Staged(_)) if streamed => {
                        let why = "Fetch answered with chunks and with a place";
                        return Err(Problem::protocol(why).into());
                    }
                    Some(Content::Source(source)) => {
                        let sources = vec![convert::store_source(source)];
                        let mut request = request(sync, file, sources, target);
                        request.size = listed.size();
                        let (cancel, meter) = (&sync.cancel, &sync.run.meter);
                        let fetched = sync.engine.fetcher.fetch(&request, cancel, meter).await;
                        events.done();
                        return Ok(Arrived {
                            revision: listed.revision,
                            ..landed(target, fetched)?
                        });
                    }
                    Some(Content::Staged(path)) => {
                        let path = path.parse().map_err(|error| {
                            Problem::protocol(format!(
                                "Content.staged is no relative path: {error}"
                            ))
                        })?;
                        let staged = staging::hash_below(sync.run.folder.path(), &path).await?;
                        events.done();
                        return listed.arrived(staged);
                    }
                }
            }
            Event::Result(_) => return listed.arrived(writer.finish()?),
            other => convert::tell(sync.run, other).await?,
        }
    }
    Err(Problem::protocol("Fetch ended without a result").into())
}

/// What a listing says of a file, and what the plugin said since.
struct Listed<'a> {
    file: &'a PendingFile,
    revision: Option<String>,
}

impl Listed<'_> {
    fn changed(&mut self, revision: String, streamed: bool) -> Result<(), Problem> {
        if streamed || self.revision.is_some() {
            let why = "Content.revision comes once, and before the bytes";
            return Err(Problem::protocol(why));
        }
        self.revision = Some(revision);
        Ok(())
    }

    /// What the file must have: what was listed does not count for another revision.
    fn size(&self) -> Option<u64> {
        self.file.size.filter(|_| self.revision.is_none())
    }

    fn arrived(self, staged: Staged) -> Result<Arrived, Failed> {
        let arrived = match self.revision {
            None => verified(self.file, staged)?,
            revision => Arrived { revision, ..Arrived::new(staged) },
        };
        Ok(arrived)
    }
}

fn verified(file: &PendingFile, staged: Staged) -> Result<Arrived, Problem> {
    check_size(file, staged.size)?;
    match file.sha256 {
        Some(expected) if expected != staged.digest => Err(Problem::operation(
            "integrity.digest",
            format!("{}: sha256 is {}, announced was {expected}", file.path, staged.digest),
        )
        .at(file.path.to_string())),
        _ => Ok(Arrived::new(staged)),
    }
}

fn check_size(file: &PendingFile, size: u64) -> Result<(), Problem> {
    match file.size {
        Some(expected) if expected != size => Err(Problem::operation(
            "integrity.size",
            format!("{} has {size} bytes, announced were {expected}", file.path),
        )
        .at(file.path.to_string())),
        _ => Ok(()),
    }
}

fn too_long(file: &PendingFile) -> Problem {
    Problem::operation("integrity.size", format!("{} is longer than announced", file.path))
        .at(file.path.to_string())
}
