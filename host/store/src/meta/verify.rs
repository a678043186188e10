//! Looking at stored bytes again.

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{Digest, Lease, RepositoryId, Stored, Usage};

impl Meta {
    /// How many bytes should be here: blobs, and their sizes in all. Of one repository, or of all.
    pub async fn count_stored(
        &self,
        repository: Option<RepositoryId>,
    ) -> Result<(u64, u64), Error> {
        self.read(move |db| sqlite::verify::count(db, repository)).await
    }

    /// A page of the bytes that should be here: at most `most`, behind the row `after`; 0: from the start.
    pub async fn stored(
        &self,
        repository: Option<RepositoryId>,
        after: i64,
        most: u32,
    ) -> Result<Vec<Stored>, Error> {
        self.read(move |db| sqlite::verify::page(db, repository, after, i64::from(most))).await
    }

    /// Notes that bytes are not here, whatever was thought: nobody is given them, whoever knows where they are fetches
    /// them again, and they should be here until somebody brings them.
    pub async fn lost(&self, lease: Lease, digest: Digest) -> Result<(), Error> {
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::verify::lost(db, digest)
        })
        .await
    }

    /// Notes that lost bytes are here again though nobody brought them.
    pub async fn found(&self, lease: Lease, digest: Digest) -> Result<(), Error> {
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::verify::found(db, digest)
        })
        .await
    }

    /// Notes that these bytes lack, so that the next sync of each repository whose newest version needs them looks at
    /// everything, and brings them.
    pub async fn incomplete(&self, lease: Lease, digest: Digest) -> Result<(), Error> {
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::verify::incomplete(db, digest)
        })
        .await
    }

    /// The first hundred files of units that are these bytes, with the versions that hold them.
    pub async fn usages(&self, digest: Digest) -> Result<Vec<Usage>, Error> {
        self.read(move |db| sqlite::verify::usages(db, digest)).await
    }

    /// Where clients find these bytes, if a distributor generated them.
    pub async fn published_as(&self, digest: Digest) -> Result<Option<String>, Error> {
        self.read(move |db| sqlite::verify::published(db, digest)).await
    }
}
