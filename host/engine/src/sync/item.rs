//! One listed item, asked of the plugin by `Importer.Fetch`: streamed, or a place that the plugin names.
//!
//! Where the plugin asks for another try, it is asked again for what is missing; the digest of the whole is still the
//! host's own. Never decides what a missing item means for the run: that is `batch`'s business.

use std::path::Path;

use tokio::time::sleep;
use wharf_proto::v1::{self, content::Content, event::Event};
use wharf_store::model::LogLevel;
use wharf_supervisor::calls;

use super::Sync;
use super::bytes::{Arrived, landed, request, too_long, verified};
use crate::convert::{self, Pending, PendingFile};
use crate::problem::{Problem, Scope};
use crate::staging;

/// How often a plugin is asked for one item.
const TRIES: u32 = 3;

/// Asks the plugin for one listed item; where it asks for another try, from where it broke off.
pub(super) async fn from_plugin(
    sync: &Sync<'_>,
    pending: &Pending,
    file: &PendingFile,
    target: &Path,
) -> Result<Arrived, Problem> {
    let mut writer = staging::Writer::create(target).await?;
    let mut tries = 1;
    loop {
        match ask(sync, pending, file, target, &mut writer).await {
            Ok(Answer::Streamed) => return verified(file, writer.finish()?),
            Ok(Answer::Placed(arrived)) => return Ok(arrived),
            Err(problem) => match problem.retry {
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

/// How `Importer.Fetch` gave an item's bytes.
enum Answer {
    /// To the writer.
    Streamed,
    /// By naming a place where they are.
    Placed(Arrived),
}

async fn ask(
    sync: &Sync<'_>,
    pending: &Pending,
    file: &PendingFile,
    target: &Path,
    writer: &mut staging::Writer,
) -> Result<Answer, Problem> {
    let asked = fetch_request(sync, pending, file, writer.size());
    let bounds = sync.engine.bounds(sync.run);
    let mut events = calls::fetch(sync.process, asked, &bounds).await?;
    while let Some(event) = events.next().await? {
        match event {
            Event::Content(v1::Content { content: Some(content) }) => match content {
                Content::Chunk(chunk) => {
                    sync.run.meter.add_bytes(chunk.len());
                    writer.write(chunk).await?;
                    if file.size.is_some_and(|size| writer.size() > size) {
                        return Err(too_long(file));
                    }
                }
                Content::Source(_) | Content::Staged(_) if writer.size() > 0 => {
                    return Err(Problem::protocol("Fetch answered with chunks and with a place"));
                }
                Content::Source(source) => {
                    let sources = vec![convert::store_source(source)];
                    let request = request(sync, file, sources, target);
                    let (cancel, meter) = (&sync.cancel, &sync.run.meter);
                    let fetched = sync.engine.fetcher.fetch(&request, cancel, meter).await;
                    events.done();
                    return landed(target, fetched).map(Answer::Placed);
                }
                Content::Staged(path) => {
                    let path = path.parse().map_err(|error| {
                        Problem::protocol(format!("Content.staged is no relative path: {error}"))
                    })?;
                    let staged = staging::hash_below(sync.run.folder.path(), &path).await?;
                    events.done();
                    return verified(file, staged).map(Answer::Placed);
                }
            },
            Event::Result(_) => return Ok(Answer::Streamed),
            other => convert::tell(sync.run, other).await?,
        }
    }
    Err(Problem::protocol("Fetch ended without a result"))
}

fn fetch_request(
    sync: &Sync<'_>,
    pending: &Pending,
    file: &PendingFile,
    offset: u64,
) -> v1::FetchRequest {
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
    v1::FetchRequest {
        context: Some(sync.context.clone()),
        attachment: Some(sync.setup.wire_attachment()),
        unit: Some(unit),
        revision: pending.revision.clone().unwrap_or_default(),
        offset,
    }
}
