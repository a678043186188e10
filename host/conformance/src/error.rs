//! Why a plugin could not even be looked at. What is wrong with the plugin itself is a row of the report.

use std::path::PathBuf;

/// Nothing was started, or nothing could be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no manifest, or no plugin that could be started.
    #[error("{}: {reason}", path.display())]
    NoPlugin {
        /// What was named.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// `verify.json`, or what was given on the command line.
    #[error("{place}: {reason}")]
    Sample {
        /// The file, or the option.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `--only` names none.
    #[error("there is no case {name:?}; `wharf plugin verify --list` names them all")]
    NoCase {
        /// As it was given.
        name: String,
    },
    /// No folder for sockets and staged files.
    #[error("no folder to work in can be made in {}: {source}", path.display())]
    Folder {
        /// Where it was to be.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
}
