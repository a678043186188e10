//! Publications, and what clients find in them.

use std::time::Duration;

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{
    AttachmentId, LastRun, Lease, Lookup, NewEntry, NewVariant, Publication, PublicationId,
    PublishedEntry, TypeId,
};

impl Meta {
    /// Begins a tree of files that nobody sees yet. What the attachment superseded long ago is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such attachment or version.
    pub async fn begin_publication(
        &self,
        lease: Lease,
        attachment: AttachmentId,
        version: u64,
    ) -> Result<PublicationId, Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::publications::begin(db, lease, attachment, version)
        })
        .await
    }

    /// Puts files into a publication.
    ///
    /// # Errors
    ///
    /// [`Error::PathConflict`] when a path is there already; [`Error::NoBytes`]; [`Error::NotFound`] for a unit's file
    /// that there is not.
    pub async fn save_entries(
        &self,
        lease: Lease,
        publication: PublicationId,
        entries: Vec<NewEntry>,
    ) -> Result<(), Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::publications::save_entries(db, lease, publication, &entries)
        })
        .await
    }

    /// Puts representations of paths into a publication, behind those that it has of the same paths.
    pub async fn save_variants(
        &self,
        lease: Lease,
        publication: PublicationId,
        variants: Vec<NewVariant>,
    ) -> Result<(), Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::variants::save(db, lease, publication, &variants)
        })
        .await
    }

    /// Puts all files of the version's units into a publication, each at its own path below the folder `prefix` (or
    /// empty). `types` empty: units of all types. Answers how many.
    ///
    /// # Errors
    ///
    /// [`Error::PathConflict`].
    pub async fn pass_through(
        &self,
        lease: Lease,
        publication: PublicationId,
        prefix: &str,
        types: Vec<TypeId>,
        modified_ms: i64,
    ) -> Result<u64, Error> {
        let prefix = prefix.to_owned();
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::publications::pass_through(db, lease, publication, &prefix, &types, modified_ms)
        })
        .await
    }

    /// Puts the files and variants of an earlier publication of the same attachment below the folder `prefix` (or empty) into this
    /// one, unchanged. Answers how many.
    ///
    /// # Errors
    ///
    /// [`Error::PathConflict`].
    pub async fn reuse(
        &self,
        lease: Lease,
        publication: PublicationId,
        previous: PublicationId,
        prefix: &str,
    ) -> Result<u64, Error> {
        let prefix = prefix.to_owned();
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::publications::reuse(db, lease, publication, previous, &prefix)
        })
        .await
    }

    /// Shows a publication to clients in place of the one before, in one step. The one before is still found under the
    /// exact paths of its files for the time of `grace`. `state` None: what the attachment kept stays. Answers how many
    /// files there are.
    ///
    /// # Errors
    ///
    /// [`Error::PathConflict`] when a file stands where others need a directory (F100) or variants their path;
    /// [`Error::NotFound`] for a variant without its file.
    pub async fn go_live(
        &self,
        lease: Lease,
        publication: PublicationId,
        state: Option<Vec<u8>>,
        last: LastRun,
        grace: Duration,
    ) -> Result<u64, Error> {
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            let entries = sqlite::publications::go_live(db, lease, publication, &last, grace)?;
            let attachment = sqlite::publications::attachment(db, publication)?;
            sqlite::attachments::ran(db, attachment, state.as_deref(), &last)?;
            Ok(entries)
        })
        .await
    }

    /// A superseded publication of this version that is still here, if it was made whole with these settings.
    pub async fn publication_of(
        &self,
        attachment: AttachmentId,
        version: u64,
        settings_digest: &str,
    ) -> Result<Option<PublicationId>, Error> {
        let settings = settings_digest.to_owned();
        self.read(move |db| sqlite::again::find(db, attachment, version, &settings)).await
    }

    /// Puts the files and variants of such a publication into this one, but those that clients read first. Answers how
    /// many files.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it is gone, or of another attachment or version.
    pub async fn take_again(
        &self,
        lease: Lease,
        publication: PublicationId,
        earlier: PublicationId,
    ) -> Result<u64, Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::again::take(db, lease, publication, earlier)
        })
        .await
    }

    /// Drops a publication that is not live.
    pub async fn discard_publication(
        &self,
        lease: Lease,
        publication: PublicationId,
    ) -> Result<(), Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::publications::discard(db, lease, publication)
        })
        .await
    }

    /// The publication with this number.
    pub async fn publication(&self, id: PublicationId) -> Result<Option<Publication>, Error> {
        self.read(move |db| sqlite::publications::by_id(db, id)).await
    }

    /// The file at a path of a publication.
    pub async fn entry(
        &self,
        publication: PublicationId,
        path: &str,
    ) -> Result<Option<PublishedEntry>, Error> {
        let path = path.to_owned();
        self.read(move |db| sqlite::lookup::entry(db, publication, &path)).await
    }

    /// The files of a publication below the folder `prefix` (or empty), by path. `after`: the path of the last
    /// one of the page before. `limit` 0: 1,000.
    pub async fn entries(
        &self,
        publication: PublicationId,
        prefix: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<PublishedEntry>, Error> {
        let prefix = prefix.to_owned();
        self.read(move |db| {
            sqlite::lookup::entries(db, publication, &prefix, after.as_deref(), limit)
        })
        .await
    }

    /// What clients find at a path, without `/` at its start. The path of a publication is the longest that fits; a
    /// directory with a file `index.html` is that file.
    pub async fn lookup(&self, path: &str) -> Result<Lookup, Error> {
        let path = path.to_owned();
        self.read(move |db| sqlite::lookup::lookup(db, &path)).await
    }

    /// As [`Meta::entry`], on the calling thread, which waits.
    pub fn entry_blocking(
        &self,
        publication: PublicationId,
        path: &str,
    ) -> Result<Option<PublishedEntry>, Error> {
        self.inner.readers.run_here(|db| sqlite::lookup::entry(db, publication, path))
    }

    /// As [`Meta::lookup`], on the calling thread, which waits.
    pub fn lookup_blocking(&self, path: &str) -> Result<Lookup, Error> {
        self.inner.readers.run_here(|db| sqlite::lookup::lookup(db, path))
    }
}
