//! What can go wrong in the store, as far as a caller can tell it apart.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::{Digest, JobId, UploadId};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk is full, read-only, broken, or kept busy by another process for too long.
    #[error("{doing} {}: {source}{}", .path.display(), advice(.source))]
    Storage {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another host has the data folder.
    #[error("the data folder {} is in use by another host", .path.display())]
    Locked {
        /// The data folder.
        path: PathBuf,
    },
    /// The data folder is open to other users and holds things that are not ours, so its rights are not changed.
    #[error(
        "other users can enter {}, and it holds files that are not wharf's: choose another data folder, \
         or `chmod 700` this one", .path.display()
    )]
    Exposed {
        /// The data folder.
        path: PathBuf,
    },
    /// The database is not sound.
    #[error("the database {} is damaged: {problem}; restore it from a backup", .path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What the check said.
        problem: String,
    },
    /// A newer release wrote the database.
    #[error(
        "the database {} has schema {found}, this release reads schemas up to {known}; use the release that wrote it, \
         or a newer one", .path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this release knows.
        known: i64,
    },
    /// The store was closed meanwhile.
    #[error("the store is closed")]
    Closed,
    /// Nothing has this name or number.
    #[error("there is no {thing} \"{name}\"")]
    NotFound {
        /// What was looked for.
        thing: Thing,
        /// How it was named.
        name: String,
    },
    /// The name is taken.
    #[error("{thing} \"{name}\" exists already")]
    Exists {
        /// What was to be made.
        thing: Thing,
        /// How it is named.
        name: String,
    },
    /// A job works on it.
    #[error("{thing} \"{name}\" is in use by job {job}; wait for the job, or cancel it")]
    InUse {
        /// What was to be changed.
        thing: Thing,
        /// How it is named.
        name: String,
        /// The job.
        job: JobId,
    },
    /// A version cannot be deleted.
    #[error("version {number} cannot be deleted: {reason}")]
    VersionKept {
        /// The version.
        number: u64,
        /// Why not.
        reason: &'static str,
    },
    /// The path of a publication is taken, or lies above or below one that is.
    #[error(
        "the path \"{path}\" is taken: {holder} is published at \"{taken}\"; choose another path"
    )]
    PathTaken {
        /// What was asked for.
        path: String,
        /// What is published there, above it or below it.
        taken: String,
        /// Whose it is.
        holder: String,
    },
    /// The job is not running, or runs under another lease now. Nothing was written.
    #[error("job {job} does not run under lease {number} any more")]
    LeaseLost {
        /// The job.
        job: JobId,
        /// The lease that was shown.
        number: i64,
    },
    /// The job's state does not allow this.
    #[error("job {job} is {state}")]
    JobState {
        /// The job.
        job: JobId,
        /// Its state.
        state: crate::model::JobState,
    },
    /// Another version was committed since.
    #[error("the repository is at version {current} now, not at {base}")]
    BaseMoved {
        /// The version that the change builds on.
        base: u64,
        /// The repository's version.
        current: u64,
    },
    /// The state was changed since it was read.
    #[error("the state \"{key}\" has revision {found} now, not {expected}")]
    StateMoved {
        /// Its key.
        key: String,
        /// The revision that was to be replaced.
        expected: u64,
        /// The revision that is there; 0: none.
        found: u64,
    },
    /// Bytes of an upload came for another place than the one where it goes on. Nothing was written.
    #[error("upload {upload} goes on at byte {received}, not at {offset}")]
    OffsetMoved {
        /// The upload.
        upload: UploadId,
        /// Bytes that are there.
        received: u64,
        /// Where the bytes were to go.
        offset: u64,
    },
    /// Two entries of a publication cannot both be.
    #[error("the publication would hold both \"{path}\" and \"{other}\"")]
    PathConflict {
        /// One path.
        path: String,
        /// The same path, or one below it.
        other: String,
    },
    /// Two units of a version stand in the same place.
    #[error("the version would hold two units in one place: {one} and {other}")]
    PlaceConflict {
        /// One key.
        one: String,
        /// The other key.
        other: String,
    },
    /// A unit is known with other bytes.
    #[error(
        "the unit {key} is known with {path} as {have}, not as {got}; a unit's bytes never change: upstream replaced \
         a release, or the type's key says too little"
    )]
    FileConflict {
        /// The unit's key.
        key: String,
        /// The file.
        path: String,
        /// The digest that is known.
        have: Digest,
        /// The digest that was given.
        got: Digest,
    },
    /// A repository does not take units of this type.
    #[error("repository \"{repository}\" does not take units of type {type_name}")]
    TypeNotTaken {
        /// The repository.
        repository: String,
        /// The type.
        type_name: String,
    },
    /// The bytes are not in the store.
    #[error("the bytes {digest} are not in the store")]
    NoBytes {
        /// Their digest.
        digest: Digest,
    },
    /// A staged file cannot be taken into the store.
    #[error("the staged file {} cannot be stored: {reason}", .path.display())]
    Staged {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// Types of a plugin cannot be registered. Nothing was written.
    #[error("types of plugin {plugin} are refused: {}", .refused.join("; "))]
    TypesRefused {
        /// The plugin that defines them.
        plugin: String,
        /// Each type, and why, with the difference.
        refused: Vec<String>,
    },
    /// The data of a plugin had a migration already.
    #[error("the data of plugin {plugin} had migration {found} already, {number} cannot follow")]
    Migrated {
        /// The plugin.
        plugin: String,
        /// What its data had last.
        found: u32,
        /// What was to follow.
        number: u32,
    },
    /// A migration would make one of two units. Nothing of it was stored.
    #[error("two units would have the one key {key}: {one} and {other}")]
    KeyConflict {
        /// The key of the one, as it is.
        one: String,
        /// The key of the other, as it is.
        other: String,
        /// What both would have.
        key: String,
    },
    /// A migration would put two units of a version into one place. Nothing of it was stored.
    #[error(
        "version {version} of repository {repository} would hold two units in one place: {one} and {other}"
    )]
    MovedTogether {
        /// The repository.
        repository: String,
        /// Its newest version.
        version: u64,
        /// The key that the one would have.
        one: String,
        /// The key that the other would have.
        other: String,
    },
    /// A migration changes a unit in a way that no migration may.
    #[error("the unit {key} cannot be changed like this: {problem}")]
    UnitChange {
        /// The unit's key, or its number if there is no such unit.
        key: String,
        /// Why not.
        problem: String,
    },
    /// A field was asked for that the store cannot search by.
    #[error("\"{name}\" cannot be the name of a field")]
    FieldName {
        /// The name.
        name: String,
    },
    /// A field was asked for with a value that is no JSON.
    #[error("the value that \"{name}\" is to have is no JSON: {problem}")]
    FieldValue {
        /// The field.
        name: String,
        /// What the parser says.
        problem: String,
    },
    /// The store met a bug of its own.
    #[error("a bug in the store: {what}: {problem}")]
    Bug {
        /// What went wrong.
        what: &'static str,
        /// How.
        problem: String,
    },
    /// What is stored cannot be read.
    #[error("{what} in the database cannot be read: {problem}")]
    Unreadable {
        /// What it is.
        what: &'static str,
        /// Why.
        problem: String,
    },
}

/// What an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Thing {
    /// A repository.
    Repository,
    /// A version of a repository.
    Version,
    /// An attachment.
    Attachment,
    /// A job.
    Job,
    /// A publication.
    Publication,
    /// A unit.
    Unit,
    /// A file of a unit.
    File,
    /// A type.
    Type,
    /// An upload.
    Upload,
    /// A token.
    Token,
    /// A schedule.
    Schedule,
    /// A named instance.
    Instance,
    /// A callback of a job.
    Callback,
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Repository => "repository",
            Self::Version => "version",
            Self::Attachment => "attachment",
            Self::Job => "job",
            Self::Publication => "publication",
            Self::Unit => "unit",
            Self::File => "file",
            Self::Type => "type",
            Self::Upload => "upload",
            Self::Token => "token",
            Self::Schedule => "schedule",
            Self::Instance => "instance",
            Self::Callback => "callback",
        })
    }
}

impl Error {
    /// What happened, for programs. The first word is the class; codes are stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Storage { .. } => "storage",
            Self::Locked { .. } => "conflict.locked",
            Self::Exposed { .. } => "policy.data_folder",
            Self::Damaged { .. } | Self::Unreadable { .. } => "storage.damaged",
            Self::Closed => "storage.closed",
            Self::Newer { .. } => "policy.schema",
            Self::NotFound { thing, .. } => match thing {
                Thing::Repository => "not_found.repository",
                Thing::Version => "not_found.version",
                Thing::Attachment => "not_found.attachment",
                Thing::Job => "not_found.job",
                Thing::Publication => "not_found.publication",
                Thing::Unit => "not_found.unit",
                Thing::File => "not_found.file",
                Thing::Type => "not_found.type",
                Thing::Upload => "not_found.upload",
                Thing::Token => "not_found.token",
                Thing::Schedule => "not_found.schedule",
                Thing::Instance => "not_found.instance",
                Thing::Callback => "not_found.callback",
            },
            Self::Exists { .. } => "conflict.exists",
            Self::InUse { .. } => "conflict.in_use",
            Self::VersionKept { .. } => "conflict.version",
            Self::PathTaken { .. } => "conflict.path",
            Self::JobState { .. } => "conflict.job_state",
            Self::BaseMoved { .. } => "conflict.base_moved",
            Self::StateMoved { .. } => "conflict.state",
            Self::OffsetMoved { .. } => "conflict.offset",
            Self::LeaseLost { .. } => "lease_lost",
            Self::PathConflict { .. } => "content.path_conflict",
            Self::PlaceConflict { .. }
            | Self::FileConflict { .. }
            | Self::KeyConflict { .. }
            | Self::MovedTogether { .. } => "content.conflict",
            Self::Migrated { .. } => "conflict.migrated",
            Self::UnitChange { .. } => "protocol.unit",
            Self::NoBytes { .. } => "integrity.missing",
            Self::TypeNotTaken { .. } => "policy.type",
            Self::Staged { .. } => "protocol.staged",
            Self::TypesRefused { .. } => "config.type",
            Self::FieldName { .. } | Self::FieldValue { .. } => "usage.field",
            Self::Bug { .. } => "internal",
        }
    }

    /// Whether what was given is at fault, and not the store.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::TypesRefused { .. })
    }

    /// An error of the file system, with where it happened.
    pub(crate) fn storage(doing: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Storage { doing, path: path.to_path_buf(), source: source.into() }
    }

    pub(crate) fn not_found(thing: Thing, name: &(impl ToString + ?Sized)) -> Self {
        Self::NotFound { thing, name: name.to_string() }
    }
}

/// What to do about it, where that is known.
fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull => {
            "; make room (bytes or inodes), then run the job again: what was stored is kept"
        }
        io::ErrorKind::QuotaExceeded => "; the user's quota is used up",
        io::ErrorKind::ReadOnlyFilesystem => "; the file system is read-only",
        io::ErrorKind::ResourceBusy => "; another process keeps it busy",
        _ => "",
    }
}
