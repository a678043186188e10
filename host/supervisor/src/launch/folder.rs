//! The private folder of one plugin process, and the host's folder that holds them.
//!
//! ```text
//! PARENT/wharf-XXXXXX/          one per host, 0700; `host` in it is locked while the host lives
//! PARENT/wharf-XXXXXX/pXXXXXX/  one per plugin process, 0700: its sockets, HOME and TMPDIR
//! ```
//!
//! A process that was started without a supervisor has a host's folder for itself alone, and that is
//! its private folder. One of a runner may outlive the host: its folder is a `pXXXXXX` in PARENT.
//!
//! A plugin's folder goes when its processes are gone, the host's folder with the host. If the host
//! is killed, its plugins' guardians do that. What is left even so is removed by the next host, and
//! only if it carries our mark and nobody holds its lock (F160).

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::process::geteuid;
use tempfile::TempDir;

use super::parent::{check_length, not_made, of_system, private, temporary};
use super::remove::remove_tree;
use crate::error::Error;

const HOST_NAME: &str = "/wharf-XXXXXX";
const PLUGIN_NAME: &str = "/pXXXXXX";

const HOST_PREFIX: &str = "wharf-";
const NEW_PREFIX: &str = "new-wharf-";
/// Goes last when the folder is removed, so that what is left of it can still be recognised.
pub(super) const MARK: &str = "host";

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
        let names = HOST_NAME.len() + PLUGIN_NAME.len();
        let places = [Some(parent.to_owned()), of_system()].into_iter().flatten();
        let parent = places.into_iter().find(|place| check_length(place, names).is_ok());
        let parent = private(&parent.unwrap_or_else(temporary))?;
        check_length(&parent, names)?;
        let folder = Self::create_in(&parent).map_err(|source| not_made(&parent, source))?;
        remove_stale(&parent, &folder.path);
        Ok(folder)
    }

    /// The name by which it is found becomes valid only after the lock is held.
    fn create_in(parent: &Path) -> io::Result<Self> {
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
    /// Goes after the plugin's folder; the same one, if there is no supervisor.
    _host: Option<Arc<HostFolder>>,
}

impl PluginFolder {
    /// Makes one in a host's folder.
    ///
    /// # Errors
    /// `config`: it cannot be made.
    pub(crate) fn inside(host: Arc<HostFolder>) -> Result<Self, Error> {
        let made = private_folder("p", &host.path).map_err(|error| not_made(&host.path, error))?;
        Ok(Self { path: made.keep(), _host: Some(host) })
    }

    /// Makes one below `parent`, which is made too. `outlives`: its process may outlive the host, so
    /// no other host may take it for left behind.
    ///
    /// # Errors
    /// `config`: it cannot be made, or a socket in it would have too long a path.
    pub(crate) fn create(parent: &Path, outlives: bool) -> Result<Self, Error> {
        let parent = private(parent)?;
        check_length(&parent, HOST_NAME.len())?;
        let failed = |source| not_made(&parent, source);
        if outlives {
            let path = private_folder("p", &parent).map_err(failed)?.keep();
            return Ok(Self { path, _host: None });
        }
        let own = HostFolder::create_in(&parent).map_err(failed)?;
        remove_stale(&parent, &own.path);
        Ok(Self { path: own.path.clone(), _host: Some(Arc::new(own)) })
    }

    /// Gives it to a group, with mode 0770. What the host puts into it while it is private cannot be
    /// exchanged by a member on the way.
    ///
    /// # Errors
    /// `config`: the host may not do that.
    pub(crate) fn share(&self, group: u32) -> Result<(), Error> {
        let shared = chown(&self.path, None, Some(group))
            .and_then(|()| fs::set_permissions(&self.path, Permissions::from_mode(0o770)));
        shared.map_err(|source| {
            let folder = self.path.display();
            Error::config(format!("{folder} cannot be given to the group {group}"), source)
        })
    }

    /// A number that no other folder beside it has: the end of its name.
    pub(crate) fn number(&self) -> u64 {
        let name = self.path.file_name().unwrap_or_default().as_bytes();
        let end = name.len().saturating_sub(PLUGIN_NAME.len() - 1);
        let letters = name.get(end..).unwrap_or_default();
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

fn private_folder(prefix: &str, parent: &Path) -> io::Result<TempDir> {
    let private = Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix(prefix).permissions(private).tempdir_in(parent)
}

/// Removes the folders of hosts that are dead. Each is moved into `own` first: should this host be killed meanwhile,
/// what is left of them lies in a folder that carries our mark.
fn remove_stale(parent: &Path, own: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let uid = geteuid().as_raw();
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

/// The mark may lie in reach of a plugin: whatever else is in its place is none, and nothing is
/// waited for.
fn is_abandoned(folder: &Path) -> bool {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mark = rustix::fs::open(folder.join(MARK), flags, Mode::empty()).map(File::from);
    mark.is_ok_and(|mark| {
        let ours = mark.metadata().is_ok_and(|found| found.uid() == geteuid().as_raw());
        ours && flock(&mark, FlockOperation::NonBlockingLockExclusive).is_ok()
    })
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
    use rustix::fs::{CWD, FileType, mknodat};

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

    // F160
    #[test]
    fn what_a_dead_host_without_a_supervisor_left_goes_with_the_next_start() {
        let parent = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let ours = |outlives| PluginFolder::create(parent.path(), outlives).unwrap();
        let (living, outliving) = (ours(false), ours(true));
        // As after a kill: nothing is dropped, and no lock held.
        let dead = parent.path().join("wharf-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(MARK), "").unwrap();
        let another = ours(false);
        assert!(!dead.exists());
        let all = [living, outliving, another];
        let paths = all.each_ref().map(|folder| folder.path().to_owned());
        assert!(paths.iter().all(|path| path.is_dir()));
        let [one, two, three] = all.each_ref().map(PluginFolder::number);
        assert!(one != two && two != three && one != three);
        drop(all);
        assert!(names(parent.path()).is_empty());
    }

    // F160
    #[test]
    fn a_mark_that_is_none_is_not_waited_for() {
        let parent = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        for (name, kind) in [("wharf-pipe", FileType::Fifo), ("wharf-socket", FileType::Socket)] {
            fs::create_dir(parent.path().join(name)).unwrap();
            mknodat(CWD, parent.path().join(name).join(MARK), kind, Mode::RWXU, 0).unwrap();
        }
        let link = parent.path().join("wharf-link");
        fs::create_dir(&link).unwrap();
        fs::write(parent.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink("../file", link.join(MARK)).unwrap();
        drop(PluginFolder::create(parent.path(), false).unwrap());
        assert_eq!(names(parent.path()), ["file", "wharf-link", "wharf-pipe", "wharf-socket"]);
    }

    #[test]
    fn a_link_to_the_parent_is_followed_once() {
        let parent = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let (real, link) = (parent.path().join("real"), parent.path().join("link"));
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let plugin = PluginFolder::create(&link, false).unwrap();
        let host = HostFolder::create(&link).unwrap();
        assert!(plugin.path().starts_with(&real) && host.path().starts_with(&real));
    }

    // F20
    #[test]
    fn a_long_runtime_folder_is_replaced_or_refused() {
        let parent = tempfile::tempdir().unwrap();
        let long = parent.path().join("x".repeat(100));
        let error = PluginFolder::create(&long, false).unwrap_err();
        assert_eq!(error.code(), "config");
        assert!(error.to_string().contains("bytes"), "{error}");
        let host = Arc::new(HostFolder::create(&long).unwrap());
        let plugin = PluginFolder::inside(Arc::clone(&host)).unwrap();
        for folder in [host.path(), plugin.path()] {
            assert_eq!(fs::metadata(folder).unwrap().mode() & 0o777, 0o700);
        }
    }
}
