//! Files in a job's folder: written and hashed by the host, or staged by a plugin and hashed in place. Blocking work
//! runs off the runtime, by megabytes.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;
use wharf_store::Store;
use wharf_store::model::{Digest, JobId, RelativePath, Staged};
use wharf_supervisor::remove_lent;

use crate::problem::Problem;

/// Bytes copied at once.
const COPIED_AT_ONCE: usize = 1 << 20;

/// A job's folder, and names in it that nobody else takes.
pub(crate) struct Folder {
    path: PathBuf,
    next: AtomicU64,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, next: AtomicU64::new(0) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A name for a new file of the host.
    pub(crate) fn fresh(&self) -> PathBuf {
        self.path.join(format!(".host-{:x}", self.next.fetch_add(1, Ordering::Relaxed)))
    }

    /// A name for a file that a user brought.
    pub(crate) fn fresh_brought(&self) -> PathBuf {
        self.path.join(format!("brought-{:x}", self.next.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Hashes a file that a plugin staged. Links are not followed, and nothing outside the folder is opened (I9).
pub(crate) async fn hash_below(folder: &Path, path: &RelativePath) -> Result<Staged, Problem> {
    let (folder, relative) = (folder.to_owned(), path.as_str().to_owned());
    blocking(move || {
        let staged = open(&folder, &relative)?;
        let (digest, size) = wharf_store::blobs::hash(staged)
            .map_err(|error| unusable(&relative, &error.to_string()))?;
        Ok(Staged { path: folder.join(&relative), digest, size })
    })
    .await
}

/// Opens a file that a plugin staged, as [`hash_below`] does.
pub(crate) async fn open_below(folder: &Path, path: &RelativePath) -> Result<File, Problem> {
    let (folder, relative) = (folder.to_owned(), path.as_str().to_owned());
    blocking(move || open(&folder, &relative)).await
}

fn open(folder: &Path, relative: &str) -> Result<File, Problem> {
    let root = File::open(folder).map_err(|error| storage(folder, &error))?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let staged = openat2(&root, relative, flags, Mode::empty(), resolve)
        .map(File::from)
        .map_err(|error| unusable(relative, &error.to_string()))?;
    if staged.metadata().is_ok_and(|metadata| metadata.is_file()) {
        Ok(staged)
    } else {
        Err(unusable(relative, "it is no regular file"))
    }
}

/// Writes bytes to a new file.
pub(crate) async fn write(target: &Path, bytes: Vec<u8>) -> Result<Staged, Problem> {
    let mut writer = Writer::create(target).await?;
    writer.write(bytes.into()).await?;
    writer.finish()
}

/// Writes a file and hashes it on the way.
pub(crate) struct Writer {
    path: PathBuf,
    open: Option<(File, Sha256)>,
    size: u64,
}

impl Writer {
    /// Makes the file; what stood there is gone.
    pub(crate) async fn create(path: &Path) -> Result<Self, Problem> {
        let path = path.to_owned();
        blocking(move || {
            let file = File::create(&path).map_err(|error| storage(&path, &error))?;
            Ok(Self { path, open: Some((file, Sha256::new())), size: 0 })
        })
        .await
    }

    /// Appends a chunk.
    pub(crate) async fn write(&mut self, chunk: Bytes) -> Result<(), Problem> {
        let Some((mut file, mut hasher)) = self.open.take() else {
            return Err(Problem::fault("internal", "a chunk for a file that is closed"));
        };
        let (path, length) = (self.path.clone(), chunk.len() as u64);
        let open = blocking(move || {
            file.write_all(&chunk).map_err(|error| storage(&path, &error))?;
            hasher.update(&chunk);
            Ok((file, hasher))
        })
        .await?;
        self.open = Some(open);
        self.size += length;
        Ok(())
    }

    /// Bytes written so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Closes the file.
    pub(crate) fn finish(self) -> Result<Staged, Problem> {
        let Some((_file, hasher)) = self.open else {
            return Err(Problem::fault("internal", "a file that is closed twice"));
        };
        Ok(Staged { path: self.path, digest: Digest(hasher.finalize().into()), size: self.size })
    }
}

/// Copies the first bytes of a file and hashes them on the way. None: there is no file, and nothing to copy.
pub(crate) async fn copy(
    from: Option<File>,
    length: u64,
    target: &Path,
) -> Result<Staged, Problem> {
    let path = target.to_owned();
    blocking(move || {
        let mut file = File::create_new(&path).map_err(|error| storage(&path, &error))?;
        let mut hasher = Sha256::new();
        let mut block = vec![0; COPIED_AT_ONCE];
        let mut size = 0;
        if let Some(from) = from {
            let mut from = from.take(length);
            loop {
                let read = from.read(&mut block).map_err(|error| storage(&path, &error))?;
                let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else {
                    break;
                };
                file.write_all(bytes).map_err(|error| storage(&path, &error))?;
                hasher.update(bytes);
                size += read as u64;
            }
        }
        if size != length {
            let message = format!("of {length} uploaded bytes only {size} are there");
            return Err(Problem::operation("storage.damaged", message).help("upload it again"));
        }
        Ok(Staged { path, digest: Digest(hasher.finalize().into()), size })
    })
    .await
}

/// How often a job's folder that resists is tried again: a plugin that was cancelled may still tidy up in it.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(500);

/// Removes the folder of a job. What a plugin left there under ids that are lent to this user is removed too.
pub(crate) async fn remove(store: &Store, job: JobId, folder: &Path) -> Result<(), Problem> {
    let mut outcome = store.blobs.remove_job_folder(job).await;
    for _again in 0..TRIES {
        if outcome.is_ok() {
            break;
        }
        if remove_lent(folder).await.is_err() {
            sleep(PAUSE).await;
        }
        outcome = store.blobs.remove_job_folder(job).await;
    }
    Ok(outcome?)
}

/// Removes the folders of all jobs that an earlier host left.
pub(crate) async fn clean(store: &Store) -> Result<(), wharf_store::Error> {
    store.blobs.clean().await?;
    for folder in store.blobs.left_behind().await? {
        if let Err(error) = remove_lent(&folder).await {
            tracing::warn!(folder = %folder.display(), error, "what an earlier job left stays");
        }
    }
    Ok(())
}

/// Runs blocking work off the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Problem::fault("internal", format!("file work broke: {error}")))
    })
}

fn storage(path: &Path, error: &std::io::Error) -> Problem {
    Problem::operation("storage.write", format!("{}: {error}", path.display()))
        .help("check the disk's space and the folder's rights")
}

fn unusable(path: &str, reason: &str) -> Problem {
    Problem::protocol(format!("the staged file \"{path}\" cannot be taken: {reason}"))
}
