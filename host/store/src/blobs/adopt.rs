//! A batch of staged files becomes blobs: all written bytes to the disk, all names, all names to the disk.
//!
//! A rename without a sync of the file before it can leave an empty file after a power cut; without a sync of the
//! folder after it, none. One `syncfs` before and one after serve the whole batch, at a third of the cost of a sync for
//! each file.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::Blobs;
use crate::error::Error;
use crate::model::Staged;

/// Blobs are never written again.
const MODE: u32 = 0o444;

pub(super) fn adopt(blobs: &Blobs, staged: &[Staged]) -> Result<(), Error> {
    for file in staged {
        check(&blobs.inner.work, file)?;
    }
    sync_file_system(&blobs.inner.work)?;
    for file in staged {
        name(blobs, file)?;
    }
    sync_file_system(&blobs.inner.blobs)
}

/// A staged file is a regular one inside a job's folder.
fn check(work: &Path, staged: &Staged) -> Result<(), Error> {
    let refuse = |reason| Error::Staged { path: staged.path.clone(), reason };
    if !staged.path.starts_with(work) {
        return Err(refuse("it lies outside the folders of jobs"));
    }
    let failed = |error| Error::storage("cannot read", &staged.path, error);
    let found = fs::symlink_metadata(&staged.path).map_err(failed)?;
    if !found.is_file() {
        return Err(refuse("it is no regular file"));
    }
    if found.len() != staged.size {
        return Err(refuse("its size changed after it was hashed"));
    }
    if found.mode() & 0o7777 != MODE {
        fs::set_permissions(&staged.path, Permissions::from_mode(MODE)).map_err(failed)?;
    }
    Ok(())
}

fn name(blobs: &Blobs, staged: &Staged) -> Result<(), Error> {
    let path = blobs.path(staged.digest);
    let dropped = match fs::symlink_metadata(&path) {
        Ok(found) => found.is_file() && found.len() == staged.size,
        Err(_missing) => false,
    };
    let done = if dropped { gone(&staged.path) } else { fs::rename(&staged.path, &path) };
    done.map_err(|error| Error::storage("cannot name", &path, error))
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Brings all that was written to the file system of this folder to the disk.
pub(super) fn sync_file_system(folder: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| Error::storage("cannot bring to the disk", folder, error);
    let file = File::open(folder).map_err(failed)?;
    rustix::fs::syncfs(&file).map_err(|error| failed(error.into()))
}
