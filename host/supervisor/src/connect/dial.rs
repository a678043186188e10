//! Reaches the address that a plugin announced, if it may be reached at all.
//!
//! A plugin prints its line after it listens, so a refused connection is tried again for a short
//! time only (F19).

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use wharf_proto::handshake::Network;

use crate::launch::MAX_SOCKET_PATH;

/// For how long a plugin may refuse connections after its handshake.
const PATIENCE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Which addresses of plugins are dialled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SocketPolicy {
    /// A Unix socket of our own user in the plugin's private folder, or TCP on loopback (F18). For
    /// plugins that honour `PLUGIN_UNIX_SOCKET_DIR` or `TMPDIR`.
    #[default]
    Private,
    /// Any address. For looking at foreign plugins.
    Any,
}

/// Where a plugin listens, as far as that can be said without dialling.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) network: Network,
    /// As the handshake has it.
    pub(crate) text: String,
    pub(crate) policy: SocketPolicy,
    /// The plugin's private folder.
    pub(crate) folder: PathBuf,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum DialError {
    /// The address is one that we do not dial.
    Policy(String),
    /// Nobody answers there, or what answers is no peer of ours.
    Failed(String),
}

impl Address {
    /// Connects, once the address is good and somebody listens, until `deadline` at the latest.
    pub(crate) async fn dial(&self, deadline: Instant) -> Result<Stream, DialError> {
        let end = deadline.min(Instant::now() + PATIENCE);
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.try_dial().await? {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            if Instant::now() + pause > end || !is_worth_another_try(&error) {
                let problem = format!(
                    "the address {} of its handshake cannot be reached: {error}",
                    crate::text::excerpt(&self.text, 200)
                );
                return Err(DialError::Failed(problem));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_dial(&self) -> Result<io::Result<Stream>, DialError> {
        match self.network {
            Network::Unix => {
                let path = Path::new(&self.text);
                if let Err(error) = self.check_socket(path)? {
                    return Ok(Err(error));
                }
                Ok(connect_unix(path).await.map(Stream::Unix))
            }
            Network::Tcp => {
                let addresses: Vec<SocketAddr> = match tokio::net::lookup_host(&self.text).await {
                    Ok(addresses) => addresses.collect(),
                    Err(error) => return Ok(Err(error)),
                };
                let outside = addresses.iter().find(|address| !address.ip().is_loopback());
                if let (SocketPolicy::Private, Some(outside)) = (self.policy, outside) {
                    let problem = format!("its address {outside} is not on loopback");
                    return Err(DialError::Policy(problem));
                }
                Ok(connect_tcp(&addresses).await.map(Stream::Tcp))
            }
        }
    }

    fn check_socket(&self, path: &Path) -> Result<io::Result<()>, DialError> {
        let refuse = |why: &str| {
            let shown = crate::text::excerpt(&self.text, 200);
            Err(DialError::Policy(format!("its socket {shown} {why}")))
        };
        let private = self.policy == SocketPolicy::Private;
        // The folder goes with a process that has ended meanwhile: that is no breach of a rule.
        if private && let Err(error) = self.folder.metadata() {
            return Ok(Err(error));
        }
        if private && !is_inside(path, &self.folder) {
            return refuse("is not in the private folder that it was given");
        }
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        if private && found.is_symlink() {
            return refuse("is a symbolic link");
        }
        if private && found.uid() != rustix::process::geteuid().as_raw() {
            return refuse("belongs to another user");
        }
        if !found.file_type().is_socket() && !found.is_symlink() {
            return Ok(Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a socket")));
        }
        Ok(Ok(()))
    }
}

/// Directly inside: a plugin that makes folders of its own can put links into them.
fn is_inside(path: &Path, folder: &Path) -> bool {
    let parent = path.parent().filter(|parent| parent.is_absolute());
    let parent = parent.and_then(|parent| parent.canonicalize().ok());
    path.file_name().is_some() && parent.is_some() && parent == folder.canonicalize().ok()
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

/// A connection of either kind.
#[derive(Debug)]
pub(crate) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(folder: &Path, address: &Path) -> Address {
        Address {
            network: Network::Unix,
            text: address.display().to_string(),
            policy: SocketPolicy::Private,
            folder: folder.to_owned(),
        }
    }

    async fn refused(address: &Address) -> String {
        match address.dial(Instant::now()).await {
            Err(DialError::Policy(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    // F18
    #[tokio::test]
    async fn sockets_outside_the_private_folder_are_not_dialled() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("p");
        fs::create_dir(&inside).unwrap();
        let outside = folder.path().join("out.sock");
        let _listener = tokio::net::UnixListener::bind(&outside).unwrap();
        let link = inside.join("link");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        for path in [outside.as_path(), Path::new("p/x"), &inside.join("../out.sock")] {
            let problem = refused(&address(&inside, path)).await;
            assert!(problem.contains("private folder"), "{problem}");
        }
        let problem = refused(&address(&inside, &link)).await;
        assert!(problem.contains("symbolic link"), "{problem}");
        let tcp = Address {
            network: Network::Tcp,
            text: "192.0.2.1:7".into(),
            ..address(&inside, &outside)
        };
        assert!(refused(&tcp).await.contains("loopback"));
        let any = Address { policy: SocketPolicy::Any, ..address(&inside, &link) };
        assert!(any.dial(Instant::now()).await.is_ok());
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
        assert!(address(&deep, &deep.join("s")).dial(Instant::now()).await.is_ok());
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
            match address(folder.path(), &path).dial(deadline).await {
                Err(DialError::Failed(problem)) => assert!(problem.contains(reason), "{problem}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
