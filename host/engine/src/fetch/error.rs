//! How a transfer fails: one variant per thing a caller can treat differently, with the evidence.
//!
//! Addresses in here are fit to be shown: user names stay, passwords and secret-looking query values do not (F186).

use std::{error::Error as StdError, fmt, io, path::PathBuf, time::Duration};

/// What lies under an error that a library reported.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Why a file did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request names no place to get the bytes from.
    #[error("no address is known for this file")]
    NoSource,
    /// An address that cannot be used as it is written.
    #[error("the address {url:?} cannot be used: {reason}")]
    Address {
        /// As given, made fit to be shown.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection, or it broke before the answer began.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// The innermost cause in words.
        reason: String,
        /// The library's error.
        #[source]
        source: Option<Cause>,
    },
    /// A secure connection could not be agreed upon.
    #[error("no secure connection to {url}: {reason}")]
    Tls {
        /// What was asked for.
        url: String,
        /// What is wrong with the certificate or the handshake.
        reason: String,
        /// The library's error.
        #[source]
        source: Option<Cause>,
    },
    /// The server answered, but not with the file.
    #[error("{url} answered {status}{}", Said(.body))]
    Status {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
        /// The beginning of the answer's text, one line; may be empty.
        body: String,
        /// How long the server asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The server's answer contradicts itself or the request.
    #[error("{url} sent an answer that makes no sense: {reason}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The connection ended before the body did.
    #[error("{url} broke off after {got} {}: {reason}", Of(*expected))]
    Truncated {
        /// What was asked for.
        url: String,
        /// Bytes that arrived, those of resumed attempts included.
        got: u64,
        /// Bytes that should have.
        expected: Option<u64>,
        /// The innermost cause in words.
        reason: String,
    },
    /// The connection stood, but no byte came.
    #[error("{url} sent nothing for {} s after {got} bytes", after.as_secs_f32())]
    Stalled {
        /// What was asked for.
        url: String,
        /// Bytes that arrived before.
        got: u64,
        /// How long we waited.
        after: Duration,
    },
    /// Other bytes than announced.
    #[error("{url} delivered {bytes} bytes with digest {found}, announced was {expected}")]
    Digest {
        /// Where the bytes came from.
        url: String,
        /// `"sha256:HEX"` or another kind.
        expected: String,
        /// The same kind, of what arrived.
        found: String,
        /// Bytes that arrived.
        bytes: u64,
    },
    /// Another number of bytes than announced.
    #[error("{url} has {found} bytes{}, announced were {expected}", if *.more { " or more" } else { "" })]
    Size {
        /// Where the bytes came from.
        url: String,
        /// Announced with the request.
        expected: u64,
        /// What the server announced or sent.
        found: u64,
        /// The body went on, it was cut.
        more: bool,
    },
    /// More bytes than we take.
    #[error("{url} has more than the {limit} bytes that are taken from it")]
    TooLarge {
        /// Where the bytes came from.
        url: String,
        /// The limit that was passed.
        limit: u64,
    },
    /// A redirect that is not followed.
    #[error("{from} sends us to {to}: {reason}")]
    Redirect {
        /// Who redirected.
        from: String,
        /// Where to.
        to: String,
        /// Why that is refused.
        reason: &'static str,
    },
    /// An address inside this machine or a private net that nobody typed.
    #[error(
        "{url} lies at {address}, inside this machine or a private network, and nobody asked for that host"
    )]
    Inward {
        /// What was asked for.
        url: String,
        /// The network address.
        address: String,
    },
    /// A local file outside the folders that the attachment names, or no plain file.
    #[error("{} is not read: {reason}", .path.display())]
    LocalRefused {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Only digests that can be forged.
    #[error(
        "{url} is announced with {found} only, which can be forged; it is taken only where the importer's setting \
         `allow_weak_digests` is true"
    )]
    WeakDigest {
        /// The first source.
        url: String,
        /// The kinds given.
        found: String,
    },
    /// A digest that is none.
    #[error("{digest:?} is no digest: {reason}")]
    BadDigest {
        /// As given.
        digest: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A local file cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A local file changed while it was read.
    #[error("{} changed while it was read", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The staging file cannot be written.
    #[error("{} cannot be written: {source}", .path.display())]
    Storage {
        /// The staging file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// This machine cannot speak HTTP or HTTPS.
    #[error("HTTPS cannot be used on this machine: {reason}")]
    Setup {
        /// What is missing.
        reason: String,
        /// The library's error.
        #[source]
        source: Option<Cause>,
    },
    /// Several attempts failed; the last one's error tells why.
    #[error("{last} (given up after {attempts} attempts)")]
    GaveUp {
        /// How many were made, over all sources.
        attempts: u32,
        /// Of the last attempt.
        #[source]
        last: Box<Error>,
    },
    /// A stop was asked for.
    #[error("a stop was asked for")]
    Cancelled,
}

impl Error {
    /// The stable code; its first word is the kind of trouble.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSource => "source.none",
            Self::Address { .. } => "content.address",
            Self::Unreachable { .. } => "source.unreachable",
            Self::Tls { .. } => "source.tls",
            Self::Status { status: 404 | 410, .. } => "source.not_found",
            Self::Status { .. } => "source.status",
            Self::Answer { .. } => "source.answer",
            Self::Truncated { .. } => "source.truncated",
            Self::Stalled { .. } => "source.stalled",
            Self::Digest { .. } => "integrity.digest",
            Self::Size { .. } => "integrity.size",
            Self::TooLarge { .. } => "limit.bytes",
            Self::Redirect { .. } => "policy.redirect",
            Self::Inward { .. } => "policy.address",
            Self::LocalRefused { .. } => "policy.local_file",
            Self::WeakDigest { .. } => "policy.digest",
            Self::BadDigest { .. } => "content.digest",
            Self::Read { .. } => "source.file",
            Self::Changed { .. } => "source.changed",
            Self::Storage { .. } => "storage.write",
            Self::Setup { .. } => "config.tls",
            Self::GaveUp { last, .. } => last.code(),
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the same thing may work a little later. The fetcher has used up its own retries by then.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Answer { .. }
            | Self::Truncated { .. }
            | Self::Stalled { .. }
            | Self::Changed { .. } => true,
            Self::Status { status, .. } => {
                matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 506..)
            }
            Self::GaveUp { last, .. } => last.retryable(),
            _ => false,
        }
    }

    /// Whether other bytes came than announced.
    pub fn is_integrity(&self) -> bool {
        self.code().starts_with("integrity.")
    }

    /// The error of the last attempt, without the count around it.
    pub fn cause(&self) -> &Self {
        match self {
            Self::GaveUp { last, .. } => last,
            other => other,
        }
    }

    /// What someone can do about it, when there is something.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable { .. } => "check the address, the name service and the network",
            Self::Tls { .. } => {
                "check the server's certificate and this machine's clock and certificate store"
            }
            Self::Status { status: 401 | 403, .. } => {
                "check the user, password or token of this source"
            }
            Self::Status { status: 404 | 410, .. } => {
                "the file is gone upstream; a sync reads a newer index"
            }
            Self::Status { .. }
            | Self::Answer { .. }
            | Self::Truncated { .. }
            | Self::Stalled { .. } => "try again later; what has arrived is kept",
            Self::Digest { .. } | Self::Size { .. } => {
                "the file changed upstream or is damaged on the way; sync again, then ask the source's owner"
            }
            Self::TooLarge { .. } => "raise the limit if a file of this size is meant",
            Self::Redirect { .. } | Self::Inward { .. } => {
                "if that host is right, name it in the importer's setting `allow_hosts`"
            }
            Self::LocalRefused { .. } => "name the file's folder in the attachment's own settings",
            Self::WeakDigest { .. } => "ask the source's owner for SHA-256 digests",
            Self::Read { .. } => "check that the file exists and may be read by this user",
            Self::Changed { .. } => "sync again when nobody writes to the folder",
            Self::Storage { .. } => "check the free space and the rights of the data folder",
            Self::Setup { .. } => "install the package ca-certificates",
            Self::GaveUp { last, .. } => return last.help(),
            Self::NoSource | Self::Address { .. } | Self::BadDigest { .. } | Self::Cancelled => {
                return None;
            }
        })
    }
}

/// What the server said, when it said something.
struct Said<'a>(&'a str);

impl fmt::Display for Said<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(out, ": {}", self.0) }
    }
}

/// "of N bytes" or "bytes".
struct Of(Option<u64>);

impl fmt::Display for Of {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(all) => write!(out, "of {all} bytes"),
            None => out.write_str("bytes"),
        }
    }
}

/// The innermost error's words: the outer ones only say that something failed.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut inner = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}
