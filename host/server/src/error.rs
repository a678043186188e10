//! Why a server did not start. What goes wrong later is answered to the client that met it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another server has the data folder; talk to that one.
    #[error("the data folder {} is in use{}; its server answers on {}", data.display(), by(*pid), socket.display())]
    Locked {
        /// The data folder.
        data: PathBuf,
        /// The process that has it; none: it is just starting or leaving.
        pid: Option<u32>,
        /// Where it answers, once it has started.
        socket: PathBuf,
    },
    /// The data folder is open to other users and holds things that are not ours, so its rights
    /// are not changed.
    #[error("{}", wharf_store::Error::Exposed { path: path.clone() })]
    Exposed {
        /// The data folder.
        path: PathBuf,
    },
    /// A file or folder of the data folder could not be used.
    #[error("cannot {action} {}", path.display())]
    Folder {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The address for published content could not be taken.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The engine did not open.
    #[error("the engine did not start")]
    Engine(#[source] Box<wharf_engine::Error>),
    /// A thread of the server ended in a panic while it started.
    #[error("a thread of the server was lost while it started")]
    Lost(#[source] tokio::task::JoinError),
}

fn by(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" by process {pid}"))
}

/// Names what was being done to which path when the system refused.
pub(crate) fn folder(
    action: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::Folder { action, path, source }
}
