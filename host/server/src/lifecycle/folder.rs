//! The data folder: private, and one server's at a time.
//!
//! ```text
//! DATA/             0700
//!   lock            held with flock by the server, for as long as it lives
//!   server.json     who that is; written last at start, removed first at the end
//!   api.sock        0600
//! ```
//!
//! The kernel drops the lock when its holder dies, however it dies, so whoever gets it may clear
//! away what an earlier server left.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::record::Record;
use crate::error::{Error, folder};

const LOCK: &str = "lock";
/// All rights of group and others.
const OTHERS: u32 = 0o077;

/// The right to the data folder, given back when dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    data: PathBuf,
    _lock: File,
}

impl Claim {
    /// Makes the data folder if need be, closes it to others, takes its lock, and clears away what
    /// a dead server left. Blocks for the time of a few system calls.
    ///
    /// # Errors
    /// [`Error::Locked`] while another server lives; [`Error::Exposed`]; [`Error::Folder`].
    pub(crate) fn take(data: &Path) -> Result<Self, Error> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .map_err(folder("create the folder", data))?;
        let data = fs::canonicalize(data).map_err(folder("find", data))?;
        close(&data)?;
        let path = data.join(LOCK);
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(folder("open", &path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(locked(data)),
            Err(error) => return Err(folder("lock", &path)(error.into())),
        }
        let claim = Self { data, _lock: lock };
        claim.clear()?;
        Ok(claim)
    }

    /// The data folder, as an absolute path without links.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Removes what tells others of a server: its record and its socket.
    pub(crate) fn clear(&self) -> Result<(), Error> {
        for path in [Record::path(&self.data), socket_path(&self.data)] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(folder("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where the server of a data folder answers API requests.
pub(crate) fn socket_path(data: &Path) -> PathBuf {
    data.join("api.sock")
}

fn locked(data: PathBuf) -> Error {
    let pid = Record::read(&data).ok().flatten().map(|record| record.pid);
    Error::Locked { socket: socket_path(&data), pid, data }
}

/// Takes all rights from group and others, unless the folder is somebody's ordinary folder, where
/// that would do harm.
fn close(data: &Path) -> Result<(), Error> {
    let look = folder("look into", data);
    let mode = match fs::metadata(data) {
        Ok(found) => found.permissions().mode(),
        Err(error) => return Err(look(error)),
    };
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let empty = fs::read_dir(data).map_err(look)?.next().is_none();
    if !empty && !data.join(LOCK).exists() {
        return Err(Error::Exposed { path: data.to_owned() });
    }
    fs::set_permissions(data, Permissions::from_mode(0o700))
        .map_err(folder("change the rights of", data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_folder_is_made_private_and_has_one_holder() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("a/b");
        let claim = Claim::take(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        let Err(Error::Locked { pid: None, socket, .. }) = Claim::take(&data) else {
            panic!("the folder was given twice");
        };
        assert!(socket.ends_with("a/b/api.sock"));
        drop(claim);
        Claim::take(&data).unwrap();
    }

    #[test]
    fn what_a_dead_server_left_is_cleared_under_the_lock_only() {
        let data = tempfile::tempdir().unwrap();
        let claim = Claim::take(data.path()).unwrap();
        let record = Record::sample(data.path());
        record.write(data.path()).unwrap();
        fs::write(socket_path(data.path()), "").unwrap();
        let Err(Error::Locked { pid: Some(pid), .. }) = Claim::take(data.path()) else {
            panic!("the folder was given twice");
        };
        assert_eq!(pid, record.pid);
        assert!(socket_path(data.path()).exists());
        drop(claim);
        let _claim = Claim::take(data.path()).unwrap();
        assert!(!socket_path(data.path()).exists());
        assert!(!Record::path(data.path()).exists());
    }

    // F141
    #[test]
    fn an_open_folder_is_closed_only_when_it_is_ours() {
        let data = tempfile::tempdir().unwrap();
        let open = || fs::set_permissions(data.path(), Permissions::from_mode(0o755)).unwrap();
        open();
        drop(Claim::take(data.path()).unwrap());
        assert_eq!(mode(data.path()), 0o700);
        open();
        drop(Claim::take(data.path()).unwrap());
        assert_eq!(mode(data.path()), 0o700);

        let foreign = tempfile::tempdir().unwrap();
        fs::write(foreign.path().join("letter.txt"), "dear all").unwrap();
        fs::set_permissions(foreign.path(), Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(Claim::take(foreign.path()), Err(Error::Exposed { .. })));
        assert_eq!(mode(foreign.path()), 0o755);
    }
}
