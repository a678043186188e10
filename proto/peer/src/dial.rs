//! The way to a socket of the other side, if its rules let it be dialled.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use tokio::net::{TcpStream, UnixStream};
use wharf_proto::handshake::Network;

use crate::connection::Connection;
use crate::listen::{Address, MAX_SOCKET_PATH};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// It breaks this rule.
    #[error("{0}")]
    Refused(String),
    /// Nobody can be reached there, perhaps not yet.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

/// What may be dialled.
pub trait DialRules: Sync {
    /// Whether this may be dialled now. The inner error: it cannot be, perhaps not yet.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, address: &Address) -> Result<io::Result<()>, String>;

    /// Whether what a name of the network stands for may be dialled.
    ///
    /// # Errors
    /// Why not.
    fn check_resolved(&self, addresses: &[SocketAddr]) -> Result<(), String>;

    /// Whether the user and the process may be spoken to who listen on a Unix socket. Asked once we are connected: a
    /// path may have come to stand for another socket after it was looked at.
    ///
    /// # Errors
    /// Why not.
    fn check_listener(&self, user: u32, process: Option<u32>) -> Result<(), String>;
}

/// Connects, in clear. Everything that `rules` say is asked every time: what an address stands for may change.
///
/// # Errors
/// The address or whoever listens there breaks a rule; or the system's.
pub async fn dial(
    address: &Address,
    rules: Option<&dyn DialRules>,
) -> Result<Connection, DialError> {
    if let Some(rules) = rules {
        rules.check(address).map_err(DialError::Refused)??;
    }
    match address.network {
        Network::Unix => {
            let stream = connect_unix(Path::new(&address.text)).await?;
            if let Some(rules) = rules {
                let listener = stream.peer_cred()?;
                let process = listener.pid().and_then(|process| u32::try_from(process).ok());
                rules.check_listener(listener.uid(), process).map_err(DialError::Refused)?;
            }
            Ok(stream.into())
        }
        Network::Tcp => {
            let resolved: Vec<SocketAddr> = tokio::net::lookup_host(&address.text).await?.collect();
            if let Some(rules) = rules {
                rules.check_resolved(&resolved).map_err(DialError::Refused)?;
            }
            let stream = TcpStream::connect(&*resolved).await?;
            stream.set_nodelay(true)?;
            Ok(stream.into())
        }
    }
}

/// A path that is too long for an address is reached through its opened folder.
async fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    if path.as_os_str().len() <= MAX_SOCKET_PATH {
        return UnixStream::connect(path).await;
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(folder, flags, Mode::empty())?;
    let short = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join(name);
    UnixStream::connect(short).await
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, UnixListener};

    use super::*;

    /// Lets through what stands on loopback and belongs to nobody but `user`.
    struct Rules {
        user: u32,
    }

    impl DialRules for Rules {
        fn check(&self, address: &Address) -> Result<io::Result<()>, String> {
            let gone = address.text.ends_with("gone");
            Ok(if gone { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) })
        }

        fn check_resolved(&self, addresses: &[SocketAddr]) -> Result<(), String> {
            match addresses.iter().find(|address| address.port() == 1) {
                Some(_) => Err("port 1".to_owned()),
                None => Ok(()),
            }
        }

        fn check_listener(&self, user: u32, process: Option<u32>) -> Result<(), String> {
            assert_eq!(process, Some(std::process::id()));
            if user == self.user { Ok(()) } else { Err("another user".to_owned()) }
        }
    }

    async fn refused(address: Address, rules: &Rules) -> Option<String> {
        match dial(&address, Some(rules)).await {
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        }
    }

    // F18, F22
    #[tokio::test]
    async fn every_rule_is_asked_at_every_dial() {
        let us = rustix::process::geteuid().as_raw();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _listener = UnixListener::bind(&path).unwrap();
        let unix =
            |text: &Path| Address { network: Network::Unix, text: text.display().to_string() };
        assert_eq!(refused(unix(&path), &Rules { user: us }).await, None);
        let other = refused(unix(&path), &Rules { user: us + 1 }).await;
        assert_eq!(other.as_deref(), Some("another user"));
        let gone = dial(&unix(&folder.path().join("gone")), Some(&Rules { user: us })).await;
        assert!(matches!(gone, Err(DialError::Failed(_))), "{gone:?}");

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = |text: String| Address { network: Network::Tcp, text };
        let near = tcp(format!("localhost:{}", listener.local_addr().unwrap().port()));
        assert_eq!(refused(near, &Rules { user: us }).await, None);
        let named = refused(tcp("localhost:1".to_owned()), &Rules { user: us }).await;
        assert_eq!(named.as_deref(), Some("port 1"));
    }

    // F20
    #[tokio::test]
    async fn a_socket_with_a_long_path_is_dialled() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x".repeat(200));
        std::fs::create_dir(&deep).unwrap();
        let short = folder.path().join("s");
        let _listener = UnixListener::bind(&short).unwrap();
        std::fs::rename(&short, deep.join("s")).unwrap();
        let text = deep.join("s").display().to_string();
        dial(&Address { network: Network::Unix, text }, None).await.unwrap();
    }
}
