//! Publications: trees of files that clients see.

use super::{AttachmentId, Digest, PublicationId, RelativePath, RepositoryId, UnitId};

/// A tree of published files, made from one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Its number.
    pub id: PublicationId,
    /// Who made it.
    pub attachment: AttachmentId,
    /// What was published.
    pub repository: RepositoryId,
    /// Which version of it.
    pub version: u64,
    /// Whether clients see it.
    pub state: PublicationState,
    /// Files in it; 0 while it is being made.
    pub entries: u64,
    /// Milliseconds since 1970.
    pub created_ms: i64,
}

/// Whether clients see a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicationState {
    /// Not yet: it is being made.
    Building,
    /// Yes.
    Live,
    /// Another one took its place. Its files are still found under their exact paths for a while.
    Superseded,
}

/// A file to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Where, below the path of the publication.
    pub path: RelativePath,
    /// What stands there.
    pub from: EntryFrom,
    /// Empty: that of the unit's file.
    pub media_type: String,
    /// Milliseconds since 1970.
    pub modified_ms: i64,
    /// Clients start here: it must look new after a rollback.
    pub entry_point: bool,
    /// Sent along.
    pub headers: Vec<Header>,
}

/// A response header of a published file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// In lower case.
    pub name: String,
    /// In one line.
    pub value: String,
}

/// What stands at a published path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryFrom {
    /// These bytes; they must be in the store.
    Artifact(Digest),
    /// This file of a unit, whether its bytes are in the store or not.
    UnitFile(UnitId, RelativePath),
    /// A redirect to another path of the publication, or to a URL.
    Redirect(String),
}

/// A representation of a path, to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVariant {
    /// What clients ask for: a folder with a slash at its end, or a path that has no file of its own.
    pub path: String,
    /// The file that is sent.
    pub target: RelativePath,
    /// What it is called then.
    pub media_type: String,
    /// Other media types under which it is asked for; without blanks.
    pub also: Vec<String>,
    /// How the file is encoded, `gzip`; empty: not.
    pub encoding: String,
}

/// A published representation of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Where it was found.
    pub publication: PublicationId,
    /// The path of the file that is sent.
    pub target: String,
    /// What it is called then.
    pub media_type: String,
    /// Other media types under which it is asked for.
    pub also: Vec<String>,
    /// How the file is encoded; empty: not.
    pub encoding: String,
}

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEntry {
    /// Where it was found.
    pub publication: PublicationId,
    /// Its path below that of the publication.
    pub path: String,
    /// None while nobody knows, and for a redirect.
    pub sha256: Option<Digest>,
    /// In bytes. None while nobody knows, and for a redirect.
    pub size: Option<u64>,
    /// Whether the bytes are in the store.
    pub present: bool,
    /// Empty: unknown.
    pub media_type: String,
    /// Milliseconds since 1970.
    pub modified_ms: i64,
    /// Clients start here.
    pub entry_point: bool,
    /// The unit's file that it is.
    pub unit: Option<(UnitId, RelativePath)>,
    /// Where it redirects to.
    pub redirect: Option<String>,
    /// Sent along.
    pub headers: Vec<Header>,
}

/// What stands at a path of the content server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A file.
    File(PublishedEntry),
    /// Several representations, the one to send when nothing is preferred first.
    Variants(Vec<Variant>),
    /// A directory.
    Directory(Listing),
    /// A directory, asked for without the `/` at its end.
    RedirectToSlash,
    /// Nothing.
    NotFound,
}

/// What a directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Files and directories, by name.
    pub entries: Vec<DirEntry>,
    /// There is more than is listed.
    pub more: bool,
}

/// A file or directory in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Of a file, in bytes, if it was known when it was published.
    pub size: Option<u64>,
    /// Of a file: milliseconds since 1970.
    pub modified_ms: Option<i64>,
}
