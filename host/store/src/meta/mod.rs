//! What is known: types, repositories, versions, units, attachments, jobs, publications. One SQLite file.
//!
//! The way through: a method of [`Meta`] sends a closure to the writer thread, which commits groups of them, or to one
//! of the readers, which run it on one snapshot. What the closures do stands in `sqlite`. Nothing here is cached: the
//! database is the truth.
//!
//! What a job writes, it writes under its [`Lease`](crate::model::Lease): each such method fails with
//! [`Error::LeaseLost`] and writes nothing when the job is not running or was claimed anew.

mod callbacks;
mod collect;
mod content;
mod folder;
mod history;
mod instances;
mod jobs;
mod migrations;
mod publications;
mod schedules;
mod search;
mod setup;
mod sqlite;
mod uploads;
mod verify;
mod versions;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use self::sqlite::{Durability, Fail, Readers, Writer};
use crate::error::Error;
use crate::pins::Pins;

/// The database of a store. A cheap handle; clones share one database.
#[derive(Debug, Clone)]
pub struct Meta {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: Writer,
    readers: Readers,
    /// What running jobs hold on to.
    pins: Pins,
}

impl Meta {
    /// Opens the database, makes it if there is none, and brings its schema up to date. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`], [`Error::Damaged`], [`Error::Newer`].
    pub(crate) fn open(file: &Path, pins: Pins) -> Result<Self, Error> {
        let writer = Writer::open(file)?;
        let readers = Readers::new(file)?;
        Ok(Self { inner: Arc::new(Inner { writer, readers, pins }) })
    }

    /// Writes what is queued, closes the database and joins its threads. Calls that come later fail with
    /// [`Error::Closed`].
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        let closed = tokio::task::spawn_blocking(move || {
            inner.readers.close();
            inner.writer.close();
        });
        if closed.await.is_err() {
            tracing::error!("closing the database met a bug");
        }
    }

    /// Changes something, and answers when that is on the disk.
    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, Fail> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.writer.run(Durability::Now, change).await
    }

    /// Changes something that a later change will bring to the disk, and that nobody misses if that never comes.
    async fn stage<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, Fail> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.writer.run(Durability::Later, change).await
    }

    /// Asks something, on one snapshot of what is committed.
    async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Fail> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.readers.run(question).await
    }
}
