//! Listeners with private sockets, and how their addresses are told to the other side.

use std::fs::Permissions;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, chownat, fstat, open};
use rustix::process::geteuid;
use tempfile::TempPath;
use tokio::net::{TcpListener, UnixListener};
use wharf_proto::handshake::Network;

use crate::connection::Connection;
use crate::dial::DialRules;

/// Where somebody listens, as the handshake line and the broker's announcements say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The kind of socket.
    pub network: Network,
    /// A path, or `host:port`.
    pub text: String,
}

/// What stands between an address here and the same one at the other side, most often a runner that puts plugins into
/// containers; and the rules about what is dialled at all.
pub trait Addresses: DialRules + Send + Sync {
    /// An address of ours, as the other side must dial it.
    ///
    /// # Errors
    /// Why it cannot be reached from there.
    fn announcing(&self, address: Address) -> Result<Address, String>;

    /// An address that the other side announced, as we must dial it.
    ///
    /// # Errors
    /// Why it is not dialled.
    fn announced(&self, address: Address) -> Result<Address, String>;
}

/// How sockets are made.
#[derive(Clone)]
pub struct Sockets {
    /// The kind of socket.
    pub network: Network,
    /// Where Unix sockets are put; private to the user, or to user and group.
    pub folder: PathBuf,
    /// The group that may connect too, by number: sockets get it and mode 0660 instead of 0600.
    pub group: Option<u32>,
    /// For TCP: the first and the last port to try on loopback, lowest first; both 0 for any.
    pub ports: (u16, u16),
    /// What stands between here and there; most often nothing.
    pub addresses: Option<Arc<dyn Addresses>>,
}

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The Unix socket cannot be made, or not be given to its group.
    #[error("no socket can be made in {}: {source}", folder.display())]
    Socket {
        /// Where it was to be.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The path of a socket is longer than the system takes.
    #[error("the path of the socket {} has {length} bytes, the system takes {MAX_SOCKET_PATH}; use a folder with a shorter path", path.display())]
    LongPath {
        /// The path.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
    /// The range of ports has its end before its begin.
    #[error("the range of TCP ports {first} to {last} is empty")]
    EmptyRange {
        /// The first port.
        first: u16,
        /// The last port.
        last: u16,
    },
    /// No port of the range can be had.
    #[error("no TCP port from {first} to {last} can be listened on: {source}")]
    NoPort {
        /// The first port.
        first: u16,
        /// The last port.
        last: u16,
        /// What the system says of the last one.
        source: io::Error,
    },
    /// The path is no text, which the protocol needs.
    #[error("the path {} is not UTF-8, which the protocol needs", path.display())]
    NotText {
        /// The path.
        path: PathBuf,
    },
}

/// A path of a Unix socket has at most this many bytes. Source: unix(7).
pub const MAX_SOCKET_PATH: usize = 107;

/// A socket that accepts connections.
#[derive(Debug)]
pub enum Listener {
    /// A Unix socket.
    Unix(UnixListener),
    /// TCP on loopback.
    Tcp(TcpListener),
}

impl Listener {
    /// The next connection, in clear.
    ///
    /// # Errors
    /// The system's; most often it is out of something, and it is worth trying again after a pause.
    ///
    /// # Cancel safety
    /// No connection is lost.
    pub async fn accept(&self) -> io::Result<Connection> {
        match self {
            Self::Unix(listener) => listener.accept().await.map(|(stream, _)| stream.into()),
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(stream.into())
            }
        }
    }
}

/// A listener with its address. Dropping it removes the socket's file.
#[derive(Debug)]
pub struct Bound {
    /// What accepts.
    pub listener: Listener,
    /// Where.
    pub address: Address,
    _file: Option<TempPath>,
}

impl Sockets {
    /// Listens on a new socket. `name` begins the name of its file.
    ///
    /// # Errors
    /// [`ListenError`]: nothing is left behind.
    pub async fn bind(&self, name: &str) -> Result<Bound, ListenError> {
        match self.network {
            Network::Unix => self.bind_unix(name),
            Network::Tcp => self.bind_tcp().await,
        }
    }

    fn bind_unix(&self, name: &str) -> Result<Bound, ListenError> {
        let failed = |source| ListenError::Socket { folder: self.folder.clone(), source };
        let length = self.folder.as_os_str().len() + 1 + name.len() + RANDOM;
        if length > MAX_SOCKET_PATH {
            let path = self.folder.join(format!("{name}{}", "?".repeat(RANDOM)));
            return Err(ListenError::LongPath { path, length });
        }
        let made = tempfile::Builder::new()
            .prefix(name)
            .rand_bytes(RANDOM)
            .make_in(&self.folder, |path| UnixListener::bind(path));
        let (listener, file) = made.map_err(failed)?.into_parts();
        share(&file, self.group).map_err(failed)?;
        let text =
            file.to_str().ok_or_else(|| ListenError::NotText { path: file.to_path_buf() })?;
        let address = Address { network: Network::Unix, text: text.to_owned() };
        Ok(Bound { listener: Listener::Unix(listener), address, _file: Some(file) })
    }

    async fn bind_tcp(&self) -> Result<Bound, ListenError> {
        let (first, last) = self.ports;
        let mut failure = None;
        for port in first..=last {
            match TcpListener::bind(("127.0.0.1", port)).await {
                Ok(listener) => {
                    let port = listener.local_addr().map_or(port, |address| address.port());
                    let address =
                        Address { network: Network::Tcp, text: format!("127.0.0.1:{port}") };
                    return Ok(Bound { listener: Listener::Tcp(listener), address, _file: None });
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(match failure {
            Some(source) => ListenError::NoPort { first, last, source },
            None => ListenError::EmptyRange { first, last },
        })
    }
}

/// Letters behind the name of a socket's file.
const RANDOM: usize = 6;

/// Whoever may write in the folder may put something else there at any time: what is changed is what was looked at.
fn share(path: &Path, group: Option<u32>) -> io::Result<()> {
    let opened = open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let found = fstat(&opened)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Socket
        || found.st_uid != geteuid().as_raw()
    {
        return Err(io::Error::other("somebody has put something else in its place"));
    }
    if let Some(group) = group {
        chownat(&opened, "", None, Some(Gid::from_raw(group)), AtFlags::EMPTY_PATH)?;
    }
    let mode = if group.is_some() { 0o660 } else { 0o600 };
    let opened = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string());
    std::fs::set_permissions(opened, Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    // P8
    #[test]
    fn a_link_in_place_of_a_socket_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, link) = (folder.path().join("ours"), folder.path().join("link"));
        let _listener = std::os::unix::net::UnixListener::bind(&ours).unwrap();
        fs::set_permissions(&ours, Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&ours, &link).unwrap();
        let group = Some(rustix::process::getegid().as_raw());
        share(&link, group).unwrap_err();
        assert_eq!(mode(&ours), 0o600);
        fs::write(folder.path().join("file"), "").unwrap();
        share(&folder.path().join("file"), group).unwrap_err();
        share(&ours, group).unwrap();
        assert_eq!(mode(&ours), 0o660);
    }
}
