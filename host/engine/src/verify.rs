//! Reads all stored bytes again and holds them against their names.
//!
//! The path: page by page, several files at once → what is gone, shorter, changed or unreadable is noted as lost, so
//! that nobody is given it (I6), and moved out of the way → with `repair` it is fetched again from where a sync once
//! said that it is → what stays broken is told with every unit and version that uses it (F84, F85), by this run and by
//! each later one until it is here again. A unit's file that is not repaired is fetched by the next sync, or when a
//! client asks for it, as any that waits upstream.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use wharf_store::model::{Digest, Holding, LogLevel, RepositoryId, Stored, Usage};

use crate::content::restore;
use crate::engine::{Engine, Inner};
use crate::jobs::run::JobRun;
use crate::jobs::view::{JobResult, JobView};
use crate::problem::Problem;
use crate::staging;

/// The operation, as jobs are called by it.
pub(crate) const OPERATION: &str = "verify";
/// Files read at once: a disk has little use of more, and others want to read too.
const AT_ONCE: usize = 4;
/// Blobs of one page.
const PAGE: u32 = 500;
/// Users of broken bytes that a message names; its details name more.
const NAMED: usize = 5;

/// What is to be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VerifyOptions {
    /// The bytes of this repository's versions and publications. None: all.
    pub repository: Option<String>,
    /// Fetch again what is broken.
    pub repair: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Summary {
    checked: u64,
    bytes: u64,
    missing: u64,
    corrupt: u64,
    repaired: u64,
}

/// What is wrong with bytes.
enum Flaw {
    Missing,
    /// What they are instead, and how many.
    Corrupt(Digest, u64),
    Unreadable(io::Error),
}

impl Engine {
    /// Asks for stored bytes to be read again and held against their names.
    pub async fn verify(&self, options: VerifyOptions) -> Result<JobView, Problem> {
        let engine = &self.inner;
        let repository = match &options.repository {
            Some(name) => Some(engine.repository(name).await?.id),
            None => None,
        };
        engine.submit_on(OPERATION, repository, serde_json::to_string(&options)?).await
    }
}

/// Runs the job.
pub(crate) async fn run(engine: &Arc<Inner>, run: &JobRun) -> Result<JobResult, Problem> {
    let options: VerifyOptions = serde_json::from_str(&run.job.arguments)?;
    let repository: Option<RepositoryId> = run.job.repository_id;
    let meta = &engine.store.meta;
    let (blobs, bytes) = meta.count_stored(repository).await?;
    run.log(LogLevel::Info, format!("{blobs} blobs, {bytes} bytes to read")).await;
    let mut summary = Summary::default();
    let mut after = 0;
    loop {
        let page = meta.stored(repository, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.row;
        let mut looked_at = stream::iter(page)
            .map(async |stored| (stored, look_at(engine, run, stored).await))
            .buffer_unordered(AT_ONCE);
        while let Some((stored, flaw)) = looked_at.next().await {
            run.check_cancelled()?;
            summary.checked += 1;
            summary.bytes += stored.size;
            run.progress(|progress| {
                "verifying".clone_into(&mut progress.phase);
                "blobs".clone_into(&mut progress.unit);
                (progress.done, progress.total) = (summary.checked, blobs);
            });
            match flaw? {
                Some(flaw) => {
                    deal_with(engine, run, &options, stored, flaw, &mut summary).await?;
                }
                None if stored.lost => meta.found(run.lease, stored.digest).await?,
                None => {}
            }
        }
    }
    let changed = summary.missing + summary.corrupt > 0;
    let summary = Some(serde_json::to_value(&summary)?);
    Ok(JobResult { changed, summary, ..run.result() })
}

/// Reads bytes to their end.
async fn look_at(engine: &Inner, run: &JobRun, stored: Stored) -> Result<Option<Flaw>, Problem> {
    run.check_cancelled()?;
    let blobs = engine.store.blobs.clone();
    let cancel = run.cancel.clone();
    staging::blocking(move || {
        let Some((file, _size)) = blobs.open_blocking(stored.digest)? else {
            return Ok(Some(Flaw::Missing));
        };
        Ok(match wharf_store::blobs::hash(Watched { file, cancel: cancel.clone() }) {
            Ok((digest, size)) if digest == stored.digest && size == stored.size => None,
            Ok((digest, size)) => Some(Flaw::Corrupt(digest, size)),
            Err(_stopped) if cancel.is_cancelled() => return Err(Problem::cancelled()),
            Err(error) => Some(Flaw::Unreadable(error)),
        })
    })
    .await
}

/// A file that cannot be read any more when the job is to stop.
struct Watched {
    file: File,
    cancel: CancellationToken,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.file.read(into)
    }
}

async fn deal_with(
    engine: &Arc<Inner>,
    run: &JobRun,
    options: &VerifyOptions,
    stored: Stored,
    flaw: Flaw,
    summary: &mut Summary,
) -> Result<(), Problem> {
    let digest = stored.digest;
    let lost_before = stored.lost && matches!(flaw, Flaw::Missing);
    let (code, what) = match &flaw {
        Flaw::Missing if lost_before => ("integrity.missing", "was lost earlier".to_owned()),
        Flaw::Missing => ("integrity.missing", "is gone from the disk".to_owned()),
        Flaw::Corrupt(got, size) => (
            "integrity.corrupt",
            format!("holds {size} bytes with the digest {got} instead of {}", stored.size),
        ),
        Flaw::Unreadable(error) => ("integrity.unreadable", format!("cannot be read: {error}")),
    };
    *(if matches!(flaw, Flaw::Missing) { &mut summary.missing } else { &mut summary.corrupt }) += 1;
    let meta = &engine.store.meta;
    // It may have been brought since it was looked for, and is not to be lost again.
    if !lost_before {
        meta.lost(run.lease, digest).await?;
        engine.store.blobs.quarantine(digest).await?;
    }
    let usages = meta.usages(digest).await?;
    let published = meta.published_as(digest).await?;
    let (key, users) = users(&usages, published.as_deref());
    let message = format!("sha256:{digest} {what}; {users}");
    let mut why_not =
        if options.repair { "no source is known" } else { "not asked for" }.to_owned();
    for usage in usages.iter().filter(|_| options.repair) {
        let file = (usage.unit, usage.path.clone());
        match restore(engine, file, digest, stored.size, &run.cancel, &run.meter).await {
            Ok(()) => {
                summary.repaired += 1;
                run.warn("integrity.repaired", format!("{message}; it was fetched again"), key)
                    .await;
                return Ok(());
            }
            Err(problem) if problem.class == crate::problem::Class::Cancelled => {
                return Err(problem);
            }
            Err(problem) => why_not = problem.message,
        }
    }
    meta.incomplete(run.lease, digest).await?;
    let help = match (usages.is_empty(), &published) {
        (true, Some(_)) => "publish the repository again with --full",
        (true, None) => "nobody needs it, and `wharf gc` forgets it",
        _ if !has_source(engine, &usages).await? => "no source of it is known: upload it again",
        _ if options.repair => "the next sync brings it, once its source is back",
        _ => "`wharf verify --repair` fetches it again, and so does the next sync",
    };
    let problem = Problem::operation(code, format!("{message}; repair: {why_not}"))
        .at(format!("sha256:{digest}"))
        .help(help)
        .details(json!({ "used_by": usages.iter().map(described).collect::<Vec<_>>() }));
    run.failed(&key, problem).await;
    Ok(())
}

/// Whether a sync ever said where any of these files is.
async fn has_source(engine: &Inner, usages: &[Usage]) -> Result<bool, Problem> {
    for usage in usages {
        if !engine.store.meta.sources(usage.unit, &usage.path).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A name for the item, and who uses it, in words.
fn users(usages: &[Usage], published: Option<&str>) -> (String, String) {
    let named = |usage: &Usage| {
        let versions: Vec<String> = usage.holdings.iter().map(span).collect();
        let versions =
            if versions.is_empty() { "no version".to_owned() } else { versions.join(", ") };
        format!("{} of unit {} ({versions})", usage.path, usage.unit)
    };
    match (usages, published) {
        ([], Some(path)) => (path.to_owned(), format!("it is published as {path}")),
        ([], None) => (String::new(), "nobody uses it".to_owned()),
        ([first, ..], _) => {
            let mut names: Vec<String> = usages.iter().take(NAMED).map(named).collect();
            if usages.len() > NAMED {
                names.push("and others".to_owned());
            }
            (first.path.to_string(), format!("used as {}", names.join(", ")))
        }
    }
}

/// `tools 3-5`, `tools 7 on`.
fn span(holding: &Holding) -> String {
    let Holding { repository, added_in, removed_in } = holding;
    match removed_in.map(|end| end.saturating_sub(1)) {
        None => format!("{repository} {added_in} on"),
        Some(last) if last == *added_in => format!("{repository} {last}"),
        Some(last) => format!("{repository} {added_in}-{last}"),
    }
}

fn described(usage: &Usage) -> serde_json::Value {
    let versions: Vec<_> = usage
        .holdings
        .iter()
        .map(|holding| {
            json!({
                "repository": holding.repository,
                "added_in": holding.added_in,
                "removed_in": holding.removed_in,
            })
        })
        .collect();
    json!({
        "unit": usage.unit.0,
        "type": usage.type_name,
        "key": serde_json::from_str::<serde_json::Value>(&usage.key).unwrap_or_default(),
        "path": usage.path.as_str(),
        "versions": versions,
    })
}
