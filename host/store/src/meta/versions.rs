//! Versions that go, versions that are made by hand, and what clients see of them.

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{Lease, RepositoryId, UnitId};

impl Meta {
    /// Deletes a version; the one behind it holds what it held, and its counts go against the one before.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::VersionKept`] for the empty one, the newest one and those in use;
    /// [`Error::InUse`] while a job on the repository waits or runs.
    pub async fn delete_version(&self, repository: &str, number: u64) -> Result<(), Error> {
        let repository = repository.to_owned();
        self.write(move |db| sqlite::retain::delete(db, &repository, number)).await
    }

    /// Drops the versions that a repository does not keep, and answers how many.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn drop_old_versions(
        &self,
        lease: Lease,
        repository: RepositoryId,
    ) -> Result<u64, Error> {
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::retain::apply(db, repository)
        })
        .await
    }

    /// The versions that clients see now.
    pub async fn live_versions(&self, repository: RepositoryId) -> Result<Vec<u64>, Error> {
        self.read(move |db| sqlite::publications::live_versions(db, repository)).await
    }

    /// Notes for a repository the addresses that another one has for these units, where it has none itself.
    pub async fn copy_sources(
        &self,
        lease: Lease,
        from: RepositoryId,
        to: RepositoryId,
        units: Vec<UnitId>,
    ) -> Result<(), Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::save::copy_sources(db, from, to, &units)
        })
        .await
    }
}
