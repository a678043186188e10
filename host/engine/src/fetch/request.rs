//! What a caller asks for, and what it gets.

use std::{path::PathBuf, sync::Arc};

use wharf_store::model::{Digest, Source};

use super::{Follow, Pace, Trust};

/// One file to bring.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Tried in order; all hold the same bytes. `https`, `http` and `file` are understood; user and
    /// password in an address become basic authentication. Headers go to the host of their source
    /// and to no other.
    pub sources: Vec<Source>,
    /// The staging file that is written. What stands there is replaced, or continued when an
    /// earlier attempt left it together with its notes (see [`Request::digests`]). Its folder
    /// exists.
    pub target: PathBuf,
    /// The announced size in bytes; another one is an error.
    pub size: Option<u64>,
    /// `"sha256:HEX"`, `"sha384:HEX"` or `"sha512:HEX"` are checked, others ignored beside one of
    /// these. Without one, `"sha1:HEX"` and `"md5:HEX"` are checked where [`Request::trust`] takes
    /// them, and refused elsewhere. A file left by an earlier attempt is continued only with one.
    pub digests: Vec<String>,
    /// The largest body taken, in bytes, when smaller than [`Config::max_bytes`](super::Config::max_bytes).
    pub max_bytes: Option<u64>,
    /// What the caller holds already.
    pub validators: Validators,
    /// Where the request may go. One value serves all requests of an attachment.
    pub trust: Arc<Trust>,
    /// Tells readers how far the target is written, see [`Follow`].
    pub follow: Option<Follow>,
    /// Holds the transfer back. One value serves all requests of an attachment.
    pub pace: Option<Arc<Pace>>,
}

impl Request {
    /// Whether only digests that can be forged tell what the bytes must be, and count (F104).
    pub(super) fn is_vouched_for_weakly(&self) -> bool {
        self.trust.takes_weak_digests() && super::verify::are_weak(&self.digests)
    }
}

/// From an earlier [`Done`]: an unchanged file is answered with [`Fetched::NotModified`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// As the server wrote it.
    pub etag: Option<String>,
    /// As the server wrote it.
    pub last_modified: Option<String>,
}

/// How a transfer ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The server says that [`Request::validators`] still describe the file. Nothing was written.
    NotModified,
    /// The target holds the whole file, verified. It is not synced to the disk.
    Done(Done),
}

/// A file that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Of the bytes.
    pub sha256: Digest,
    /// In bytes.
    pub size: u64,
    /// For [`Validators`]; of a local file, made from its time and size.
    pub etag: Option<String>,
    /// For [`Validators`].
    pub last_modified: Option<String>,
    /// Where the bytes came from after all redirects, without user and password.
    pub final_url: String,
    /// As the server said, without parameters.
    pub media_type: Option<String>,
}
