//! Taking away what nobody refers to any more, and keeping what running jobs still mean to refer to.

use super::{Meta, sqlite};
use crate::blobs::Blobs;
use crate::error::Error;
use crate::model::{Digest, Lease, PublicationId, RepositoryId, UnitId};

/// Rows looked at in one step; others that write wait that long.
const STEP: i64 = 10_000;

impl Meta {
    /// Keeps units that the job was told of, to the end of its attempt. Answers which of them there are, in the order
    /// asked: one may have been taken away since the job was told.
    pub async fn hold_units(&self, lease: Lease, units: Vec<UnitId>) -> Result<Vec<bool>, Error> {
        let pins = self.inner.pins.clone();
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            let there = sqlite::query::exist(db, &units)?;
            pins.hold_units(lease.job, units);
            Ok(there)
        })
        .await
    }

    /// As [`Meta::artifacts`], and what is here stays, to the end of the job's attempt.
    pub async fn hold_artifacts(
        &self,
        lease: Lease,
        digests: Vec<Digest>,
    ) -> Result<Vec<Option<u64>>, Error> {
        let pins = self.inner.pins.clone();
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            let sizes = sqlite::artifacts::sizes(db, &digests)?;
            pins.hold_bytes(lease.job, digests);
            Ok(sizes)
        })
        .await
    }

    /// Superseded publications whose time was over then.
    pub async fn expired_publications(&self, now_ms: i64) -> Result<Vec<PublicationId>, Error> {
        self.read(move |db| sqlite::collect::expired(db, now_ms)).await
    }

    /// Drops such a publication. Says whether it was there.
    pub async fn drop_expired(
        &self,
        lease: Lease,
        publication: PublicationId,
        now_ms: i64,
    ) -> Result<bool, Error> {
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::collect::drop_expired(db, publication, now_ms)
        })
        .await
    }

    /// Repositories that do not keep all their versions.
    pub async fn retaining(&self) -> Result<Vec<RepositoryId>, Error> {
        self.read(sqlite::collect::retaining).await
    }

    /// Units that no version holds, by number, at most `most` behind `after`.
    pub async fn orphans(&self, after: Option<UnitId>, most: usize) -> Result<Vec<UnitId>, Error> {
        self.read(move |db| sqlite::collect::orphans(db, after, most)).await
    }

    /// Drops those of these units that no version holds and no running job does. Answers how many.
    pub async fn drop_units(&self, lease: Lease, units: Vec<UnitId>) -> Result<u64, Error> {
        let pins = self.inner.pins.clone();
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::collect::drop_units(db, &pins, &units)
        })
        .await
    }

    /// Those of these bytes that nothing refers to, or only units that no version holds.
    pub async fn unneeded(&self, digests: Vec<Digest>) -> Result<Vec<Digest>, Error> {
        self.read(move |db| sqlite::collect::unneeded(db, &digests)).await
    }

    /// Forgets those of these bytes that nothing refers to and no running job holds. Answers which: their files may be
    /// taken away by [`Meta::remove_files`].
    pub async fn forget_bytes(
        &self,
        lease: Lease,
        digests: Vec<Digest>,
    ) -> Result<Vec<Digest>, Error> {
        let pins = self.inner.pins.clone();
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::collect::forget(db, &pins, &digests)
        })
        .await
    }

    /// Takes the files of these bytes away, unless they are known or held again. Answers how many bytes that freed.
    pub async fn remove_files(
        &self,
        lease: Lease,
        blobs: &Blobs,
        digests: Vec<Digest>,
    ) -> Result<u64, Error> {
        let (pins, blobs) = (self.inner.pins.clone(), blobs.clone());
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::collect::remove_files(db, &pins, &digests, |digest| blobs.remove(digest))
        })
        .await
    }

    /// Forgets bytes that were never here and that nothing refers to any more. One step of many: answers from which
    /// number to go on, None at the end, and how many.
    pub async fn forget_absent(
        &self,
        lease: Lease,
        from: i64,
    ) -> Result<(Option<i64>, u64), Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::collect::forget_absent(db, from, STEP)
        })
        .await
    }

    /// When a job with this operation last ended well, in milliseconds since 1970.
    pub async fn last_run(&self, operation: &str) -> Result<Option<i64>, Error> {
        let operation = operation.to_owned();
        self.read(move |db| sqlite::collect::last_run(db, &operation)).await
    }
}
