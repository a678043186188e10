//! Content that users bring: bytes first, piece by piece, then one job that makes units of them.
//!
//! The way through: [`Engine::begin_upload`] → [`Engine::append`] until all bytes are on the disk, whoever dies
//! meanwhile → [`Engine::import`] submits a job, which is [`import::run`]. An upload that nobody goes on with is
//! forgotten after a while. Who may upload from outside is in [`tokens`].
//!
//! Never looks into the bytes, and never takes a digest's word for them: what the store has already must be brought all
//! the same (F116).

mod choose;
pub(crate) mod import;
mod tokens;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use wharf_store::Error;
use wharf_store::model::{Digest, NewUpload, RelativePath, Repository, Upload, UploadId};

pub use import::{ImportFile, ImportOptions};
pub use tokens::NewToken;

use crate::clock;
use crate::engine::{Engine, Inner};
use crate::imports;
use crate::problem::Problem;
use crate::staging::{self, Folder};

/// How often uploads that are too old are looked for, at least.
const LOOK: Duration = Duration::from_mins(10);

/// What may be brought, and for how long it is kept unfinished.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest file, in bytes.
    pub size: u64,
    /// Files that are not imported yet, of all repositories.
    pub unfinished: usize,
    /// How long one is kept after its last byte came.
    pub age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { size: 64 << 30, unfinished: 10_000, age: Duration::from_hours(24) }
    }
}

/// An upload to be begun.
#[derive(Debug, Clone, Default)]
pub struct UploadOptions {
    /// The file's name; a relative path.
    pub name: String,
    /// Its size, if that is known.
    pub size: Option<u64>,
    /// Its digest, if that is known: what comes is held against it.
    pub sha256: Option<Digest>,
    /// The importer that is to take it; None: whichever of the repository does.
    pub component: Option<String>,
    /// The type of the units; empty: the importer finds out.
    pub kind: String,
}

/// An upload as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadView {
    /// The stored row.
    pub upload: Upload,
    /// The name of its repository.
    pub repository: String,
    /// When it is forgotten, unless more comes.
    pub expires_ms: i64,
}

/// Uploads that somebody writes at this moment.
#[derive(Default)]
pub(crate) struct Busy(Mutex<HashSet<UploadId>>);

/// The right to write an upload, for as long as it lives.
struct Writing<'a> {
    busy: &'a Busy,
    id: UploadId,
}

impl Busy {
    fn take(&self, id: UploadId) -> Result<Writing<'_>, Problem> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            return Ok(Writing { busy: self, id });
        }
        let message = format!("upload {id} is being written by somebody else");
        Err(Problem::usage("conflict.upload", message).help("ask how far it is, then go on"))
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Engine {
    /// Begins an upload into a repository that has an importer for it.
    pub async fn begin_upload(
        &self,
        repository: &str,
        wanted: UploadOptions,
    ) -> Result<UploadView, Problem> {
        let engine = &self.inner;
        let repository = engine.repository(repository).await?;
        if !imports::takes(&wanted.kind) {
            engine.uploader(&repository, wanted.component.as_deref(), &wanted.kind).await?;
        }
        let name = checked_name(&wanted.name)?;
        let limits = &engine.config.uploads;
        if wanted.size.is_some_and(|size| size > limits.size) {
            return Err(too_large(&wanted.name, limits.size));
        }
        engine.expire().await?;
        if engine.store.meta.uploads(None).await?.len() >= limits.unfinished {
            let message = format!("there are {} unfinished uploads already", limits.unfinished);
            return Err(Problem::operation("limit.uploads", message)
                .help("finish or delete some; they are forgotten by themselves after a while"));
        }
        let new = NewUpload {
            repository: repository.id,
            name: name.to_string(),
            size: wanted.size,
            sha256: wanted.sha256,
        };
        let upload = engine.store.meta.begin_upload(new).await?;
        Ok(engine.show(upload, repository.name.to_string()))
    }

    /// The unfinished uploads of a repository, the oldest first.
    pub async fn uploads(&self, repository: &str) -> Result<Vec<UploadView>, Problem> {
        let repository = self.inner.repository(repository).await?;
        self.inner.expire().await?;
        let uploads = self.inner.store.meta.uploads(Some(repository.id)).await?;
        let view = |upload| self.inner.show(upload, repository.name.to_string());
        Ok(uploads.into_iter().map(view).collect())
    }

    /// How many uploads are unfinished, of all repositories.
    pub async fn unfinished_uploads(&self) -> Result<usize, Problem> {
        self.inner.expire().await?;
        Ok(self.inner.store.meta.uploads(None).await?.len())
    }

    /// How far an upload is.
    pub async fn upload(&self, id: i64) -> Result<UploadView, Problem> {
        self.inner.expire().await?;
        let upload = self.inner.upload(UploadId(id)).await?;
        let repository = self.inner.store.meta.repository_by_id(upload.repository).await?;
        let repository = repository.ok_or_else(|| no_upload(upload.id))?;
        Ok(self.inner.show(upload, repository.name.to_string()))
    }

    /// Adds bytes to an upload, at the place where it goes on. They are on the disk when this returns. `sha256`: what
    /// these bytes must be, if that is known.
    ///
    /// # Errors
    ///
    /// `conflict.offset` with `details.received`, when it goes on elsewhere; `integrity.digest`.
    pub async fn append(
        &self,
        id: i64,
        offset: u64,
        bytes: bytes::Bytes,
        sha256: Option<Digest>,
    ) -> Result<UploadView, Problem> {
        let engine = &self.inner;
        let id = UploadId(id);
        let _writing = engine.uploading.take(id)?;
        let upload = engine.upload(id).await?;
        if upload.received != offset {
            let message = format!("{} goes on at byte {}", upload.name, upload.received);
            return Err(Problem::usage("conflict.offset", message)
                .details(json!({ "received": upload.received })));
        }
        let received = offset.saturating_add(bytes.len() as u64);
        if let Some(size) = upload.size.filter(|size| received > *size) {
            let message = format!("{} was announced with {size} bytes, and more came", upload.name);
            return Err(Problem::operation("integrity.size", message).at(upload.name));
        }
        if received > engine.config.uploads.size {
            return Err(too_large(&upload.name, engine.config.uploads.size));
        }
        if let Some(expected) = sha256 {
            check_piece(&upload.name, bytes.clone(), expected).await?;
        }
        engine.store.uploads.write(id, offset, bytes).await?;
        engine.store.meta.received(id, offset, received).await?;
        self.upload(id.0).await
    }

    /// Forgets an upload and its bytes.
    pub async fn delete_upload(&self, id: i64) -> Result<(), Problem> {
        let id = UploadId(id);
        let _writing = self.inner.uploading.take(id)?;
        self.inner.upload(id).await?;
        Ok(self.inner.forget(vec![id]).await?)
    }
}

/// Forgets what is too old, now and then, until the engine stops: also where nobody uploads any more.
pub(crate) async fn keep(engine: Arc<Inner>) {
    let wait = (engine.config.uploads.age / 8).min(LOOK);
    loop {
        tokio::select! {
            () = engine.stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        if let Err(error) = engine.expire().await {
            tracing::warn!(%error, "unfinished uploads cannot be looked at");
        }
    }
}

impl Inner {
    /// Forgets uploads that nobody went on with (F116), when it has been a while.
    pub(crate) async fn expire(&self) -> Result<(), Error> {
        let age = i64::try_from(self.config.uploads.age.as_millis()).unwrap_or(i64::MAX);
        let before = clock::now_ms().saturating_sub(age);
        let all = self.store.meta.uploads(None).await?;
        let old: Vec<UploadId> =
            all.iter().filter(|upload| upload.touched_ms <= before).map(|it| it.id).collect();
        if old.is_empty() {
            return Ok(());
        }
        tracing::info!(count = old.len(), "unfinished uploads are too old and were forgotten");
        self.forget(old).await
    }

    /// Removes what a host that died left: files that belong to no upload.
    pub(crate) async fn sweep_uploads(&self) -> Result<(), Error> {
        self.expire().await?;
        let known = self.store.meta.uploads(None).await?.into_iter().map(|upload| upload.id);
        self.store.uploads.keep(known.collect()).await
    }

    async fn upload(&self, id: UploadId) -> Result<Upload, Problem> {
        self.store.meta.upload(id).await?.ok_or_else(|| no_upload(id))
    }

    /// The rows go first: bytes without a row are swept away at the next start, a row without bytes would be a lie.
    pub(crate) async fn forget(&self, ids: Vec<UploadId>) -> Result<(), Error> {
        self.store.meta.forget_uploads(ids.clone()).await?;
        for id in ids {
            self.store.uploads.remove(id).await?;
        }
        Ok(())
    }

    fn show(&self, upload: Upload, repository: String) -> UploadView {
        let age = i64::try_from(self.config.uploads.age.as_millis()).unwrap_or(i64::MAX);
        UploadView { expires_ms: upload.touched_ms.saturating_add(age), upload, repository }
    }
}

async fn check_piece(name: &str, bytes: bytes::Bytes, expected: Digest) -> Result<(), Problem> {
    let digest = staging::blocking(move || Ok(Digest::of(&bytes))).await?;
    if digest == expected {
        return Ok(());
    }
    let message = format!("a piece of {name} arrived damaged: its sha256 is {digest}");
    Err(Problem::operation("integrity.digest", message).at(name).help("send it again"))
}

/// A name that can stand in a published tree and in a job's folder.
fn checked_name(name: &str) -> Result<RelativePath, Problem> {
    let named: Result<RelativePath, _> = name.parse();
    named.map_err(|error| {
        let message = format!("{name:?} cannot be the name of an uploaded file: {error}");
        Problem::usage("usage.name", message).at("name")
    })
}

fn too_large(name: &str, most: u64) -> Problem {
    Problem::operation(
        "limit.upload",
        format!("{name} is larger than {most} bytes, the most allowed"),
    )
    .at(name)
}

fn no_upload(id: UploadId) -> Problem {
    Problem::usage("not_found.upload", format!("there is no upload {id}"))
        .help("it was imported, deleted, or too old; begin a new one")
}

/// An upload for this repository, all of whose bytes came.
pub(crate) async fn complete(
    engine: &Inner,
    repository: &Repository,
    id: UploadId,
) -> Result<Upload, Problem> {
    let upload = engine.upload(id).await?;
    if upload.repository != repository.id {
        let message = format!("upload {id} is not for repository {}", repository.name);
        return Err(Problem::usage("usage.files", message).at("uploads"));
    }
    match upload.size.filter(|size| *size != upload.received) {
        None => Ok(upload),
        Some(size) => {
            let message =
                format!("of {} only {} of {size} bytes came", upload.name, upload.received);
            Err(Problem::usage("conflict.unfinished", message).at(upload.name))
        }
    }
}

/// Copies an upload into a job's folder and hashes it on the way; it stays where it is until the job succeeded.
pub(crate) async fn stage(
    engine: &Inner,
    upload: &Upload,
    folder: &Folder,
) -> Result<wharf_store::model::Staged, Problem> {
    let from = engine.store.uploads.open(upload.id).await?;
    let (target, received) = (folder.fresh_brought(), upload.received);
    staging::copy(from, received, &target).await
}
