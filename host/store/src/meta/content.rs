//! Units and the versions that hold them.

use std::collections::HashSet;

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{
    AttachmentId, CommitVersion, Committed, DiffCursor, DiffEntry, Digest, FieldEquals, FileSource,
    Known, LastRun, Lease, Member, NewArtifact, NewUnit, RelativePath, RepositoryId, Saved,
    Selector, TypeId, UnitId, UnitQuery, UnitRow, Version,
};

impl Meta {
    /// What the store knows of units, by type and key digest, in the order asked.
    pub async fn known(
        &self,
        repository: RepositoryId,
        keys: Vec<(TypeId, [u8; 32])>,
    ) -> Result<Vec<Option<Known>>, Error> {
        self.read(move |db| sqlite::known::known(db, repository, &keys)).await
    }

    /// The sizes of bytes that are in the store, in the order asked. None: not here.
    pub async fn artifacts(&self, digests: Vec<Digest>) -> Result<Vec<Option<u64>>, Error> {
        self.read(move |db| sqlite::artifacts::sizes(db, &digests)).await
    }

    /// Notes bytes that are in the blob store now.
    pub async fn save_artifacts(
        &self,
        lease: Lease,
        artifacts: Vec<NewArtifact>,
    ) -> Result<(), Error> {
        let pins = self.inner.pins.clone();
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::artifacts::save(db, &artifacts)?;
            pins.hold_bytes(lease.job, artifacts.into_iter().map(|artifact| artifact.digest));
            Ok(())
        })
        .await
    }

    /// Stores units that are not known yet, and what is new about those that are: files, sources of this repository,
    /// bytes. Answers in the order given. Nobody sees them before a version holds them, and it is the commit of the
    /// version that brings them to the disk.
    ///
    /// # Errors
    ///
    /// [`Error::FileConflict`] when a file is known with other bytes; [`Error::TypeNotTaken`].
    pub async fn save_units(
        &self,
        lease: Lease,
        repository: RepositoryId,
        units: Vec<NewUnit>,
        artifacts: Vec<NewArtifact>,
    ) -> Result<Vec<Saved>, Error> {
        let pins = self.inner.pins.clone();
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            let saved = sqlite::save::save_units(db, repository, &units, &artifacts)?;
            let strangers = saved.iter().filter(|saved| !saved.member);
            pins.hold_units(lease.job, strangers.map(|saved| saved.unit));
            Ok(saved)
        })
        .await
    }

    /// Notes that the bytes of a unit's file came: they are in the blob store now. (Not brought to the disk: after a
    /// power cut they are fetched again.)
    ///
    /// # Errors
    ///
    /// [`Error::FileConflict`] when the file is known with other bytes; [`Error::NotFound`].
    pub async fn artifact_added(
        &self,
        unit: UnitId,
        path: &RelativePath,
        digest: Digest,
        size: u64,
    ) -> Result<(), Error> {
        let path = path.clone();
        self.stage(move |db| {
            sqlite::save::artifact_added(db, unit, &path, NewArtifact { digest, size })
        })
        .await
    }

    /// The addresses of a file's bytes, of all repositories that name any.
    pub async fn sources(
        &self,
        unit: UnitId,
        path: &RelativePath,
    ) -> Result<Vec<FileSource>, Error> {
        let path = path.clone();
        self.read(move |db| sqlite::save::sources(db, unit, &path)).await
    }

    /// Units of the newest version by their place, in the order asked.
    pub async fn members_by_repo_key(
        &self,
        repository: RepositoryId,
        places: Vec<[u8; 32]>,
    ) -> Result<Vec<Option<Member>>, Error> {
        self.read(move |db| sqlite::known::members_by_place(db, repository, &places)).await
    }

    /// Units of the newest version that are meant by `selector`, of one type or of all. Keys that no unit has are left
    /// out.
    ///
    /// # Errors
    ///
    /// [`Error::FieldName`].
    pub async fn members_matching(
        &self,
        repository: RepositoryId,
        type_id: Option<TypeId>,
        selector: Selector,
    ) -> Result<Vec<UnitId>, Error> {
        self.read(move |db| sqlite::query::members_matching(db, repository, type_id, &selector))
            .await
    }

    /// Units of the newest version, of these types, that have a file at one of these paths or anywhere below one.
    pub async fn members_below(
        &self,
        repository: RepositoryId,
        types: Vec<TypeId>,
        paths: HashSet<String>,
    ) -> Result<Vec<UnitId>, Error> {
        self.read(move |db| sqlite::below::members_below(db, repository, &types, &paths)).await
    }

    /// Makes the next version of a repository, in one step. If it would hold what the base holds, there is none; what
    /// the attachment keeps, its last run and new revisions are stored all the same.
    ///
    /// A mirror holds what is present. An additive version holds what the base holds, less what is removed, and what is
    /// present. In both, a unit that was not in the base takes the place of one that was.
    ///
    /// # Errors
    ///
    /// [`Error::BaseMoved`]; [`Error::PlaceConflict`] when two new units stand in one place.
    pub async fn commit_version(
        &self,
        lease: Lease,
        commit: CommitVersion,
    ) -> Result<Committed, Error> {
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::commit::commit(db, lease, &commit)
        })
        .await
    }

    /// Notes a run that found nothing new. The end of the job brings it to the disk. `state` None: what was kept stays.
    pub async fn keep_version(
        &self,
        lease: Lease,
        attachment: AttachmentId,
        state: Option<Vec<u8>>,
        last: LastRun,
    ) -> Result<(), Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::attachments::ran(db, attachment, state.as_deref(), &last)
        })
        .await
    }

    /// The versions of a repository, the oldest first.
    pub async fn versions(&self, repository: RepositoryId) -> Result<Vec<Version>, Error> {
        self.read(move |db| sqlite::versions::all(db, repository)).await
    }

    /// One version of a repository.
    pub async fn version(
        &self,
        repository: RepositoryId,
        number: u64,
    ) -> Result<Option<Version>, Error> {
        self.read(move |db| sqlite::versions::by_number(db, repository, number)).await
    }

    /// What is different between two versions, by the numbers of the units. `after`: the last unit of the page before.
    /// `limit` 0: 1,000.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such version.
    pub async fn diff(
        &self,
        repository: RepositoryId,
        from: u64,
        to: u64,
        after: Option<DiffCursor>,
        limit: usize,
    ) -> Result<Vec<DiffEntry>, Error> {
        self.read(move |db| sqlite::versions::diff(db, repository, from, to, after, limit)).await
    }

    /// Whether a version holds a unit with a file of these bytes.
    pub async fn version_holds(
        &self,
        repository: RepositoryId,
        version: u64,
        digest: Digest,
    ) -> Result<bool, Error> {
        self.read(move |db| sqlite::versions::holds(db, repository, version, digest)).await
    }

    /// A page of the units of a version, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such version; [`Error::FieldName`].
    pub async fn units(
        &self,
        repository: RepositoryId,
        version: u64,
        query: UnitQuery,
    ) -> Result<Vec<UnitRow>, Error> {
        self.read(move |db| sqlite::query::units(db, repository, version, &query)).await
    }

    /// The numbers of a version's units, ordered by fields of key or attributes (ascending, compared bytewise), then by
    /// number. To be followed by [`Meta::units_by_id`], page by page.
    ///
    /// # Errors
    ///
    /// As [`Meta::units`].
    pub async fn unit_ids(
        &self,
        repository: RepositoryId,
        version: u64,
        types: Vec<TypeId>,
        filter: Vec<FieldEquals>,
        order_by: Vec<String>,
    ) -> Result<Vec<UnitId>, Error> {
        self.read(move |db| {
            sqlite::query::unit_ids(db, repository, version, &types, &filter, &order_by)
        })
        .await
    }

    /// Units by their numbers, in the order asked. Numbers that are no unit's are left out.
    pub async fn units_by_id(
        &self,
        units: Vec<UnitId>,
        with_files: bool,
    ) -> Result<Vec<UnitRow>, Error> {
        self.read(move |db| sqlite::query::units_by_id(db, &units, with_files)).await
    }
}
