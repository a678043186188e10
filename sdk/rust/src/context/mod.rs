//! What a running call can tell the host and ask of it.
//!
//! A [`Context`] belongs to one call. What it tells goes through a bounded channel into the call's stream of
//! events, in batches, so a plugin that is faster than its host waits. What it asks goes to service `Host`.
//! Everything ends with [`Error::cancelled`] once the call is cancelled or over.

mod ask;
mod batch;
mod declare;
mod publish;
mod run;
mod tell;

pub(crate) use run::{Calls, Events, panicked};
pub use tell::{Outcome, Progress};

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wharf_proto::v1;
use wharf_proto::v1::event::Event;

use crate::Error;
use crate::host::Host;
use batch::{Batches, Entry};

/// What a method of a role is handed besides its request. Cheap to clone; clones are one and the same call.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    job: v1::JobContext,
    started: Instant,
    events: mpsc::Sender<Result<v1::Event, tonic::Status>>,
    batches: Mutex<Batches>,
    cancel: CancellationToken,
    host: Host,
}

impl Context {
    fn new(
        job: v1::JobContext,
        events: mpsc::Sender<Result<v1::Event, tonic::Status>>,
        cancel: CancellationToken,
        host: Host,
    ) -> Self {
        let batches = Mutex::new(Batches::default());
        Self {
            inner: Arc::new(Inner { job, started: Instant::now(), events, batches, cancel, host }),
        }
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

    /// Ends with [`Error::cancelled`] when a stop is wanted before `work` is done.
    async fn or_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.inner.cancel.cancelled() => Err(Error::cancelled()),
            done = work => done,
        }
    }

    /// Sends one event, waiting while the host is behind.
    async fn send(&self, event: Event) -> Result<(), Error> {
        self.or_cancelled(async {
            let event = v1::Event { event: Some(event) };
            self.inner.events.send(Ok(event)).await.map_err(|_closed| Error::cancelled())
        })
        .await
    }

    /// Adds an entry to its batch, and sends the batch when it is due.
    async fn add(&self, entry: Entry, bytes: usize) -> Result<(), Error> {
        let due = self.batches().push(entry, bytes)?;
        match due {
            None => Ok(()),
            Some(event) => self.send(event).await,
        }
    }

    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.inner.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends everything that still waits in batches.
    ///
    /// Authors rarely need this: batches are sent when full, when older than a second, and at the end.
    ///
    /// # Errors
    /// [`Error::cancelled`] when the call is cancelled or over.
    pub async fn flush(&self) -> Result<(), Error> {
        let waiting = self.batches().take_all();
        for event in waiting {
            self.send(event).await?;
        }
        Ok(())
    }
}
