//! Moves bytes: from HTTP addresses and local files into staging files, hashed and verified on the way.
//!
//! A [`Request`] names sources, a target and what the bytes must have; [`Fetcher::fetch`] brings one file,
//! [`Fetcher::fetch_many`] a batch. The way of one file: `transfer` tries the sources in the order of `retry`; `http`
//! opens one (through `gate`, with a client of `client`, within the bounds of `trust`), `sink` takes the body in and
//! `target` holds it; `verify` compares. `local` does all that for a local file. `follow` lets others read a file
//! that is still coming, `notes` lets a later attempt of the same job continue it. The other direction, small documents to
//! addresses that users named, is `post`.
//!
//! Never knows a plugin, a repository or the database, never syncs to the disk (the store does, once a batch), never
//! decodes what it brings, and never reads the environment.

mod batch;
mod client;
mod config;
mod error;
mod excerpt;
mod follow;
mod gate;
mod http;
mod local;
mod meter;
mod notes;
mod pace;
pub(crate) mod post;
mod request;
mod retry;
mod sink;
mod target;
#[cfg(test)]
mod tests;
mod transfer;
mod trust;
mod verify;

use std::{io, sync::Arc};

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use error::{Cause, Error};
pub use follow::{Broken, Follow, HOLD, Reader, Started};
pub use meter::Meter;
pub use pace::Pace;
pub use request::{Done, Fetched, Request, Validators};
pub use trust::Trust;
pub use wharf_store::model::Source;

use transfer::{Landed, Transfer};

/// Brings files. A clone is the same fetcher: one pool of connections, one set of limits.
#[derive(Clone, Debug)]
pub struct Fetcher {
    shared: Arc<http::Shared>,
}

impl Fetcher {
    /// One with these limits. Needs no network and reads no certificates yet.
    ///
    /// # Errors
    /// [`Error::Setup`] when the HTTP client cannot be built.
    pub fn new(config: Config) -> Result<Self, Error> {
        let clients = client::Clients::new(&config)?;
        let gate = gate::Gate::new(config.parallel, config.per_host);
        Ok(Self { shared: Arc::new(http::Shared { config, clients, gate }) })
    }

    /// Brings one file.
    ///
    /// Waits for a free place (see [`Config::parallel`]), tries the sources, and returns when the target holds the
    /// verified file. After an error the target is gone, except for the beginning of a large file that the next
    /// call for the same target continues.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::GaveUp`] around it when there was more than one attempt.
    ///
    /// # Cancel safety
    /// Ends within a second after the token. Dropped, at most a megabyte is still written to the target.
    pub async fn fetch(
        &self,
        request: &Request,
        cancel: &CancellationToken,
        meter: &Meter,
    ) -> Result<Fetched, Error> {
        let fetched = self.fetch_uncounted(request, cancel, meter).await;
        if let Ok(Fetched::Done(_)) = &fetched {
            meter.add_file();
            if request.is_vouched_for_weakly() {
                meter.add_weak();
            }
        }
        fetched
    }

    async fn fetch_uncounted(
        &self,
        request: &Request,
        cancel: &CancellationToken,
        meter: &Meter,
    ) -> Result<Fetched, Error> {
        let guard = request.follow.as_ref().map(Follow::guard);
        let fetched = self.fetch_unguarded(request, cancel, meter).await;
        if let Some(guard) = guard {
            guard.end(&fetched);
        }
        fetched
    }

    async fn fetch_unguarded(
        &self,
        request: &Request,
        cancel: &CancellationToken,
        meter: &Meter,
    ) -> Result<Fetched, Error> {
        let (pieces, done) = match self.land(request, cancel, meter).await? {
            Landed::NotModified => return Ok(Fetched::NotModified),
            Landed::File(done) => return Ok(Fetched::Done(done)),
            Landed::Memory(pieces, done) => (pieces, done),
        };
        let (path, follow) = (request.target.clone(), request.follow.clone());
        let written =
            spawn_blocking(move || target::write_small(&path, &pieces, follow.as_ref())).await;
        written.map_err(|error| Error::Storage {
            path: request.target.clone(),
            source: io::Error::from(error),
        })??;
        Ok(Fetched::Done(done))
    }

    async fn land(
        &self,
        request: &Request,
        cancel: &CancellationToken,
        meter: &Meter,
    ) -> Result<Landed, Error> {
        Transfer { shared: &self.shared, request, cancel, meter }.land().await
    }
}
