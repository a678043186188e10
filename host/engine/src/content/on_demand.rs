//! Fetching a published file when a client first asks: once for all who wait, verified before the last byte leaves,
//! kept unless the attachment's policy is `streamed`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wharf_store::model::{Digest, FileSource, JobId, PublishedEntry, RelativePath, Staged, UnitId};

use crate::engine::Inner;
use crate::fetch::{self, Fetched, Follow, Meter, Reader, Request, Trust};
use crate::instances::Bound;
use crate::instances::settings::{ImporterSettings, Policy};
use crate::problem::Problem;
use crate::staging::Folder;

type File = (UnitId, RelativePath);

/// The fetches that run now.
pub(crate) struct OnDemand {
    running: Mutex<HashMap<File, Follow>>,
    folder: Folder,
    tasks: TaskTracker,
}

impl OnDemand {
    /// `folder` takes files on their way.
    pub(crate) fn new(folder: std::path::PathBuf) -> Self {
        Self { running: Mutex::default(), folder: Folder::new(folder), tasks: TaskTracker::new() }
    }

    /// Waits for the fetches that run; they were cancelled with the engine.
    pub(crate) async fn shutdown(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn running(&self) -> MutexGuard<'_, HashMap<File, Follow>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a file may come from, and whether it is kept.
struct Plan {
    request: Request,
    keep: bool,
}

/// Joins the fetch of this file, or begins it.
pub(crate) async fn fetch(engine: &Arc<Inner>, entry: &PublishedEntry) -> Result<Reader, Problem> {
    let file = entry.unit.clone().ok_or_else(|| {
        Problem::operation(
            "integrity.lost",
            "the bytes are gone, and no upstream is known for them",
        )
    })?;
    let joined = engine.on_demand.running().get(&file).map(|follow| follow.reader(0));
    let mut reader = match joined {
        Some(reader) => reader,
        None => begin(engine, entry, file).await?,
    };
    reader.started().await.map_err(|broken| Problem::operation(broken.code, broken.message))?;
    Ok(reader)
}

async fn begin(engine: &Arc<Inner>, entry: &PublishedEntry, file: File) -> Result<Reader, Problem> {
    let mut plan = plan(engine, (entry.sha256, entry.size), &file).await?;
    let follow = Follow::new();
    let reader = follow.reader(0);
    {
        let mut running = engine.on_demand.running();
        if let Some(other) = running.get(&file) {
            return Ok(other.reader(0));
        }
        running.insert(file.clone(), follow.clone());
    }
    plan.request.follow = Some(follow);
    let worker = Arc::clone(engine);
    engine.on_demand.tasks.spawn(async move {
        let outcome = bring(&worker, &plan, &file).await;
        worker.on_demand.running().remove(&file);
        if let Err(problem) = outcome {
            tracing::warn!(path = %file.1, %problem, "a published file could not be fetched");
        }
    });
    Ok(reader)
}

async fn bring(engine: &Inner, plan: &Plan, file: &File) -> Result<(), Problem> {
    bring_with(engine, plan, file, &engine.stop, &Meter::default()).await
}

/// Fetches a file again whose bytes the store had and lost.
pub(crate) async fn restore(
    engine: &Inner,
    file: File,
    digest: Digest,
    size: u64,
    cancel: &CancellationToken,
    meter: &Meter,
) -> Result<(), Problem> {
    let plan = Plan { keep: true, ..plan(engine, (Some(digest), Some(size)), &file).await? };
    bring_with(engine, &plan, &file, cancel, meter).await
}

async fn bring_with(
    engine: &Inner,
    plan: &Plan,
    file: &File,
    cancel: &CancellationToken,
    meter: &Meter,
) -> Result<(), Problem> {
    let fetched = engine.fetcher.fetch(&plan.request, cancel, meter).await?;
    let target = plan.request.target.clone();
    let Fetched::Done(done) = fetched else {
        return Err(Problem::fault("internal", "an unasked answer: not modified"));
    };
    if !plan.keep {
        return remove(target).await;
    }
    let staged = Staged { path: target, digest: done.sha256, size: done.size };
    engine.store.blobs.adopt(vec![staged]).await?;
    let added = engine.store.meta.artifact_added(file.0, &file.1, done.sha256, done.size).await;
    engine.store.blobs.let_go(JobId(0), done.sha256);
    Ok(added?)
}

async fn remove(path: std::path::PathBuf) -> Result<(), Problem> {
    crate::staging::blocking(move || {
        std::fs::remove_file(&path).map_err(|error| {
            Problem::operation("storage.write", format!("{}: {error}", path.display()))
        })
    })
    .await
}

/// The addresses known for a file, each attachment's with what its settings trust.
async fn plan(
    engine: &Inner,
    (sha256, size): (Option<Digest>, Option<u64>),
    file: &File,
) -> Result<Plan, Problem> {
    let origins: Vec<FileSource> = engine.store.meta.sources(file.0, &file.1).await?;
    if origins.is_empty() {
        return Err(Problem::operation(
            "source.none",
            format!("no upstream is known for {}", file.1),
        ));
    }
    let mut trust = Trust::public();
    let mut keep = false;
    for origin in &origins {
        for attachment in engine.store.meta.attachments(origin.repository).await? {
            if attachment.role != "importer" {
                continue;
            }
            let bound = Bound::unready(engine, &attachment)?;
            let settings: ImporterSettings = bound.host_settings()?;
            keep |= settings.policy != Policy::Streamed;
            trust = bound.trusted(trust);
        }
    }
    let digests = sha256.iter().map(|digest| format!("sha256:{digest}")).collect();
    let request = Request {
        sources: origins.into_iter().map(|origin| origin.source).collect(),
        target: engine.on_demand.folder.fresh(),
        size,
        digests,
        trust: Arc::new(trust),
        ..fetch::Request::default()
    };
    Ok(Plan { request, keep })
}
