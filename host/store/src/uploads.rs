//! The bytes of uploads, one file for each: `DATA/uploads/NUMBER`.
//!
//! Bytes are appended and brought to the disk before the database counts them. What lies behind the number that the
//! database knows came with a crash, and is written over. Never hashes and never decides what is to be kept.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::model::UploadId;

/// The files of a store's uploads. A cheap handle.
#[derive(Debug, Clone)]
pub struct Uploads {
    folder: PathBuf,
}

impl Uploads {
    /// Opens the uploads of a data folder, and makes the folder if there is none. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub fn open_in(data: &Path) -> Result<Self, Error> {
        let folder = data.join("uploads");
        crate::blobs::make_folder(&folder)?;
        Ok(Self { folder })
    }

    /// Writes bytes at an offset and brings them to the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn write(
        &self,
        id: UploadId,
        offset: u64,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<(), Error> {
        let path = self.path(id);
        crate::blocking(move || {
            let failed = |error| Error::storage("cannot write", &path, error);
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(false).mode(0o600);
            let file = options.open(&path).map_err(failed)?;
            file.write_all_at(bytes.as_ref(), offset).map_err(failed)?;
            file.sync_data().map_err(failed)
        })
        .await
    }

    /// Opens the bytes of an upload. None: there is no file, because nothing came yet.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn open(&self, id: UploadId) -> Result<Option<File>, Error> {
        let path = self.path(id);
        crate::blocking(move || match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::storage("cannot read", &path, error)),
        })
        .await
    }

    /// Removes the files of uploads that are not among these.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn keep(&self, known: HashSet<UploadId>) -> Result<(), Error> {
        let folder = self.folder.clone();
        crate::blocking(move || {
            let failed = |error| Error::storage("cannot read", &folder, error);
            for entry in std::fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
                if id.is_none_or(|id| !known.contains(&UploadId(id))) {
                    remove(&entry.path())?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Removes the file of an upload, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn remove(&self, id: UploadId) -> Result<(), Error> {
        let path = self.path(id);
        crate::blocking(move || remove(&path)).await
    }

    fn path(&self, id: UploadId) -> PathBuf {
        self.folder.join(id.to_string())
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::storage("cannot remove", path, error))
        }
        _ => Ok(()),
    }
}
