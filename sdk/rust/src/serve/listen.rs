//! The plugin's socket: where it lies, who may use it, and that it goes away.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::UnixListener;
use wharf_proto::handshake::Environment;

use super::StartError;
use crate::host::MAX_SOCKET_PATH;

/// A socket that listens. Dropping it removes the file, and the folder if it was made for it.
pub(crate) struct Socket {
    path: PathBuf,
    _folder: Option<TempDir>,
}

impl Socket {
    /// Binds in the folder that the host gave, else in a private one of its own.
    pub(crate) fn bind(environment: &Environment) -> Result<(Self, UnixListener), StartError> {
        let (folder, own) = if let Some(given) = &environment.socket_dir {
            (given.clone(), None)
        } else {
            let own = private_folder()?;
            (own.path().to_owned(), Some(own))
        };
        let path = folder.join(format!("plugin-{}", std::process::id()));
        let length = path.as_os_str().as_bytes().len();
        if length > MAX_SOCKET_PATH {
            return Err(StartError::LongPath { path, length, max: MAX_SOCKET_PATH });
        }
        let failed = |source| StartError::Socket { path: path.clone(), source };
        let listener = UnixListener::bind(&path).map_err(failed)?;
        let socket = Self { path: path.clone(), _folder: own };
        match &environment.socket_group {
            None => fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?,
            Some(group) => share(&path, group)?,
        }
        Ok((socket, listener))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

fn private_folder() -> Result<TempDir, StartError> {
    let made = tempfile::Builder::new()
        .prefix("wharf-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir();
    made.map_err(|source| StartError::System { what: "folder for the socket", source })
}

/// Lets a group use the socket, by name or number.
fn share(path: &Path, group: &str) -> Result<(), StartError> {
    let failed = |source| StartError::Socket { path: path.to_owned(), source };
    let id = match group.parse() {
        Ok(id) => id,
        Err(_not_a_number) => {
            let known = fs::read_to_string("/etc/group").map_err(failed)?;
            group_id(&known, group)
                .ok_or_else(|| StartError::UnknownGroup { group: group.to_owned() })?
        }
    };
    std::os::unix::fs::chown(path, None, Some(id)).map_err(failed)?;
    fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(failed)
}

/// Source: group(5), `name:password:GID:members`.
fn group_id(groups: &str, name: &str) -> Option<u32> {
    let mut lines = groups.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let found = fields.next() == Some(name);
        fields.nth(1).filter(|_| found)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(folder: &Path) -> Environment {
        Environment { socket_dir: Some(folder.to_owned()), ..Environment::default() }
    }

    #[tokio::test]
    async fn the_socket_lies_in_the_given_folder_and_goes_away_p7_p11() {
        let folder = tempfile::tempdir().unwrap();
        let (socket, listener) = Socket::bind(&environment(folder.path())).unwrap();
        let path = socket.path().to_owned();
        assert_eq!(path.parent(), Some(folder.path()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop((socket, listener));
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn without_a_folder_it_makes_a_private_one() {
        let (socket, _listener) = Socket::bind(&Environment::default()).unwrap();
        let folder = socket.path().parent().unwrap().to_owned();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        drop(socket);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn a_missing_folder_and_a_long_path_are_errors_p9() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Socket::bind(&environment(&folder.path().join("no")));
        assert!(matches!(missing, Err(StartError::Socket { .. })));
        let long = folder.path().join("x".repeat(120));
        fs::create_dir(&long).unwrap();
        assert!(matches!(Socket::bind(&environment(&long)), Err(StartError::LongPath { .. })));
    }

    #[tokio::test]
    async fn an_unknown_group_is_an_error_p9() {
        let folder = tempfile::tempdir().unwrap();
        let group = Some("no-such-group-here".to_owned());
        let environment = Environment { socket_group: group, ..environment(folder.path()) };
        assert!(matches!(Socket::bind(&environment), Err(StartError::UnknownGroup { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_group_may_use_the_socket_p8() {
        let folder = tempfile::tempdir().unwrap();
        let group = Some(rustix::process::getegid().as_raw().to_string());
        let environment = Environment { socket_group: group, ..environment(folder.path()) };
        let (socket, _listener) = Socket::bind(&environment).unwrap();
        assert_eq!(fs::metadata(socket.path()).unwrap().permissions().mode() & 0o777, 0o660);
    }

    #[test]
    fn groups_are_found_by_name() {
        let groups = "root:x:0:\nstaff:x:50:a,b\nbad\n";
        assert_eq!(group_id(groups, "staff"), Some(50));
        assert_eq!(group_id(groups, "bad"), None);
        assert_eq!(group_id(groups, "sta"), None);
    }
}
