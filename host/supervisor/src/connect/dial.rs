//! Reaches an address that a plugin announced, if it may be reached at all.
//!
//! A plugin prints its line after it listens, so a refused connection is tried again for a short
//! time only (F19).

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use wharf_peer::{Address, Connection};
use wharf_proto::handshake::Network;

use super::rules::Rules;
use crate::launch::MAX_SOCKET_PATH;

/// For how long a plugin may refuse connections after its handshake.
const PATIENCE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Where a plugin listens.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) rules: Arc<Rules>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum DialError {
    /// The address is one that we do not dial.
    Policy(String),
    /// Nobody answers there, or what answers is no peer of ours.
    Failed(String),
}

impl Target {
    /// Connects, once the address is good and somebody listens, until `deadline` at the latest.
    pub(crate) async fn dial(&self, deadline: Instant) -> Result<Connection, DialError> {
        let end = deadline.min(Instant::now() + PATIENCE);
        let mut pause = FIRST_PAUSE;
        loop {
            let dialled = tokio::time::timeout_at(end, self.try_dial()).await;
            let error = match dialled.unwrap_or_else(|elapsed| Ok(Err(elapsed.into())))? {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            if Instant::now() + pause > end || !is_worth_another_try(&error) {
                let problem = format!(
                    "the address {} of its handshake cannot be reached: {error}",
                    crate::text::excerpt(&self.address.text, 200)
                );
                return Err(DialError::Failed(problem));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_dial(&self) -> Result<io::Result<Connection>, DialError> {
        if let Err(error) = self.rules.check(&self.address).map_err(DialError::Policy)? {
            return Ok(Err(error));
        }
        match self.address.network {
            Network::Unix => {
                Ok(connect_unix(Path::new(&self.address.text)).await.map(Connection::from))
            }
            Network::Tcp => {
                let addresses: Vec<SocketAddr> =
                    match tokio::net::lookup_host(&self.address.text).await {
                        Ok(addresses) => addresses.collect(),
                        Err(error) => return Ok(Err(error)),
                    };
                self.rules.check_resolved(&addresses).map_err(DialError::Policy)?;
                Ok(connect_tcp(&addresses).await.map(Connection::from))
            }
        }
    }
}

fn is_worth_another_try(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
        || error.kind() == io::ErrorKind::WouldBlock
}

/// A path that is too long for an address is reached through its opened folder.
async fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    if path.as_os_str().len() <= MAX_SOCKET_PATH {
        return UnixStream::connect(path).await;
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let opened = rustix::fs::open(
        folder,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let short = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join(name);
    UnixStream::connect(short).await
}

async fn connect_tcp(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addresses).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::rules::SocketPolicy;
    use super::*;

    fn target(folder: &Path, socket: &Path) -> Target {
        let policy = SocketPolicy::Private;
        let rules = Rules { policy, folder: folder.to_owned(), runner: None };
        let address = Address { network: Network::Unix, text: socket.display().to_string() };
        Target { address, rules: Arc::new(rules) }
    }

    // F20
    #[tokio::test]
    async fn a_socket_with_a_long_path_is_dialled() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x".repeat(200));
        fs::create_dir(&deep).unwrap();
        let short = folder.path().join("s");
        let _listener = tokio::net::UnixListener::bind(&short).unwrap();
        fs::rename(&short, deep.join("s")).unwrap();
        let deadline = Instant::now() + PATIENCE;
        assert!(target(&deep, &deep.join("s")).dial(deadline).await.is_ok());
    }

    // F19
    #[tokio::test]
    async fn what_is_not_a_listening_socket_fails_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for (path, reason) in [(file, "not a socket"), (folder.path().join("none"), "No such file")]
        {
            let deadline = Instant::now() + Duration::from_millis(30);
            match target(folder.path(), &path).dial(deadline).await {
                Err(DialError::Failed(problem)) => assert!(problem.contains(reason), "{problem}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
