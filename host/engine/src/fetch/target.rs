//! The staging file: made new, written in order, hashed on the way. All of it blocks, so it runs on the blocking pool.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use bytes::Bytes;

use super::{Error, Follow, notes::Notes, verify::Sums};

/// A staging file as far as it is written.
#[derive(Debug)]
pub(super) struct Target {
    file: Arc<File>,
    pub(super) sums: Sums,
    pub(super) bytes: u64,
}

impl Target {
    /// An empty file, a new one even where one stands: readers of that one keep it.
    pub(super) fn create(path: &Path, sums: Sums, notes: Option<&Notes>) -> io::Result<Self> {
        remove(path)?;
        Notes::remove(path)?;
        let file = create(path)?;
        if let Some(notes) = notes {
            notes.write(path)?;
        }
        Ok(Self { file: Arc::new(file), sums, bytes: 0 })
    }

    /// A file that an earlier attempt wrote, positioned at its end.
    pub(super) fn resumed(file: File, sums: Sums, bytes: u64) -> Self {
        Self { file: Arc::new(file), sums, bytes }
    }

    pub(super) fn add(&mut self, piece: &[u8]) -> io::Result<()> {
        (&*self.file).write_all(piece)?;
        self.sums.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Tells readers where the bytes are.
    pub(super) fn announce(&self, follow: &Follow, total: Option<u64>, media_type: Option<&str>) {
        follow.begin(&self.file, self.bytes, total, media_type);
    }
}

/// Writes a small file at once.
///
/// # Errors
/// `Storage`.
pub(super) fn write_small(
    path: &Path,
    pieces: &[Bytes],
    follow: Option<&Follow>,
) -> Result<(), Error> {
    let write = || {
        let mut file = match create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                remove(path)?;
                Notes::remove(path)?;
                create(path)?
            }
            created => created?,
        };
        for piece in pieces {
            file.write_all(piece)?;
        }
        if let Some(follow) = follow {
            let size = pieces.iter().map(|piece| piece.len() as u64).sum();
            follow.begin(&Arc::new(file), size, Some(size), None);
        }
        Ok(())
    };
    write().map_err(|source| Error::Storage { path: path.to_owned(), source })
}

/// Takes away a file that is of no use, with its notes. Best effort: the job's folder is emptied anyway.
pub(super) fn discard(path: &Path) {
    if let Err(error) = remove(path).and_then(|()| Notes::remove(path)) {
        tracing::debug!(%error, path = %path.display(), "a staging file stays behind");
    }
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}
