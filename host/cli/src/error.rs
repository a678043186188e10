//! What can go wrong in the program itself, and how it becomes a [`Problem`] like all others.
//!
//! What the server refuses arrives as a finished problem and is passed on as it is. The codes here
//! are those of the engine's table; this module adds no kind of its own.

use std::io::ErrorKind;
use std::path::PathBuf;

use thiserror::Error;

use crate::api::{Class, Problem};

/// Why a command did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The server said no, or a job ended with this.
    #[error("{}", .0.message)]
    Problem(Box<Problem>),
    /// The command line was well formed, but makes no sense here.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to write instead.
        help: String,
    },
    /// No data folder is named and none can be derived.
    #[error("there is no folder to keep data in: neither XDG_DATA_HOME nor HOME is set")]
    NoDataFolder,
    /// The data folder cannot be made or used.
    #[error("cannot use the data folder {}: {source}", .path.display())]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Another process holds the data folder, but does not answer on its socket.
    #[error("{} uses the data folder {}, but does not answer", holder(*.pid), .data.display())]
    Silent {
        /// The folder.
        data: PathBuf,
        /// Who holds it, when that is known.
        pid: Option<u32>,
    },
    /// The server's socket does not answer.
    #[error("cannot reach the server of {}: {source}", .data.display())]
    Unreachable {
        /// The data folder.
        data: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The connection ended in the middle of an exchange.
    #[error("the connection to the server broke during {request}: {reason}")]
    Broken {
        /// Method and path.
        request: String,
        /// What the connection says.
        reason: String,
    },
    /// The server took longer than this kind of request may take.
    #[error("the server did not answer {request} within {seconds} s")]
    Deadline {
        /// Method and path.
        request: String,
        /// The limit.
        seconds: u64,
    },
    /// An answer that is not what the API says.
    #[error("the server's answer to {request} is not understood: {reason}")]
    Answer {
        /// Method and path.
        request: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or folder of the user's cannot be read or written.
    #[error("cannot {action} {}: {source}", .path.display())]
    File {
        /// What was tried: "read", "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Standard output cannot be written, for another reason than that nobody reads it.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// Nobody reads standard output any more: end quietly.
    #[error("standard output was closed")]
    ClosedOutput,
    /// Signals cannot be caught.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

/// Whoever holds a data folder, in words.
pub(crate) fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<wharf_engine::Problem> for Error {
    fn from(problem: wharf_engine::Problem) -> Self {
        Problem::from(problem).into()
    }
}

impl Error {
    /// A request that makes no sense, with what to write instead.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: help.into() }
    }

    /// The same in the form that people and programs are shown.
    pub(crate) fn into_problem(self) -> Problem {
        let message = self.to_string();
        let (class, code, help) = match self {
            Self::Problem(problem) => return *problem,
            Self::Usage { help, .. } => (Class::Usage, "usage", Some(help)),
            Self::NoDataFolder => (Class::Usage, "usage", Some("name one with --data".to_owned())),
            Self::DataFolder { .. } => (
                Class::Operation,
                "storage.data_folder",
                Some("name another one with --data or WHARF_DATA".to_owned()),
            ),
            Self::Silent { pid, .. } => (
                Class::Fault,
                "unresponsive",
                Some(format!("look at {}, or end it and try again", holder(pid))),
            ),
            Self::Unreachable { .. } | Self::Broken { .. } => (
                Class::Fault,
                "internal.connection",
                Some(
                    "run the command again; unfinished jobs are taken up when the next server \
                     starts"
                        .to_owned(),
                ),
            ),
            Self::Deadline { .. } => (
                Class::Fault,
                "unresponsive",
                Some("look at the server's log, or restart it".to_owned()),
            ),
            Self::Answer { .. } => (
                Class::Fault,
                "internal.answer",
                Some("`wharf status` shows whether the server has another version".to_owned()),
            ),
            Self::File { action: "read", source, .. } if source.kind() == ErrorKind::InvalidData => (
                Class::Usage,
                "usage",
                Some(
                    "a text is wanted here; a disk that exists already comes in by `wharf image import`"
                        .to_owned(),
                ),
            ),
            Self::File { .. } | Self::Output(_) => (Class::Operation, "storage", None),
            Self::Signals(_) => (Class::Fault, "internal", None),
            Self::ClosedOutput | Self::Interrupted => (Class::Cancelled, "cancelled", None),
        };
        Problem { class, code: code.to_owned(), message, at: None, help, details: None }
    }
}
