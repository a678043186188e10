//! The right to a data folder: private, and one host's at a time.
//!
//! `DATA/lock` is held with flock for as long as the host lives. The kernel drops the lock when its holder dies, however
//! it dies, so whoever gets it may clear away what an earlier host left. Never waits for the lock.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::Error;

const LOCK: &str = "lock";
/// All rights of group and others.
const OTHERS: u32 = 0o077;

/// The right to a data folder, given back when dropped.
#[derive(Debug)]
pub struct Claim {
    data: PathBuf,
    _lock: File,
}

impl Claim {
    /// Makes the data folder if need be, closes it to others, and takes its lock. Blocks for the time of a few system
    /// calls.
    ///
    /// # Errors
    /// [`Error::Locked`] while another host has it; [`Error::Exposed`]; [`Error::Storage`].
    pub fn take(data: &Path) -> Result<Self, Error> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .map_err(|error| Error::storage("cannot create the folder", data, error))?;
        let data =
            fs::canonicalize(data).map_err(|error| Error::storage("cannot find", data, error))?;
        close(&data)?;
        let path = data.join(LOCK);
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| Error::storage("cannot open", &path, error))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { data, _lock: lock }),
            Err(Errno::WOULDBLOCK) => Err(Error::Locked { path: data }),
            Err(error) => Err(Error::storage("cannot lock", &path, error)),
        }
    }

    /// The data folder, as an absolute path without links.
    pub fn data(&self) -> &Path {
        &self.data
    }
}

/// Takes all rights from group and others, unless the folder is somebody's ordinary folder, where that would do harm.
fn close(data: &Path) -> Result<(), Error> {
    let look = |error| Error::storage("cannot look into", data, error);
    let mode = fs::metadata(data).map_err(look)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let empty = fs::read_dir(data).map_err(look)?.next().is_none();
    if !empty && !data.join(LOCK).exists() {
        return Err(Error::Exposed { path: data.to_owned() });
    }
    fs::set_permissions(data, Permissions::from_mode(0o700))
        .map_err(|error| Error::storage("cannot change the rights of", data, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    // F88
    #[test]
    fn the_folder_is_made_private_and_has_one_holder() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("a/b");
        let claim = Claim::take(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        assert!(matches!(Claim::take(&data), Err(Error::Locked { path }) if path.ends_with("a/b")));
        drop(claim);
        Claim::take(&data).unwrap();
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
