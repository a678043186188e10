//! What a build fails with. Each says what is wrong with what, and what to do next; the host gets it as one of its own.

use std::io;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The base image has not what the target is made of.
    #[error(
        "the base image has no file {name:?}, which {target} is made of: build the base with an OS builder that makes it"
    )]
    Missing {
        /// The file.
        name: &'static str,
        /// The component.
        target: &'static str,
    },
    /// What a user asked for cannot be.
    #[error("{0}")]
    Wish(String),
    /// The base image's file is not what it should be.
    #[error("{file} cannot be used: {why}; build the base image anew")]
    Malformed {
        /// The file.
        file: &'static str,
        /// What is wrong, and where.
        why: String,
    },
    /// The base image's file would do harm.
    #[error("{file} is refused: {why}; nothing that an OS builder makes has this")]
    Unsafe {
        /// The file.
        file: &'static str,
        /// What is wrong, and where.
        why: String,
    },
    /// Something is larger than allowed.
    #[error("{what} is over the limit of {limit}; {next}")]
    Limit {
        /// What is too large.
        what: String,
        /// The limit, with its unit.
        limit: String,
        /// What to do next.
        next: &'static str,
    },
    /// The disk did not do what it should.
    #[error("{doing} failed: {source}; is there room in the host's data folder?")]
    Io {
        /// What was done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// A stop was asked for.
    #[error("the build was cancelled")]
    Cancelled,
    /// A bug.
    #[error("{0}")]
    Fault(String),
    /// A tool or the host failed; it says all itself.
    #[error(transparent)]
    Sdk(#[from] wharf_sdk::Error),
}

impl Error {
    /// For `map_err`: what was done when the system said no.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

impl From<Error> for wharf_sdk::Error {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Missing { .. } => Self::usage("usage.parent", text),
            Error::Wish(_) => Self::usage("config", text),
            Error::Malformed { .. } => Self::operation("content.base_image", text),
            Error::Unsafe { .. } => Self::operation("content.unsafe", text),
            Error::Limit { .. } => Self::operation("limit", text),
            Error::Io { .. } => Self::operation("storage", text).retryable(),
            Error::Cancelled => Self::cancelled(),
            Error::Fault(_) => Self::fault("internal", text),
            Error::Sdk(error) => error,
        }
    }
}
