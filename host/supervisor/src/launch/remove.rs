//! Removes a folder whose content came from somebody else: any depth, any mode, no link followed
//! (F59, F60).

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::folder::MARK;

/// What resists is reported and left.
pub(super) fn remove_tree(root: &Path) {
    if let Err(error) = try_remove_tree(root)
        && error.kind() != io::ErrorKind::NotFound
    {
        warn!(folder = %root.display(), %error, "a plugin's folder could not be removed");
    }
}

/// Folders inside folders are moved up below the root, so neither the stack nor a path ever grows. The mark goes last.
fn try_remove_tree(root: &Path) -> io::Result<()> {
    let mut moved: u64 = 0;
    loop {
        let mut folders = Vec::new();
        for entry in open_folder(root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() != MARK {
                fs::remove_file(entry.path())?;
            }
        }
        if folders.is_empty() {
            return match fs::remove_file(root.join(MARK)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => fs::remove_dir(root),
            };
        }
        for folder in folders {
            for entry in open_folder(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    // Moving a folder changes its `..`, so it must be writable itself.
                    fs::set_permissions(entry.path(), Permissions::from_mode(0o700))?;
                    fs::rename(entry.path(), free_name(root, &mut moved))?;
                } else {
                    fs::remove_file(entry.path())?;
                }
            }
            fs::remove_dir(&folder)?;
        }
    }
}

fn free_name(root: &Path, moved: &mut u64) -> PathBuf {
    loop {
        *moved += 1;
        let path = root.join(format!(".removed-{moved}"));
        if fs::symlink_metadata(&path).is_err() {
            return path;
        }
    }
}

fn open_folder(folder: &Path) -> io::Result<fs::ReadDir> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    fs::read_dir(folder)
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
        fs::create_dir(root.join(".removed-1")).unwrap();
        fs::create_dir(root.join("locked")).unwrap();
        fs::write(root.join("locked/file"), "x").unwrap();
        fs::set_permissions(root.join("locked"), Permissions::from_mode(0o0)).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
        std::os::unix::fs::symlink(parent.path(), root.join("up")).unwrap();

        remove_tree(&root);
        assert_eq!(names(parent.path()), ["outside"]);
    }
}
