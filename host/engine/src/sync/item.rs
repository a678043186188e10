//! One listed item, asked of the plugin by `Importer.Fetch`: streamed, or a place that the plugin names.
//!
//! Where the plugin asks for another try, it is asked again for what is missing; the digest of the whole is still the
//! host's own. Where it says then that the file is another one by now, what came is let go, and the item is begun anew, once. Never decides what a missing item means for the run: that is `batch`'s business.

use std::path::Path;

use tokio::time::sleep;
use wharf_proto::v1::{self, content::Content, event::Event};
use wharf_store::model::{LogLevel, Staged};
use wharf_supervisor::calls;

use super::Sync;
use super::bytes::{Arrived, landed, request, too_long, verified};
use crate::convert::{self, Pending, PendingFile};
use crate::fetch::Meter;
use crate::problem::{Problem, Scope};
use crate::staging;

/// How often a plugin is asked for one item.
const TRIES: u32 = 3;
/// What a plugin counts that says how far a file is.
const BYTES: &str = "bytes";

/// Asks the plugin for one listed item; where it asks for another try, from where it broke off.
pub(super) async fn from_plugin(
    sync: &Sync<'_>,
    pending: &Pending,
    file: &PendingFile,
    target: &Path,
) -> Result<Arrived, Problem> {
    let mut item = Item::new(file, target).await?;
    let (mut tries, mut begun_anew) = (1, false);
    loop {
        match ask(sync, pending, target, &mut item).await {
            Ok(Answer::Streamed) => {
                let Item { file, revision, writer, .. } = item;
                return arrived(file, revision, writer.finish()?);
            }
            Ok(Answer::Another) if begun_anew => return Err(changing(file)),
            Ok(Answer::Another) => {
                begun_anew = true;
                item = Item::new(file, target).await?;
            }
            Ok(Answer::Placed(arrived)) => return Ok(arrived),
            Err(problem) => match problem.pause() {
                Some(pause) if tries < TRIES && problem.scope == Scope::Item => {
                    let words = format!("{}: {problem}; trying again", file.path);
                    sync.run.log(LogLevel::Info, words).await;
                    let _stopped = sync.cancel.run_until_cancelled(sleep(pause)).await;
                    sync.run.check_cancelled()?;
                    tries += 1;
                }
                _ => return Err(problem),
            },
        }
    }
}

/// What is known of an item, and what came of it so far.
struct Item<'a> {
    file: &'a PendingFile,
    /// What the plugin says that the bytes are a revision of, where it is not the listed one.
    revision: Option<String>,
    writer: staging::Writer,
    /// Whether the call that runs said it.
    told: bool,
    /// Where the call that runs began.
    from: u64,
    /// Bytes of a staged file that the job's meter has.
    metered: u64,
}

impl<'a> Item<'a> {
    async fn new(file: &'a PendingFile, target: &Path) -> Result<Self, Problem> {
        let writer = staging::Writer::create(target).await?;
        Ok(Self { file, revision: None, writer, told: false, from: 0, metered: 0 })
    }

    /// A call begins, where the bytes broke off.
    fn resume(&mut self) {
        self.told = false;
        self.from = self.writer.size();
        self.metered = 0;
    }

    /// How far a file that the plugin stages is, for the job's meter.
    fn staged(&mut self, bytes: u64, meter: &Meter) {
        let fresh = bytes.saturating_sub(self.metered);
        meter.add_bytes(usize::try_from(fresh).unwrap_or(usize::MAX));
        self.metered = self.metered.max(bytes);
    }

    /// Notes what the bytes are a revision of. Says whether it is that of those that came before.
    fn changed(&mut self, revision: String, listed: Option<&String>) -> Result<bool, Problem> {
        if self.writer.size() > self.from || self.told {
            let why = "Content.revision comes once, and before the bytes";
            return Err(Problem::protocol(why));
        }
        self.told = true;
        let same = self.revision.as_ref().or(listed) == Some(&revision);
        if self.from == 0 && !same {
            self.revision = Some(revision);
        }
        Ok(same || self.from == 0)
    }

    /// What the file must have: what was listed does not count for another revision.
    fn size(&self) -> Option<u64> {
        self.file.size.filter(|_| self.revision.is_none())
    }
}

fn changing(file: &PendingFile) -> Problem {
    let message = format!("{}: it changes faster than it can be fetched", file.path);
    Problem::operation("source.changing", message)
        .at(file.path.to_string())
        .help("sync again when nobody writes to it")
}

fn arrived(
    file: &PendingFile,
    revision: Option<String>,
    staged: Staged,
) -> Result<Arrived, Problem> {
    match revision {
        None => verified(file, staged),
        revision => Ok(Arrived { revision, ..Arrived::new(staged) }),
    }
}

/// How `Importer.Fetch` gave an item's bytes.
enum Answer {
    /// To the writer.
    Streamed,
    /// By naming a place where they are.
    Placed(Arrived),
    /// Not at all: what came before is of another revision.
    Another,
}

async fn ask(
    sync: &Sync<'_>,
    pending: &Pending,
    target: &Path,
    item: &mut Item<'_>,
) -> Result<Answer, Problem> {
    let bounds = sync.engine.bounds(sync.run);
    item.resume();
    let mut events = calls::fetch(sync.process, asked(sync, pending, item), &bounds).await?;
    while let Some(event) = events.next().await? {
        let (content, revision) = match event {
            Event::Content(v1::Content { content, revision }) => (content, revision),
            Event::Result(_) => return Ok(Answer::Streamed),
            // Of a size that only the plugin knows nothing is believed before it is there.
            Event::Progress(progress) if progress.unit == BYTES => {
                let most = item.size().unwrap_or_default();
                item.staged(progress.done.min(most), &sync.run.meter);
                continue;
            }
            other => {
                convert::tell(sync.run, other).await?;
                continue;
            }
        };
        if !revision.is_empty() && !item.changed(revision, pending.revision.as_ref())? {
            return Ok(Answer::Another);
        }
        match content {
            None => {}
            Some(Content::Chunk(chunk)) => {
                sync.run.meter.add_bytes(chunk.len());
                item.writer.write(chunk).await?;
                if item.size().is_some_and(|size| item.writer.size() > size) {
                    return Err(too_long(item.file));
                }
            }
            Some(Content::Source(_) | Content::Staged(_)) if item.writer.size() > 0 => {
                return Err(Problem::protocol("Fetch answered with chunks and with a place"));
            }
            Some(Content::Source(source)) => {
                events.done();
                return from_source(sync, source, target, item).await.map(Answer::Placed);
            }
            Some(Content::Staged(path)) => {
                events.done();
                let staged = staged(sync, &path).await?;
                item.staged(staged.size, &sync.run.meter);
                return arrived(item.file, item.revision.take(), staged).map(Answer::Placed);
            }
        }
    }
    Err(Problem::protocol("Fetch ended without a result"))
}

async fn from_source(
    sync: &Sync<'_>,
    source: v1::Source,
    target: &Path,
    item: &mut Item<'_>,
) -> Result<Arrived, Problem> {
    let mut request = request(sync, item.file, vec![convert::store_source(source)], target);
    request.size = item.size();
    let fetched = sync.engine.fetcher.fetch(&request, &sync.cancel, &sync.run.meter).await;
    Ok(Arrived { revision: item.revision.take(), ..landed(target, fetched)? })
}

async fn staged(sync: &Sync<'_>, path: &str) -> Result<Staged, Problem> {
    let path = path.parse().map_err(|error| {
        Problem::protocol(format!("Content.staged is no relative path: {error}"))
    })?;
    staging::hash_below(sync.run.folder.path(), &path).await
}

/// From where the bytes broke off, of the revision that came so far.
fn asked(sync: &Sync<'_>, pending: &Pending, item: &Item<'_>) -> v1::FetchRequest {
    let unit = v1::Unit {
        r#type: pending.definition.id.clone(),
        key: pending.declared_key.clone(),
        attributes: pending.attributes.clone(),
        files: vec![v1::File {
            path: item.file.path.to_string(),
            size: item.file.size,
            digests: item.file.digests.clone(),
            ..v1::File::default()
        }],
        ..v1::Unit::default()
    };
    let revision = item.revision.as_ref().or(pending.revision.as_ref());
    v1::FetchRequest {
        context: Some(sync.context.clone()),
        attachment: Some(sync.setup.wire_attachment()),
        unit: Some(unit),
        revision: revision.cloned().unwrap_or_default(),
        offset: item.writer.size(),
    }
}
