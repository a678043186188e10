//! What a running call can tell the host and ask of it.
//!
//! A [`Context`] belongs to one call. What it tells goes through a bounded channel into the call's stream of
//! events, in batches, so a plugin that is faster than its host waits. What it asks goes to service `Host`: that part is
//! [`Ask`], and all that a [`HookContext`] has. Everything ends with [`Error::cancelled`] once the call is cancelled or over.

mod ask;
mod batch;
mod declare;
mod hook;
mod jobs;
mod publish;
mod run;
mod staging;
mod tell;

pub use ask::Ask;
pub use hook::HookContext;
pub(crate) use run::{Calls, Events, panicked};
pub use staging::Staging;
pub use tell::{Outcome, Progress};

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use wharf_proto::v1;
use wharf_proto::v1::event::Event;

use crate::Error;
use batch::{Batches, Entry};

/// What a method of a role is handed besides its request; it gives all of [`Ask`] too. Cheap to clone; clones are one and
/// the same call.
#[derive(Clone)]
pub struct Context {
    ask: Ask,
    tell: Arc<Tell>,
}

/// The way into the call's stream of events.
struct Tell {
    events: mpsc::Sender<Result<v1::Event, tonic::Status>>,
    batches: Mutex<Batches>,
}

impl Deref for Context {
    type Target = Ask;

    fn deref(&self) -> &Ask {
        &self.ask
    }
}

impl Context {
    fn new(ask: Ask, events: mpsc::Sender<Result<v1::Event, tonic::Status>>) -> Self {
        Self { ask, tell: Arc::new(Tell { events, batches: Mutex::new(Batches::default()) }) }
    }

    /// Sends one event, waiting while the host is behind.
    async fn send(&self, event: Event) -> Result<(), Error> {
        self.or_cancelled(async {
            let event = v1::Event { event: Some(event) };
            self.tell.events.send(Ok(event)).await.map_err(|_closed| Error::cancelled())
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
        self.tell.batches.lock().unwrap_or_else(PoisonError::into_inner)
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
