//! What every context knows of its job, and can ask of the host.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use tokio::io::AsyncRead;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wharf_proto::v1;

use crate::Error;
use crate::host::{
    Artifact, Download, Downloaded, Downloads, Host, Query, SavedUnit, SignForm, Signed, State,
    StateScope, Stored, UnitPages,
};
use crate::model::{Unit, UnitRef, from_object};

/// The part of a context that asks: [`Context`](crate::Context) and [`HookContext`](crate::HookContext) give all of it.
/// Cheap to clone; clones are one and the same call.
#[derive(Clone)]
pub struct Ask {
    inner: Arc<Inner>,
}

struct Inner {
    job: v1::JobContext,
    started: Instant,
    cancel: CancellationToken,
    host: Host,
    tasks: TaskTracker,
}

impl Ask {
    /// `tasks`: who owns what a call leaves to be done.
    pub(super) fn new(
        job: v1::JobContext,
        cancel: CancellationToken,
        host: Host,
        tasks: TaskTracker,
    ) -> Self {
        Self { inner: Arc::new(Inner { job, started: Instant::now(), cancel, host, tasks }) }
    }

    pub(super) fn host(&self) -> &Host {
        &self.inner.host
    }

    pub(super) fn tasks(&self) -> TaskTracker {
        self.inner.tasks.clone()
    }

    /// The job's number, for logs.
    pub fn job_number(&self) -> u64 {
        self.inner.job.job
    }

    /// 1 for the first try, 2 for the retry after a fault.
    pub fn attempt(&self) -> u32 {
        self.inner.job.attempt
    }

    /// The job's private folder, absolute. Files for the host are staged in it and named relative to it.
    pub fn work_dir(&self) -> &Path {
        Path::new(&self.inner.job.work_dir)
    }

    /// The absolute path of a file in the work folder.
    pub fn in_work_dir(&self, name: impl AsRef<Path>) -> PathBuf {
        self.work_dir().join(name)
    }

    /// W3C trace context of the call, or an empty text.
    pub fn traceparent(&self) -> &str {
        &self.inner.job.traceparent
    }

    /// How much time is left; `None` when no limit is set.
    pub fn time_left(&self) -> Option<Duration> {
        let limit = Duration::from_millis(self.inner.job.deadline_ms);
        (!limit.is_zero()).then(|| limit.saturating_sub(self.inner.started.elapsed()))
    }

    /// Whether a stop is wanted.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancel.is_cancelled()
    }

    /// Returns as soon as a stop is wanted; for work that does not talk to the host.
    pub async fn cancelled(&self) {
        self.inner.cancel.cancelled().await;
    }

    /// Does `work`, and drops it as soon as a stop is wanted: a server that does not answer holds up no stop.
    ///
    /// # Errors
    /// [`Error::cancelled`]; what `work` says.
    pub async fn or_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.inner.cancel.cancelled() => Err(Error::cancelled()),
            done = work => done,
        }
    }

    /// Has the host download one file into the work folder.
    ///
    /// # Errors
    /// What the host says about this download; [`Error::cancelled`].
    pub async fn download(&self, download: Download) -> Result<Downloaded, Error> {
        let mut downloads = self.download_all(vec![download]).await?;
        match self.or_cancelled(downloads.next()).await? {
            Some((_, outcome)) => outcome,
            None => Err(Error::fault("internal.host", "the host left a download unanswered")),
        }
    }

    /// Has the host download many files; each is answered as it is done.
    ///
    /// # Errors
    /// What the host says about the request; [`Error::cancelled`].
    pub async fn download_all(&self, downloads: Vec<Download>) -> Result<Downloads, Error> {
        self.or_cancelled(self.inner.host.download(downloads)).await
    }

    /// Units of the job's version, in pages.
    ///
    /// # Errors
    /// What the host says about the query; [`Error::cancelled`].
    pub async fn units(&self, query: Query) -> Result<UnitPages, Error> {
        self.or_cancelled(self.inner.host.query(query)).await
    }

    /// Units by name, as far as the job may see them.
    ///
    /// # Errors
    /// What the host says, for example that there is no such unit; [`Error::cancelled`].
    pub async fn get_units(&self, named: Vec<UnitRef>) -> Result<Vec<Unit>, Error> {
        self.or_cancelled(self.inner.host.get_units(named)).await
    }

    /// As [`Context::unit`](crate::Context::unit), but says what was new, in the order given.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn save_units(&self, units: Vec<Unit>) -> Result<Vec<SavedUnit>, Error> {
        self.or_cancelled(self.inner.host.save_units(units)).await
    }

    /// Which of these digests, each `sha256:HEX`, the host has bytes for; in the order asked.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn has_artifacts(&self, digests: Vec<String>) -> Result<Vec<bool>, Error> {
        self.or_cancelled(self.inner.host.has_artifacts(digests)).await
    }

    /// Reads the bytes of a file that the job may read, by `sha256:HEX`, from an offset.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn open_artifact(&self, digest: &str, offset: u64) -> Result<Artifact, Error> {
        self.or_cancelled(self.inner.host.open_artifact(digest, offset)).await
    }

    /// Stores all that can be read, in order, and says under which digest.
    ///
    /// # Errors
    /// An operation error with code `storage.read` when the bytes cannot be read: nothing is stored then. What the host
    /// says; [`Error::cancelled`].
    pub async fn put_artifact(&self, from: impl AsyncRead + Send + Unpin) -> Result<Stored, Error> {
        self.or_cancelled(self.inner.host.put_artifact(from)).await
    }

    /// The effective settings of the job's attachment or instance, as the host has them now, read into the author's own
    /// type.
    ///
    /// # Errors
    /// A usage error that says what does not fit. What the host says; [`Error::cancelled`].
    pub async fn settings<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let settings = self.or_cancelled(self.inner.host.settings()).await?;
        from_object("the settings", &settings)
    }

    /// A secret of the call's instance, by one of the names that the instance lists.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn secret(&self, name: &str) -> Result<Bytes, Error> {
        self.or_cancelled(self.inner.host.secret(name)).await
    }

    /// Has the host sign something with the key that the attachment names, of which the request tells in `signing`.
    ///
    /// # Errors
    /// What the host says, for example that the attachment names none; [`Error::cancelled`].
    pub async fn sign(&self, form: SignForm, bytes: Vec<u8>) -> Result<Signed, Error> {
        self.or_cancelled(self.inner.host.sign(form, bytes, self.work_dir())).await
    }

    /// A small piece of the plugin's own state; `None` when there is none.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn get_state(&self, scope: StateScope, key: &str) -> Result<Option<State>, Error> {
        self.or_cancelled(self.inner.host.get_state(scope, key)).await
    }

    /// Replaces a piece of state, at most 64 KiB; `revision` is that of the state it replaces, 0 when there is
    /// none. Counts only if the job succeeds, unless `durable`. Answers the new revision.
    ///
    /// # Errors
    /// An operation error with code `conflict` when somebody else was faster; [`Error::cancelled`].
    pub async fn put_state(
        &self,
        scope: StateScope,
        key: &str,
        state: State,
        durable: bool,
    ) -> Result<u64, Error> {
        self.or_cancelled(self.inner.host.put_state(scope, key, state, durable)).await
    }
}
