//! Repositories and their versions.

use std::collections::BTreeMap;

use super::{AttachmentId, JobId, RepositoryId, RepositoryName, TypeId, UnitId};

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its number.
    pub id: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
    /// The types whose units it takes; empty: all.
    pub types: Vec<String>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// The newest version. 0, the empty one, is there from the start.
    pub current_version: u64,
    /// Units in that version.
    pub units: u64,
    /// What users say of it.
    pub labels: BTreeMap<String, String>,
    /// How many of its newest versions are kept, and those that are in use. None: all.
    pub retain: Option<u64>,
}

/// What is to change in what users say of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryChange {
    /// Labels to set; None: to take away.
    pub labels: BTreeMap<String, Option<String>>,
    /// How many versions to keep, where Some(None) means all. None: as it is.
    pub retain: Option<Option<u64>>,
}

/// A version of a repository. Never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number; grows by one.
    pub number: u64,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// The job that made it.
    pub job: Option<JobId>,
    /// Units in it.
    pub units: u64,
    /// Units that the version before lacked.
    pub added: u64,
    /// Units of the version before that it lacks.
    pub removed: u64,
    /// What the plugin says of it: a JSON object, or empty.
    pub info: String,
}

/// What a new version does with units that are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionMode {
    /// It leaves them out.
    Mirror,
    /// It keeps them.
    Additive,
}

/// The next version of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitVersion {
    /// The repository.
    pub repository: RepositoryId,
    /// The version that this one builds on; must be the newest.
    pub base: u64,
    /// What happens to units that are not named.
    pub mode: VersionMode,
    /// Units of the new version, each with the revision that a listing gave it. None: the revision stays as it is.
    pub present: Vec<(UnitId, Option<String>)>,
    /// Units that the new version lacks. Has no meaning in a mirror.
    pub removed: Vec<UnitId>,
    /// What the plugin says of the version: a JSON object, or empty.
    pub info: String,
    /// The attachment that ran. None: nothing counts as a run of one, so that the next sync looks anew.
    pub attachment: Option<AttachmentId>,
    /// What it keeps for its next run. None: what it kept stays.
    pub state: Option<Vec<u8>>,
    /// succeeded or partial.
    pub outcome: String,
    /// Of the settings that it ran with.
    pub settings_digest: String,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The new version. None: it would have held what the base holds, so there is none.
    pub version: Option<u64>,
    /// Units that the base lacks.
    pub added: u64,
    /// Units of the base that the new version lacks.
    pub removed: u64,
    /// Units in both.
    pub unchanged: u64,
}

/// What became of a repository after one of its versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Since {
    /// Units came.
    pub added: bool,
    /// Units went, if only for another in their place.
    pub removed: bool,
}

/// One difference between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffEntry {
    /// The later version has it and the earlier lacks it; else the other way round.
    pub added: bool,
    /// The unit.
    pub unit: UnitId,
    /// Its type.
    pub type_id: TypeId,
    /// The name of its type.
    pub type_name: String,
    /// Its key: a JSON object.
    pub key: String,
}

/// Where a listing of differences goes on: after this unit. They come in the order of the units' numbers.
pub type DiffCursor = UnitId;
