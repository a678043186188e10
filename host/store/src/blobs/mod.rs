//! Bytes, named by their sha256. A blob appears by one rename when it is durable, and never changes.
//!
//! ```text
//! DATA/blobs/ab/HEX      a blob; ab are the first two digits of HEX; made when first needed
//! DATA/quarantine/HEX    what lay there and was not what it is called; nobody reads it
//! DATA/work/JOB/...      the folder of a job; what lies there has no meaning to anyone else
//! ```
//!
//! The way in: a file is written into a job's folder and hashed on the way, [`Blobs::adopt`] makes a batch of such
//! files durable and gives them their names. Never hashes what it adopts (who staged a file knows), never decides what
//! is no longer needed.

mod adopt;
pub mod list;
mod quarantine;
mod remove;

use std::fs::File;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::model::{Digest, JobId, Staged};
use crate::pins::Pins;

/// Bytes read at once while hashing.
const BLOCK: usize = 1 << 20;

/// The blobs of a store, and the folders of its jobs. A cheap handle.
#[derive(Debug, Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    blobs: PathBuf,
    work: PathBuf,
    /// Held while a batch gets its names: two batches with the same bytes would take each other's for a swapped file.
    naming: Mutex<()>,
    /// What jobs hold on to.
    pins: Pins,
}

impl Blobs {
    /// Opens the blobs of a data folder and makes what is missing. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`]; both folders must lie on one file system (F93).
    pub(crate) fn open_in(data: &Path, pins: Pins) -> Result<Self, Error> {
        let (blobs, work) = (data.join("blobs"), data.join("work"));
        make_folder(&blobs)?;
        make_folder(&work)?;
        let device = |path: &Path| {
            let found = rustix::fs::stat(path);
            found
                .map(|stat| stat.st_dev)
                .map_err(|error| Error::storage("cannot read", path, error))
        };
        if device(&blobs)? != device(&work)? {
            let other = io::Error::from(io::ErrorKind::CrossesDevices);
            return Err(Error::storage("the folder must lie where the blobs do:", &work, other));
        }
        Ok(Self { inner: Arc::new(Inner { blobs, work, naming: Mutex::default(), pins }) })
    }

    /// The folder of a job, made if there is none; private to this user.
    pub async fn job_folder(&self, job: JobId) -> Result<PathBuf, Error> {
        let folder = self.folder_of(job);
        crate::blocking(move || make_folder(&folder).map(|()| folder)).await
    }

    /// Removes the folder of a job with all that plugins may have left in it (F59, F60).
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] naming the first thing that could not be removed; all else is gone.
    pub async fn remove_job_folder(&self, job: JobId) -> Result<(), Error> {
        let folder = self.folder_of(job);
        self.inner.pins.release(job);
        crate::blocking(move || remove::remove_tree(&folder)).await
    }

    /// Something refers to these bytes of the job now, or they are not wanted any more.
    pub fn let_go(&self, job: JobId, bytes: Digest) {
        self.inner.pins.let_go(job, bytes);
    }

    /// Removes the folders of all jobs: what an earlier host left behind (F160). Only before any job runs. What cannot
    /// be removed stays: [`left_behind`](Self::left_behind).
    pub async fn clean(&self) -> Result<(), Error> {
        let work = self.inner.work.clone();
        crate::blocking(move || remove::empty(&work)).await
    }

    /// Folders of jobs that [`clean`](Self::clean) could not remove.
    pub async fn left_behind(&self) -> Result<Vec<PathBuf>, Error> {
        let work = self.inner.work.clone();
        crate::blocking(move || remove::entries(&work)).await
    }

    /// Makes staged files durable, then gives them their names: when this returns, a power cut loses none of them.
    ///
    /// The files are gone from where they were. One whose blob is there already takes its place: the bytes are the
    /// same, or the blob was broken.
    ///
    /// # Errors
    ///
    /// [`Error::Staged`] for what is no regular file of one name inside a job's folder, or has another size;
    /// [`Error::Storage`]. Blobs that were named before stay.
    pub async fn adopt(&self, staged: Vec<Staged>) -> Result<(), Error> {
        if staged.is_empty() {
            return Ok(());
        }
        for file in &staged {
            self.hold(file);
        }
        let blobs = self.clone();
        crate::blocking(move || adopt::adopt(&blobs, &staged)).await
    }

    /// What a job is about to store, nobody takes away before it is over.
    fn hold(&self, staged: &Staged) {
        let below = staged.path.strip_prefix(&self.inner.work).ok();
        let folder = below.and_then(|path| path.iter().next()).and_then(|name| name.to_str());
        if let Some(job) = folder.and_then(|name| name.parse().ok()) {
            self.inner.pins.hold_bytes(JobId(job), [staged.digest]);
        }
    }

    /// Where a blob lies, whether it is there or not.
    pub fn path(&self, digest: Digest) -> PathBuf {
        let hex = digest.to_hex();
        let mut path = self.inner.blobs.join(hex.get(..2).unwrap_or_default());
        path.push(hex);
        path
    }

    /// Opens a blob for reading; its size in bytes. None: it is not there.
    pub async fn open(&self, digest: Digest) -> Result<Option<(File, u64)>, Error> {
        let blobs = self.clone();
        crate::blocking(move || blobs.open_blocking(digest)).await
    }

    /// As [`Blobs::open`], for a thread that may block.
    pub fn open_blocking(&self, digest: Digest) -> Result<Option<(File, u64)>, Error> {
        let path = self.path(digest);
        let failed = |error| Error::storage("cannot read", &path, error);
        match File::open(&path) {
            Ok(file) => {
                let size = file.metadata().map_err(failed)?.len();
                Ok(Some((file, size)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Whether a blob is there.
    pub async fn has(&self, digest: Digest) -> Result<bool, Error> {
        Ok(self.open(digest).await?.is_some())
    }

    fn folder_of(&self, job: JobId) -> PathBuf {
        self.inner.work.join(job.0.to_string())
    }
}

/// The digest and size of what a reader gives, in bytes. Blocks.
///
/// # Errors
///
/// Those of the reader.
pub fn hash(mut reader: impl io::Read) -> io::Result<(Digest, u64)> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut size = 0;
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok((Digest(hasher.finalize().into()), size)),
            Ok(read) => {
                hasher.update(&block[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A folder for this user alone; one that is there already is taken as it is.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(Error::storage("cannot make", path, error)),
    }
}

#[cfg(test)]
mod tests;
