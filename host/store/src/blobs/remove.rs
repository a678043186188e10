//! Removes folders that plugins wrote in: unreadable folders, deep nesting, links, pipes. Works with descriptors and a
//! list instead of paths and the stack, and never follows a link (F59, F60).

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Removes a folder with everything in it. One that is not there is fine.
pub(super) fn remove_tree(folder: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(folder, error)),
        Ok(found) if !found.is_dir() => {
            return fs::remove_file(folder).map_err(|error| failed(folder, error));
        }
        Ok(_) => {}
    }
    flatten(folder)?;
    fs::remove_dir(folder).map_err(|error| failed(folder, error))
}

/// Removes everything in a folder, and leaves the folder.
pub(super) fn empty(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let entry = entry.map_err(|error| failed(folder, error))?;
        remove_tree(&entry.path())?;
    }
    Ok(())
}

/// Removes everything in a folder. Folders inside are moved up to its top before they are emptied, so that no path ever
/// grows beyond what the system takes, however deep they are nested.
fn flatten(top: &Path) -> Result<(), Error> {
    let mut folders = vec![top.to_path_buf()];
    let mut moved = 0_u64;
    while let Some(folder) = folders.pop() {
        open_up(&folder)?;
        for entry in fs::read_dir(&folder).map_err(|error| failed(&folder, error))? {
            let entry = entry.map_err(|error| failed(&folder, error))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|error| failed(&path, error))?;
            if !kind.is_dir() {
                fs::remove_file(&path).map_err(|error| failed(&path, error))?;
            } else if folder == top {
                folders.push(path);
            } else {
                let up = free_name(top, &mut moved);
                open_up(&path)?;
                fs::rename(&path, &up).map_err(|error| failed(&path, error))?;
                folders.push(up);
            }
        }
        if folder != top {
            fs::remove_dir(&folder).map_err(|error| failed(&folder, error))?;
        }
    }
    Ok(())
}

fn free_name(top: &Path, moved: &mut u64) -> PathBuf {
    loop {
        *moved += 1;
        let name = top.join(format!(".removed-{moved}"));
        if fs::symlink_metadata(&name).is_err() {
            return name;
        }
    }
}

/// A folder without rights gets those that removing needs.
fn open_up(folder: &Path) -> Result<(), Error> {
    let found = fs::symlink_metadata(folder).map_err(|error| failed(folder, error))?;
    if found.is_dir() && found.permissions().mode() & 0o700 != 0o700 {
        let rights = fs::Permissions::from_mode(0o700);
        fs::set_permissions(folder, rights).map_err(|error| failed(folder, error))?;
    }
    Ok(())
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::storage("cannot remove", path, error)
}
