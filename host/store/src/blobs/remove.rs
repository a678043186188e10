//! Removes folders that plugins wrote in: unreadable folders, deep nesting, links, pipes. Works with a list instead of
//! the stack, never with a path that grows, and never follows a link (F59, F60).
//!
//! What cannot be removed (a mount, an immutable file) does not keep the rest from being removed.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Removes a folder with everything in it. One that is not there is fine.
///
/// # Errors
///
/// The first thing that could not be removed; all else is gone.
pub(super) fn remove_tree(folder: &Path) -> Result<(), Error> {
    let outcome = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => Err(error),
        Ok(found) if !found.is_dir() => fs::remove_file(folder),
        Ok(_) => return Removal::default().remove(folder),
    };
    outcome.map_err(|error| failed(folder, error))
}

/// Removes everything in a folder, and leaves the folder and what resists.
pub(super) fn empty(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let entry = entry.map_err(|error| failed(folder, error))?;
        if let Err(error) = remove_tree(&entry.path()) {
            tracing::debug!(%error, "what an earlier job left resists");
        }
    }
    Ok(())
}

/// What is in a folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()
    });
    entries.map_err(|error| Error::storage("cannot read", folder, error))
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::storage("cannot remove", path, error)
}

/// Folders that are to be emptied, and what went wrong first.
#[derive(Default)]
struct Removal {
    folders: Vec<PathBuf>,
    moved: u64,
    wrong: Option<Error>,
}

impl Removal {
    /// Folders inside are moved up to the top before they are emptied, so that no path ever grows beyond what the
    /// system takes, however deep they are nested.
    fn remove(mut self, top: &Path) -> Result<(), Error> {
        self.folders.push(top.to_path_buf());
        while let Some(folder) = self.folders.pop() {
            if let Err(error) = self.empty(top, &folder) {
                self.note(&folder, error);
            }
            // None of the list lies in another, but all lie in the top.
            if folder != top
                && let Err(error) = fs::remove_dir(&folder)
            {
                self.note(&folder, error);
            }
        }
        if let Err(error) = fs::remove_dir(top) {
            self.note(top, error);
        }
        self.wrong.map_or(Ok(()), Err)
    }

    fn empty(&mut self, top: &Path, folder: &Path) -> io::Result<()> {
        open_up(folder)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let outcome = match entry.file_type() {
                Ok(kind) if !kind.is_dir() => fs::remove_file(&path),
                Ok(_) => self.take(top, path.clone()),
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                self.note(&path, error);
            }
        }
        Ok(())
    }

    /// Takes a folder into the list, moved up to the top if it is deeper.
    fn take(&mut self, top: &Path, folder: PathBuf) -> io::Result<()> {
        if folder.parent() == Some(top) {
            self.folders.push(folder);
            return Ok(());
        }
        open_up(&folder)?;
        let place = self.free_name(top);
        fs::rename(&folder, &place)?;
        self.folders.push(place);
        Ok(())
    }

    fn free_name(&mut self, top: &Path) -> PathBuf {
        loop {
            self.moved += 1;
            let name = top.join(format!(".removed-{}", self.moved));
            if fs::symlink_metadata(&name).is_err() {
                return name;
            }
        }
    }

    fn note(&mut self, path: &Path, error: io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            self.wrong.get_or_insert_with(|| failed(path, error));
        }
    }
}

/// A folder without rights gets those that removing needs.
fn open_up(folder: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(folder)?;
    if found.is_dir() && found.permissions().mode() & 0o700 != 0o700 {
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    Ok(())
}
