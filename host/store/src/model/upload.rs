//! What users bring, and who may.

use super::{Digest, RepositoryId, UploadId};

/// A file that a user is bringing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its number.
    pub id: UploadId,
    /// Where it is to go.
    pub repository: RepositoryId,
    /// The file's name.
    pub name: String,
    /// Its size, as announced.
    pub size: Option<u64>,
    /// Its digest, as announced.
    pub sha256: Option<Digest>,
    /// Bytes that came, from the first on, and are on the disk.
    pub received: u64,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970, of the last bytes that came.
    pub touched_ms: i64,
}

/// An upload to be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// Where it is to go.
    pub repository: RepositoryId,
    /// The file's name.
    pub name: String,
    /// Its size, if that is known.
    pub size: Option<u64>,
    /// Its digest, if that is known.
    pub sha256: Option<Digest>,
}

/// The right to upload from outside, less its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// The SHA-256 of the secret.
    pub digest: Digest,
    /// The repositories that it is good for, by number and name.
    pub repositories: Vec<(RepositoryId, String)>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
}
