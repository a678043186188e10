//! Everything that must survive: what is known (database), the bytes (blobs) and what jobs said (logs).
//!
//! [`Store::open`] gives handles for one data folder. [`Meta`] holds repositories, units, versions, jobs and
//! publications in one SQLite file; [`Blobs`] holds bytes by their sha256; [`Logs`] holds one file for each job;
//! [`Uploads`] holds what users are bringing.
//! [`model`] is the plain data that goes in and out.
//!
//! Knows no plugin, no wire and no HTTP, and never sees a secret. One process uses a data folder at a time; its host
//! takes a [`Claim`] to it before it opens the store.

pub mod blobs;
mod claim;
mod clock;
mod error;
pub mod logs;
pub mod meta;
pub mod model;
mod pins;
pub mod uploads;

use std::path::Path;

pub use blobs::Blobs;
pub use claim::Claim;
pub use error::{Error, Thing};
pub use logs::Logs;
pub use meta::Meta;
pub use uploads::Uploads;

use self::pins::Pins;

/// The handles of one data folder. Cheap to clone; clones share one store.
#[derive(Debug, Clone)]
pub struct Store {
    /// What is known.
    pub meta: Meta,
    /// The bytes.
    pub blobs: Blobs,
    /// What jobs said.
    pub logs: Logs,
    /// What users are bringing.
    pub uploads: Uploads,
}

impl Store {
    /// Opens a data folder and makes what is missing in it.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] when the folder cannot be used, [`Error::Damaged`] when the database is not sound, and
    /// [`Error::Newer`] when a newer release wrote it.
    pub async fn open(data: &Path) -> Result<Self, Error> {
        let data = data.to_path_buf();
        blocking(move || {
            let pins = Pins::default();
            let blobs = Blobs::open_in(&data, pins.clone())?;
            let logs = Logs::open_in(&data)?;
            let uploads = Uploads::open_in(&data)?;
            let meta = Meta::open(&data.join("wharf.db"), pins)?;
            Ok(Self { meta, blobs, logs, uploads })
        })
        .await
    }

    /// Writes what is queued and closes the database. Calls that come later fail with [`Error::Closed`].
    pub async fn close(&self) {
        self.meta.close().await;
    }
}

/// Runs work that waits for a disk where waiting is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_ended| Error::Closed)?
}
