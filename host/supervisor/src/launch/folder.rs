//! The private folder of one plugin process, and the host's folder that holds them.
//!
//! ```text
//! PARENT/wharf-XXXXXX/            one per host, 0700; `host` in it is locked as long as the host
//! lives PARENT/wharf-XXXXXX/pXXXXXX/    one per plugin process, 0700: its sockets, HOME and TMPDIR
//! ```
//!
//! A plugin's folder goes when its processes are gone, the host's folder with the host. If the host
//! is killed, its plugins' guardians do that. What is left even so is removed by the next host, and
//! only if it carries our mark and nobody holds its lock (F160).

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use super::remove::remove_tree;
use crate::error::Error;

/// A Unix socket's path has at most this many bytes.
pub(crate) const MAX_SOCKET_PATH: usize = 107;
/// What plugins put behind their folder: `/plugin` and up to ten digits, with room to spare.
const SOCKET_NAME: usize = 24;
/// What we put behind the parent: `/wharf-XXXXXX/pXXXXXX`.
const OWN_NAMES: usize = 21;

const HOST_PREFIX: &str = "wharf-";
const NEW_PREFIX: &str = "new-wharf-";
/// Goes last when the folder is removed, so that what is left of it can still be recognised.
pub(super) const MARK: &str = "host";

/// Where hosts keep the sockets of their plugins, unless told otherwise: `/run/user/UID`, else
/// `/run` for root, else `DATA/run`. None of them is swept by age.
pub fn standard_runtime_dir(data: &Path) -> PathBuf {
    short_parents().into_iter().next().unwrap_or_else(|| data.join("run"))
}

/// Folders of the system that are private enough, kept while the machine runs, and have short
/// names.
fn short_parents() -> Vec<PathBuf> {
    let uid = rustix::process::geteuid();
    let own = PathBuf::from(format!("/run/user/{}", uid.as_raw()));
    let system = PathBuf::from("/run");
    let ours = |folder: &PathBuf| {
        fs::metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == uid.as_raw())
    };
    [own, system].into_iter().filter(ours).collect()
}

/// The folder of one host.
#[derive(Debug)]
pub(crate) struct HostFolder {
    path: PathBuf,
    _lock: File,
}

impl HostFolder {
    /// Makes it below `parent`, or below a folder with a shorter name if sockets would not fit
    /// (F20).
    ///
    /// # Errors
    /// `config`: no folder can be made, or none is short enough.
    pub(crate) fn create(parent: &Path) -> Result<Self, Error> {
        let fits = |folder: &PathBuf| {
            folder.as_os_str().len() + OWN_NAMES + SOCKET_NAME <= MAX_SOCKET_PATH
        };
        let fallbacks = short_parents().into_iter().chain([PathBuf::from("/tmp")]);
        let parent = [parent.to_owned()].into_iter().chain(fallbacks).find(fits);
        let Some(parent) = parent else { return Err(too_long(Path::new("/tmp"))) };
        let failed = |source| {
            let problem =
                format!("no folder for plugin sockets can be made in {}", parent.display());
            Error::config(problem, source)
        };
        let folder = Self::create_in(&parent).map_err(failed)?;
        remove_stale(&parent, &folder.path);
        Ok(folder)
    }

    /// The name by which it is found becomes valid only after the lock is held.
    fn create_in(parent: &Path) -> io::Result<Self> {
        make_private(parent)?;
        let new = private_folder(NEW_PREFIX, parent)?;
        let mut options = OpenOptions::new();
        let lock = options.write(true).create_new(true).mode(0o600).open(new.path().join(MARK))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        let name = new.path().file_name().map(OsStr::as_bytes).unwrap_or_default();
        let name = name.strip_prefix(b"new-").unwrap_or(name);
        let path = parent.join(OsStr::from_bytes(name));
        fs::rename(new.path(), &path)?;
        // Its old name is gone; dropping it as a temporary folder would only fail.
        let _renamed = new.keep();
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for HostFolder {
    fn drop(&mut self) {
        remove_tree(&self.path);
    }
}

/// The folder of one plugin process.
#[derive(Debug)]
pub(crate) struct PluginFolder {
    path: PathBuf,
    /// Goes after the plugin's folder.
    _host: Option<Arc<HostFolder>>,
}

impl PluginFolder {
    /// Makes one below `parent`, which is made too. With a `group` it belongs to that, with mode 0770.
    ///
    /// # Errors
    /// `config`: it cannot be made, or a socket in it would have too long a path.
    pub(crate) fn create(
        parent: &Path,
        host: Option<Arc<HostFolder>>,
        group: Option<u32>,
    ) -> Result<Self, Error> {
        let failed = |source| {
            let problem = format!("no private folder can be made in {}", parent.display());
            Error::config(problem, source)
        };
        make_private(parent).map_err(failed)?;
        let parent = parent.canonicalize().map_err(failed)?;
        if parent.as_os_str().len() + "/pXXXXXX".len() + SOCKET_NAME > MAX_SOCKET_PATH {
            return Err(too_long(&parent));
        }
        let folder =
            Self { path: private_folder("p", &parent).map_err(failed)?.keep(), _host: host };
        if group.is_some() {
            chown(&folder.path, None, group).map_err(failed)?;
            fs::set_permissions(&folder.path, Permissions::from_mode(0o770)).map_err(failed)?;
        }
        Ok(folder)
    }

    /// A number that no other folder beside it has: the letters of its name.
    pub(crate) fn number(&self) -> u64 {
        let name = self.path.file_name().unwrap_or_default().as_bytes();
        let letters = name.strip_prefix(b"p").unwrap_or(name);
        letters.iter().fold(0, |number, &letter| (number << 8) | u64::from(letter))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PluginFolder {
    fn drop(&mut self) {
        remove_tree(&self.path);
    }
}

fn too_long(folder: &Path) -> Error {
    let bytes = folder.as_os_str().len();
    let most = MAX_SOCKET_PATH - SOCKET_NAME - "/pXXXXXX".len();
    let problem = format!(
        "the folder for plugin sockets {} has a name of {bytes} bytes, sockets need one of at most {most}; set a shorter runtime folder",
        folder.display()
    );
    Error::config(problem, None)
}

fn private_folder(prefix: &str, parent: &Path) -> io::Result<TempDir> {
    let private = Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix(prefix).permissions(private).tempdir_in(parent)
}

fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Removes the folders of hosts that are dead. Each is moved into `own` first: should this host be killed meanwhile,
/// what is left of them lies in a folder that carries our mark.
fn remove_stale(parent: &Path, own: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let uid = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        let named_so = entry.file_name().as_bytes().starts_with(HOST_PREFIX.as_bytes());
        let ours = || entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == uid);
        if named_so && ours() && is_abandoned(&entry.path()) {
            let dead = own.join(entry.file_name());
            // Another host may have been faster.
            if fs::rename(entry.path(), &dead).is_ok() {
                remove_tree(&dead);
            }
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    let mark = OpenOptions::new().write(true).open(folder.join(MARK));
    mark.is_ok_and(|mark| flock(&mark, FlockOperation::NonBlockingLockExclusive).is_ok())
}

/// Removes a plugin's folder when its host is gone and cannot, and with the last one the host's.
/// Guardians do this.
pub(super) fn remove_orphaned(folder: &Path) {
    remove_tree(folder);
    let Some(host) = folder.parent() else { return };
    let name = host.file_name().unwrap_or_default().as_bytes();
    let is_last = || {
        fs::read_dir(host)
            .is_ok_and(|entries| entries.flatten().all(|entry| entry.file_name() == MARK))
    };
    if name.starts_with(HOST_PREFIX.as_bytes()) && is_last() && is_abandoned(host) {
        remove_tree(host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    // F160
    #[test]
    fn only_marked_folders_of_dead_hosts_are_removed() {
        let parent = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let living = HostFolder::create(parent.path()).unwrap();
        let dead = parent.path().join("wharf-dead");
        fs::create_dir_all(dead.join("p1")).unwrap();
        fs::write(dead.join(MARK), "").unwrap();
        fs::create_dir(parent.path().join("wharf-foreign")).unwrap();
        fs::create_dir(parent.path().join("other")).unwrap();

        let second = HostFolder::create(parent.path()).unwrap();
        assert!(!dead.exists());
        assert!(living.path().exists() && second.path().exists());
        drop((living, second));
        assert_eq!(names(parent.path()), ["other", "wharf-foreign"]);
    }

    // F160
    #[test]
    fn the_last_guardian_removes_a_dead_hosts_folder() {
        let parent = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let plugin = |host: &Path, name: &str| {
            fs::create_dir(host.join(name)).unwrap();
            fs::write(host.join(name).join("plugin.sock"), "").unwrap();
            host.join(name)
        };
        let dead = parent.path().join("wharf-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(MARK), "").unwrap();
        let (one, two) = (plugin(&dead, "p1"), plugin(&dead, "p2"));
        remove_orphaned(&one);
        assert_eq!(names(&dead), [MARK, "p2"]);
        remove_orphaned(&two);
        assert!(!dead.exists());

        let living = HostFolder::create(parent.path()).unwrap();
        remove_orphaned(&plugin(living.path(), "p1"));
        assert_eq!(names(living.path()), [MARK]);
        fs::create_dir(parent.path().join("other")).unwrap();
        remove_orphaned(&plugin(&parent.path().join("other"), "p1"));
        assert!(parent.path().join("other").exists());
    }

    // F20
    #[test]
    fn a_long_runtime_folder_is_replaced_or_refused() {
        let parent = tempfile::tempdir().unwrap();
        let long = parent.path().join("x".repeat(100));
        let error = PluginFolder::create(&long, None, None).unwrap_err();
        assert_eq!(error.code(), "config");
        assert!(error.to_string().contains("bytes"), "{error}");
        let host = HostFolder::create(&long).unwrap();
        let plugin = PluginFolder::create(host.path(), None, None).unwrap();
        for folder in [host.path(), plugin.path()] {
            assert_eq!(fs::metadata(folder).unwrap().mode() & 0o777, 0o700);
        }
    }
}
