//! Units, their files, and what is asked about them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Digest, RelativePath, RepositoryId, TypeId, UnitId};

/// A unit to be stored, if it is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUnit {
    /// Its type.
    pub type_id: TypeId,
    /// [`CanonicalKey::text`](super::CanonicalKey::text).
    pub key: String,
    /// [`CanonicalKey::digest`](super::CanonicalKey::digest).
    pub key_digest: [u8; 32],
    /// [`CanonicalKey::repo_key`](super::CanonicalKey::repo_key).
    pub repo_key: Option<[u8; 32]>,
    /// A JSON object.
    pub attributes: String,
    /// Its files; none is fine.
    pub files: Vec<NewFile>,
}

/// A file of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Where it stands in the unit, and where it is published when all files are.
    pub path: RelativePath,
    /// None while nobody knows.
    pub sha256: Option<Digest>,
    /// In bytes. None while nobody knows.
    pub size: Option<u64>,
    /// Empty: unknown.
    pub media_type: String,
    /// Further digests, as "NAME:HEX".
    pub digests: Vec<String>,
    /// Where its bytes can be fetched; tried in this order.
    pub sources: Vec<Source>,
}

/// An address of a file's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The address.
    pub url: String,
    /// Headers to send. Never a secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// An address of a file's bytes, and who knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSource {
    /// The repository whose sync named it.
    pub repository: RepositoryId,
    /// The address.
    pub source: Source,
}

/// Bytes that are in the blob store now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewArtifact {
    /// Their sha256.
    pub digest: Digest,
    /// How many.
    pub size: u64,
}

/// A file in a job's folder whose bytes are to be taken into the blob store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The file, in a job's folder.
    pub path: PathBuf,
    /// The sha256 of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}

/// A unit that the store knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The unit.
    pub unit: UnitId,
    /// Whether the repository's newest version holds it.
    pub member: bool,
    /// Whether the bytes of all its files are in the store.
    pub complete: bool,
}

/// A unit after it was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// The unit.
    pub unit: UnitId,
    /// Whether the repository's newest version holds it.
    pub member: bool,
    /// Whether it was not known before.
    pub created: bool,
}

/// A unit of a repository's newest version, found by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The unit.
    pub unit: UnitId,
    /// What the last listing said.
    pub revision: Option<String>,
    /// Whether the bytes of all its files are in the store.
    pub complete: bool,
}

/// Which units of a repository's newest version are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// All.
    All,
    /// Those with these key digests.
    Keys(Vec<[u8; 32]>),
    /// Those whose field of the key or the attributes has this value.
    Field {
        /// The field.
        name: String,
        /// A JSON value.
        value: String,
    },
}

/// A field of key or attributes that must have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldEquals {
    /// The field.
    pub name: String,
    /// A JSON value.
    pub value: String,
}

/// Which units of a version are wanted. They come in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitQuery {
    /// Of these types; empty: of all.
    pub types: Vec<TypeId>,
    /// All of these must hold.
    pub filter: Vec<FieldEquals>,
    /// Those after this one. None: from the start.
    pub after: Option<UnitId>,
    /// At most so many; 0: 1,000.
    pub limit: usize,
    /// Whether files are wanted.
    pub with_files: bool,
}

/// A unit as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    /// Its number.
    pub id: UnitId,
    /// Its type.
    pub type_id: TypeId,
    /// A JSON object.
    pub key: String,
    /// A JSON object.
    pub attributes: String,
    /// Its files, by path; empty when they were not asked for.
    pub files: Vec<FileRow>,
}

/// A file of a unit as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Where it stands in the unit.
    pub path: RelativePath,
    /// None while nobody knows.
    pub sha256: Option<Digest>,
    /// In bytes. None while nobody knows.
    pub size: Option<u64>,
    /// Whether the bytes are in the store.
    pub present: bool,
    /// Empty: unknown.
    pub media_type: String,
    /// Further digests, as "NAME:HEX".
    pub digests: Vec<String>,
}
