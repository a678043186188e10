//! Removes a folder whose content came from somebody else: any depth, any mode, no link followed
//! (F59, F60).
//!
//! Everything is reached from folders that are held open, so it does not matter what anybody puts in
//! the place of a name meanwhile.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, chmod, openat, renameat, unlinkat};
use rustix::io::Errno;
use tracing::warn;

use super::folder::MARK;

/// How often a folder that does not become empty is listed again, for somebody may still write.
const ROUNDS: u32 = 4;

/// What resists is reported and left.
pub(super) fn remove_tree(root: &Path) {
    match try_remove_tree(root) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => {
            let error = io::Error::from(error);
            warn!(folder = %root.display(), %error, "a plugin's folder could not be removed");
        }
    }
}

/// The mark goes last.
fn try_remove_tree(root: &Path) -> Result<(), Errno> {
    let (Some(parent), Some(name)) = (root.parent(), root.file_name()) else {
        return Err(Errno::INVAL);
    };
    let parent = openat(CWD, parent, OFlags::PATH | OFlags::DIRECTORY | CLOSED, Mode::empty())?;
    let mut removal = Removal { root: open_folder(&parent, name)?, moved: 0, trouble: None };
    for _round in 0..ROUNDS {
        removal.trouble = None;
        removal.empty();
        if removal.trouble.is_none() {
            gone(unlinkat(&removal.root, MARK, AtFlags::empty()))?;
        }
        match unlinkat(&parent, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            removed => return removed,
        }
    }
    Err(removal.trouble.unwrap_or(Errno::NOTEMPTY))
}

const CLOSED: OFlags = OFlags::CLOEXEC;

struct Removal {
    root: OwnedFd,
    /// How many folders were moved up.
    moved: u64,
    /// Why something is still there.
    trouble: Option<Errno>,
}

impl Removal {
    /// Folders inside folders are moved up below the root, so neither the stack nor a path ever
    /// grows.
    fn empty(&mut self) {
        let mut folders = Vec::new();
        let listed = for_each(&self.root, |name| {
            if name.to_bytes() != MARK.as_bytes() {
                match unlinkat(&self.root, name, AtFlags::empty()) {
                    Err(Errno::ISDIR) => folders.push(name.to_owned()),
                    removed => note(&mut self.trouble, removed),
                }
            }
        });
        note(&mut self.trouble, listed);
        while let Some(folder) = folders.pop() {
            let emptied = open_folder(&self.root, folder.as_c_str()).and_then(|inner| {
                let Self { root, moved, trouble } = self;
                for_each(&inner, |name| match unlinkat(&inner, name, AtFlags::empty()) {
                    Err(Errno::ISDIR) => match lift(&inner, name, root, moved) {
                        Ok(lifted) => folders.push(lifted),
                        Err(error) => note(trouble, Err(error)),
                    },
                    removed => note(trouble, removed),
                })
            });
            note(&mut self.trouble, emptied);
            let removed = unlinkat(&self.root, folder.as_c_str(), AtFlags::REMOVEDIR);
            note(&mut self.trouble, removed);
        }
    }
}

/// Moves a folder up, and says how it is called there.
fn lift(inner: &OwnedFd, name: &CStr, root: &OwnedFd, moved: &mut u64) -> Result<CString, Errno> {
    // This changes its `..`, so it must be writable itself.
    open_folder(inner, name).ok();
    loop {
        *moved += 1;
        let free = CString::new(format!(".removed-{moved}")).map_err(|_nul| Errno::INVAL)?;
        match renameat(inner, name, root, free.as_c_str()) {
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(free),
        }
    }
}

/// Keeps why something is still there. What somebody else removed is gone as well.
fn note(trouble: &mut Option<Errno>, removed: Result<(), Errno>) {
    if let Err(error) = gone(removed) {
        *trouble = Some(error);
    }
}

fn gone(removed: Result<(), Errno>) -> Result<(), Errno> {
    match removed {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

fn for_each(folder: &OwnedFd, mut each: impl FnMut(&CStr)) -> Result<(), Errno> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            each(name);
        }
    }
    Ok(())
}

/// Opens a folder and no link to one, with all rights for its owner.
fn open_folder(parent: impl AsFd, name: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | CLOSED;
    let folder = openat(parent, name, flags, Mode::empty())?;
    // If it belongs to somebody else it may be open to us even so.
    chmod(format!("/proc/self/fd/{}", folder.as_raw_fd()), Mode::RWXU).ok();
    openat(&folder, ".", OFlags::RDONLY | OFlags::DIRECTORY | CLOSED, Mode::empty())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::thread;

    use rustix::fs::{IFlags, ioctl_setflags};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    // F59, F60
    #[test]
    fn deep_and_locked_trees_are_removed_without_following_links() {
        let parent = tempfile::tempdir().unwrap();
        let outside = parent.path().join("outside");
        fs::write(&outside, "kept").unwrap();
        let root = parent.path().join("root");
        fs::create_dir(&root).unwrap();
        let mut inner = root.clone();
        for _level in 0..500 {
            inner.push("d");
            fs::create_dir(&inner).unwrap();
        }
        fs::write(inner.join("file"), "x").unwrap();
        fs::create_dir_all(root.join(".removed-1/inner")).unwrap();
        fs::create_dir(root.join("locked")).unwrap();
        fs::write(root.join("locked/file"), "x").unwrap();
        fs::set_permissions(root.join("locked"), Permissions::from_mode(0o0)).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
        std::os::unix::fs::symlink(parent.path(), root.join("up")).unwrap();
        fs::set_permissions(&root, Permissions::from_mode(0o0)).unwrap();

        remove_tree(&root);
        assert_eq!(names(parent.path()), ["outside"]);
    }

    // F60
    #[test]
    fn a_link_in_the_place_of_the_folder_leads_nowhere() {
        let parent = tempfile::tempdir().unwrap();
        let kept = parent.path().join("kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(&kept, parent.path().join("root")).unwrap();
        remove_tree(&parent.path().join("root"));
        assert_eq!(names(&kept), ["file"]);
    }

    // F160
    #[test]
    fn two_who_remove_the_same_tree_leave_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("root");
        for folder in 0..40 {
            let folder = root.join(format!("{folder}/inner"));
            fs::create_dir_all(&folder).unwrap();
            for file in 0..20 {
                fs::write(folder.join(file.to_string()), "").unwrap();
            }
        }
        thread::scope(|scope| {
            for _one in 0..2 {
                scope.spawn(|| remove_tree(&root));
            }
        });
        assert!(names(parent.path()).is_empty());
    }

    // F60
    #[test]
    fn what_resists_stays_alone_with_the_mark() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("root");
        fs::create_dir_all(root.join("a")).unwrap();
        for name in ["a/file", "a/stubborn", "b", MARK] {
            fs::write(root.join(name), "").unwrap();
        }
        let stubborn = File::open(root.join("a/stubborn")).unwrap();
        if ioctl_setflags(&stubborn, IFlags::IMMUTABLE).is_err() {
            // Root's right, and not on every file system.
            return;
        }
        remove_tree(&root);
        let left = (names(&root), names(&root.join("a")));
        ioctl_setflags(&stubborn, IFlags::empty()).unwrap();
        assert_eq!(left, (vec!["a".to_owned(), MARK.to_owned()], vec!["stubborn".to_owned()]));
        remove_tree(&root);
        assert!(!root.exists());
    }
}
