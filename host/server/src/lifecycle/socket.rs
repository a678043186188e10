//! The API's Unix socket, however long the path of the data folder is.
//!
//! The kernel takes socket addresses of at most 107 bytes. A longer path is reached through an
//! open handle on its folder: `/proc/self/fd/N/api.sock`.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tokio::net::{UnixListener, UnixStream};

use super::folder::socket_path;
use crate::error::{Error, folder};

/// What fits into a socket address, without the zero at its end.
const MAX_ADDRESS: usize = 107;

/// Connects to the server of a data folder.
///
/// # Errors
/// `NotFound` or `ConnectionRefused`: no server lives there.
pub async fn connect(data: &Path) -> io::Result<UnixStream> {
    let address = Address::of(&socket_path(data))?;
    UnixStream::connect(&address.path).await
}

/// Takes the API's socket of a data folder whose lock is held, for its owner only.
///
/// # Errors
/// [`Error::Folder`].
pub(super) fn bind(data: &Path) -> Result<UnixListener, Error> {
    let path = socket_path(data);
    let bind = || {
        let address = Address::of(&path)?;
        let listener = UnixListener::bind(&address.path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    bind().map_err(folder("listen on", &path))
}

/// A path that fits into a socket address, and the handle that keeps it valid.
struct Address {
    path: PathBuf,
    _folder: Option<File>,
}

impl Address {
    fn of(path: &Path) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if path.as_os_str().len() <= MAX_ADDRESS {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        let flags = (OFlags::PATH | OFlags::DIRECTORY).bits().cast_signed();
        let folder = OpenOptions::new().read(true).custom_flags(flags).open(parent)?;
        let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
        Ok(Self { path, _folder: Some(folder) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_can_be_reached_below_a_long_path() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("d".repeat(150));
        fs::create_dir(&data).unwrap();
        let refused = connect(&data).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotFound);
        let listener = bind(&data).unwrap();
        let mode = fs::metadata(socket_path(&data)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (client, server) = tokio::join!(connect(&data), listener.accept());
        client.unwrap();
        let own = rustix::process::getuid().as_raw();
        assert_eq!(server.unwrap().0.peer_cred().unwrap().uid(), own);
        drop(listener);
        let refused = connect(&data).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
