//! What a folder distributor remembers of the files that it wrote.

use super::{Digest, RelativePath};

/// A file of a user's folder as both sides last had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFile {
    /// In the repository.
    pub path: RelativePath,
    /// In the folder.
    pub local: RelativePath,
    /// The bytes.
    pub digest: Digest,
    /// How the file stood then.
    pub stamp: FileStamp,
    /// When it stood so: nanoseconds since 1970.
    pub seen_ns: i64,
}

/// How a file stands in its file system. Another stamp is a reason to look; an equal one is a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileStamp {
    /// In bytes.
    pub size: u64,
    /// Nanoseconds since 1970.
    pub modified_ns: i64,
    /// Of the inode, which no program can set: nanoseconds since 1970.
    pub changed_ns: i64,
    /// Its number.
    pub inode: u64,
}
