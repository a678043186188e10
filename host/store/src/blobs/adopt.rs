//! A batch of staged files becomes blobs: all written bytes to the disk, all names, all names to the disk.
//!
//! A rename without a sync of the file before it can leave an empty file after a power cut; without a sync of the
//! folder after it, none. One `syncfs` before and one after serve a whole batch, at a third of the cost of a sync for
//! each file; a few files are synced one by one, so that they need not wait for what others write.
//!
//! A plugin may still be running in the folder that the files come from. Folders are opened without following a link,
//! files are looked at and renamed inside them, and what was renamed is held against what was looked at.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::PoisonError;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::Blobs;
use crate::error::Error;
use crate::model::Staged;

/// Blobs are never written again.
const MODE: u32 = 0o444;
/// So many files are synced one by one.
const FEW: usize = 4;

pub(super) fn adopt(blobs: &Blobs, staged: &[Staged]) -> Result<(), Error> {
    let files = open_all(&blobs.inner.work, staged)?;
    let few = files.len() <= FEW;
    if few {
        files.iter().try_for_each(StagedFile::sync)?;
    } else {
        sync_file_system(&blobs.inner.work)?;
    }
    let folders = name_all(blobs, &files)?;
    if few {
        folders.iter().try_for_each(|folder| sync_folder(folder))
    } else {
        sync_file_system(&blobs.inner.blobs)
    }
}

/// Names all files, and answers the folders that changed; one of them may be new, here or in another batch.
fn name_all(blobs: &Blobs, files: &[StagedFile<'_>]) -> Result<BTreeSet<PathBuf>, Error> {
    let _one_batch_at_a_time = blobs.inner.naming.lock().unwrap_or_else(PoisonError::into_inner);
    let mut folders = BTreeSet::from([blobs.inner.blobs.clone()]);
    for file in files {
        folders.insert(file.name(blobs)?);
    }
    Ok(folders)
}

/// A staged file that was looked at.
struct StagedFile<'a> {
    staged: &'a Staged,
    /// Where it lies.
    folder: Rc<OwnedFd>,
    name: &'a OsStr,
    seen: Stat,
}

/// Looks at all files, and opens each of their folders once.
fn open_all<'a>(work: &Path, staged: &'a [Staged]) -> Result<Vec<StagedFile<'a>>, Error> {
    let root = File::open(work).map_err(|error| Error::storage("cannot open", work, error))?;
    let mut folders: HashMap<&Path, Rc<OwnedFd>> = HashMap::new();
    let mut files = Vec::with_capacity(staged.len());
    for file in staged {
        let below = file.path.strip_prefix(work).ok();
        let parts = below.and_then(|path| path.parent().zip(path.file_name()));
        let Some((folder, name)) = parts.filter(|(folder, _)| !folder.as_os_str().is_empty())
        else {
            return Err(refused(file, "it lies outside the folders of jobs"));
        };
        let folder = match folders.get(folder) {
            Some(open) => Rc::clone(open),
            None => Rc::clone(folders.entry(folder).or_insert(open_folder(&root, folder, file)?)),
        };
        files.push(StagedFile::look_at(file, folder, name)?);
    }
    Ok(files)
}

fn open_folder(root: &File, folder: &Path, file: &Staged) -> Result<Rc<OwnedFd>, Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match rustix::fs::openat2(root, folder, flags, Mode::empty(), resolve) {
        Ok(open) => Ok(Rc::new(open)),
        Err(Errno::LOOP | Errno::XDEV) => {
            Err(refused(file, "a folder above it is a link or lies elsewhere"))
        }
        Err(error) => Err(Error::storage("cannot open the folder of", &file.path, error)),
    }
}

fn refused(staged: &Staged, reason: &'static str) -> Error {
    Error::Staged { path: staged.path.clone(), reason }
}

impl<'a> StagedFile<'a> {
    fn look_at(staged: &'a Staged, folder: Rc<OwnedFd>, name: &'a OsStr) -> Result<Self, Error> {
        let seen = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| Error::storage("cannot read", &staged.path, error))?;
        if FileType::from_raw_mode(seen.st_mode) != FileType::RegularFile {
            return Err(refused(staged, "it is no regular file"));
        }
        if u64::try_from(seen.st_size) != Ok(staged.size) {
            return Err(refused(staged, "its size changed after it was hashed"));
        }
        if seen.st_nlink != 1 {
            return Err(refused(staged, "it has a second name, by which it could change; copy it"));
        }
        let file = Self { staged, folder, name, seen };
        if seen.st_mode & 0o7777 != MODE {
            file.close_to_writers()?;
        }
        Ok(file)
    }

    /// By way of a descriptor, which cannot be swapped for a link.
    fn close_to_writers(&self) -> Result<(), Error> {
        let failed =
            |error: Errno| Error::storage("cannot change the rights of", &self.staged.path, error);
        let file = self.open(OFlags::PATH).map_err(failed)?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        rustix::fs::chmod(path, Mode::from_raw_mode(MODE)).map_err(failed)
    }

    fn sync(&self) -> Result<(), Error> {
        let file = self.open(OFlags::RDONLY | OFlags::NONBLOCK);
        file.and_then(rustix::fs::fsync)
            .map_err(|error| Error::storage("cannot bring to the disk", &self.staged.path, error))
    }

    fn open(&self, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.folder, self.name, flags, Mode::empty())
    }

    /// Gives the file its name as a blob, and answers the folder of that. A blob that is there already holds the same
    /// bytes, or is broken: it is replaced.
    fn name(&self, blobs: &Blobs) -> Result<PathBuf, Error> {
        let path = blobs.path(self.staged.digest);
        let failed = |error: Errno| Error::storage("cannot name", &path, error);
        let folder = path.parent().unwrap_or(&blobs.inner.blobs);
        let rename = || rustix::fs::renameat(&self.folder, self.name, rustix::fs::CWD, &path);
        match rename() {
            Err(Errno::NOENT) if !folder.exists() => {
                super::make_folder(folder)?;
                rename().map_err(failed)?;
            }
            renamed => renamed.map_err(failed)?,
        }
        let named = rustix::fs::lstat(&path).map_err(failed)?;
        let one = |stat: &Stat| (stat.st_dev, stat.st_ino, stat.st_size);
        if one(&named) != one(&self.seen) {
            rustix::fs::unlink(&path).map_err(failed)?;
            return Err(refused(self.staged, "it was replaced while it was stored"));
        }
        Ok(folder.to_path_buf())
    }
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Error::storage("cannot bring to the disk", folder, error))
}

/// Brings all that was written to the file system of this folder to the disk.
pub(super) fn sync_file_system(folder: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| Error::storage("cannot bring to the disk", folder, error);
    let file = File::open(folder).map_err(failed)?;
    rustix::fs::syncfs(&file).map_err(|error| failed(error.into()))
}
