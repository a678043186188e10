//! The folder that holds ours: which one it is, and whether what lies in it is safe there.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use wharf_peer::MAX_SOCKET_PATH;

use crate::error::Error;

/// What plugins put behind their folder: `/plugin` and up to ten digits, with room to spare.
const SOCKET_NAME: usize = 24;

const WRITABLE_BY_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Where hosts keep the sockets of their plugins, unless told otherwise: `/run/user/UID`, else
/// `/run` for root, else `DATA/run`. None of them is swept by age.
pub fn standard_runtime_dir(data: &Path) -> PathBuf {
    of_system().unwrap_or_else(|| data.join("run"))
}

/// The same for a process without a data folder, which ends with `/tmp/wharf-UID`.
pub(super) fn own_runtime_dir() -> PathBuf {
    of_system().unwrap_or_else(temporary)
}

pub(super) fn temporary() -> PathBuf {
    PathBuf::from(format!("/tmp/wharf-{}", geteuid().as_raw()))
}

/// A folder of the system that is ours, kept while the machine runs, and has a short name.
pub(super) fn of_system() -> Option<PathBuf> {
    let uid = geteuid().as_raw();
    let ours = |folder: &PathBuf| {
        fs::metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == uid)
    };
    [PathBuf::from(format!("/run/user/{uid}")), PathBuf::from("/run")].into_iter().find(ours)
}

/// Whether a socket in a folder of ours, which has so many bytes behind `parent`, can be reached.
pub(super) fn check_length(parent: &Path, own: usize) -> Result<(), Error> {
    let (bytes, most) = (parent.as_os_str().len(), MAX_SOCKET_PATH - SOCKET_NAME - own);
    if bytes <= most {
        return Ok(());
    }
    let problem = format!(
        "the folder for plugin sockets {} has a name of {bytes} bytes, sockets need one of at most {most}; set a shorter runtime folder",
        parent.display()
    );
    Err(Error::config(problem, None))
}

pub(super) fn not_made(parent: &Path, source: io::Error) -> Error {
    let problem = format!("no folder for plugin sockets can be made in {}", parent.display());
    Error::config(problem, source)
}

/// Makes the folder if it is missing, and says its path without links.
///
/// # Errors
/// `config`: it cannot be made, or somebody else could exchange what lies in it for something of
/// his own.
pub(super) fn private(folder: &Path) -> Result<PathBuf, Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let found = made.and_then(|()| {
        let path = folder.canonicalize()?;
        let found = fs::symlink_metadata(&path)?;
        Ok((path, found.uid(), found.mode()))
    });
    let (path, owner, mode) = found.map_err(|source| not_made(folder, source))?;
    let refuse = |why: &str| {
        let folder = path.display();
        let problem = format!("plugin sockets in {folder} would not be private: {why}");
        Err(Error::config(problem, None))
    };
    if owner != geteuid().as_raw() && owner != 0 {
        return refuse(&format!("it belongs to user {owner}; set another runtime folder"));
    }
    if mode & WRITABLE_BY_OTHERS != 0 && mode & STICKY == 0 {
        return refuse(
            "other users may write into it; chmod go-w it or set another runtime folder",
        );
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    #[test]
    fn a_folder_in_which_others_may_exchange_ours_is_refused() {
        let parent = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let folder = parent.path().join("run");
        fs::create_dir(&folder).unwrap();
        let mode = |mode| fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        for open in [0o777, 0o770, 0o702] {
            mode(open);
            let error = private(&folder).unwrap_err();
            assert_eq!(error.code(), "config");
            assert!(error.to_string().contains("other users may write"), "{error}");
        }
        for good in [0o1777, 0o755, 0o700] {
            mode(good);
            private(&folder).unwrap();
        }
        if geteuid().is_root() {
            chown(&folder, Some(65_534), None).unwrap();
            let error = private(&folder).unwrap_err();
            assert!(error.to_string().contains("belongs to user 65534"), "{error}");
        }
    }

    #[test]
    fn no_user_shares_a_folder_with_another_by_default() {
        let uid = geteuid().as_raw();
        let folder = own_runtime_dir();
        let own = [format!("/run/user/{uid}"), "/run".to_owned(), format!("/tmp/wharf-{uid}")];
        assert!(own.iter().any(|own| folder == Path::new(own)), "{folder:?}");
    }
}
