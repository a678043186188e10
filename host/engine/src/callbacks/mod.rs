//! Callbacks: addresses that are told over HTTP how the jobs of an order go.
//!
//! The way through: an order names them (`order`), and they are stored with each of its jobs. Whatever changes a job's
//! state writes an event for each in the same transaction (`wharf_store`), so none is lost and none is made up, whatever
//! ends the host when. One task (`keeper`) sleeps until something is due and sends it (`send`): the job as it was then
//! (`document`), signed after the Standard Webhooks specification (`sign`). What fails is tried again for a day, later
//! each time (`backoff`), and then given up and kept, with the reason. Each address of a job is told one thing after the
//! other; a receiver that does not answer holds up nobody else (F154).
//!
//! Never tells of a job's progress, never follows a redirect, and never shows a secret: rows, logs and errors know its
//! name.

mod backoff;
mod config;
mod document;
mod keeper;
mod order;
mod send;
mod sign;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use wharf_store::model::{self, JobId};

pub use self::config::Config;
pub use self::document::Document;
pub(crate) use self::keeper::keep;
pub use self::order::Callback;
use crate::clock;
use crate::engine::{Engine, Inner};
use crate::fetch;
use crate::fetch::post::Poster;
use crate::problem::Problem;

/// What the task that sends shares with those who have something for it.
pub(crate) struct Desk {
    poster: Poster,
    /// There may be something to send.
    changed: Notify,
    /// An attempt has ended and is noted.
    sent: Notify,
    /// Someone asked for something to be sent, of a host in which jobs still wait.
    asked: AtomicBool,
}

impl Desk {
    pub(crate) fn new(config: &Config) -> Result<Self, fetch::Error> {
        let poster = Poster::new(config.connect_timeout, config.timeout)?;
        Ok(Self {
            poster,
            changed: Notify::new(),
            sent: Notify::new(),
            asked: AtomicBool::new(false),
        })
    }

    /// A job came into another state.
    pub(crate) fn wake(&self) {
        self.changed.notify_one();
    }
}

impl Inner {
    /// Nothing is sent before this host was asked for something: what an earlier one left waits, as its jobs do.
    fn callbacks_wait(&self) -> bool {
        self.board.waits() && !self.callbacks.asked.load(Ordering::SeqCst)
    }
}

impl Engine {
    /// The callbacks of a job, with what became of each event.
    ///
    /// # Errors
    /// `not_found.job`.
    pub async fn callbacks(&self, job: i64) -> Result<Vec<model::Callback>, Problem> {
        self.job(job).await?;
        Ok(self.inner.store.meta.callbacks(JobId(job)).await?)
    }

    /// Has everything sent again now that was given up for one callback of a job, and what waits at once.
    ///
    /// # Errors
    /// `not_found.job`, `not_found.callback`.
    pub async fn redeliver(&self, job: i64, n: u32) -> Result<model::Callback, Problem> {
        self.job(job).await?;
        let meta = &self.inner.store.meta;
        meta.redeliver(JobId(job), n, clock::now_ms()).await?;
        // Whoever asks for it wants it now, also of a host that lives as long as one command.
        self.inner.callbacks.asked.store(true, Ordering::SeqCst);
        self.inner.callbacks.wake();
        let all = meta.callbacks(JobId(job)).await?;
        all.into_iter().find(|callback| callback.n == n).ok_or_else(|| {
            Problem::usage("not_found.callback", format!("job {job} has no callback {n}"))
        })
    }

    /// Waits until everything is sent that can be within this time, and answers how many events wait even so. A host
    /// that was not asked for a job sends nothing, and has nothing to wait for.
    ///
    /// # Errors
    /// `storage.*`.
    ///
    /// # Cancel safety
    /// It only looks.
    pub async fn settle_callbacks(&self, limit: Duration) -> Result<u64, Problem> {
        let deadline = Instant::now() + limit;
        let (engine, last_ms) = (&self.inner, clock::now_ms() + config::millis(limit));
        if engine.callbacks_wait() {
            return Ok(0);
        }
        loop {
            let mut sent = std::pin::pin!(engine.callbacks.sent.notified());
            sent.as_mut().enable();
            let waiting = engine.store.meta.waiting_deliveries().await?;
            let more = waiting.first_ms.is_some_and(|first_ms| first_ms <= last_ms);
            if !more || timeout_at(deadline, sent).await.is_err() {
                return Ok(waiting.count);
            }
        }
    }
}
