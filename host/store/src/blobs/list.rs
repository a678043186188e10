//! What lies in the blobs' folders: all of it, with or without a row that knows it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;

use super::Blobs;
use crate::error::Error;
use crate::model::Digest;

/// A blob as the file system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    /// When it got its name or was last touched otherwise, in milliseconds since 1970: the file system's own time,
    /// which no plugin can set.
    pub changed_ms: i64,
}

/// Into how many folders blobs are spread.
pub const FOLDERS: u16 = 256;

impl Blobs {
    /// The blobs in the folder of this number, below [`FOLDERS`]. What has no digest for a name is passed over.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn list(&self, folder: u8) -> Result<Vec<Found>, Error> {
        let path = self.inner.blobs.join(format!("{folder:02x}"));
        crate::blocking(move || {
            let failed = |error| Error::storage("cannot read", &path, error);
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(failed(error)),
            };
            let mut found = Vec::new();
            for entry in entries {
                let entry = entry.map_err(failed)?;
                let name = entry.file_name();
                let digest = name.to_str().and_then(|name| format!("sha256:{name}").parse().ok());
                let Some(digest) = digest else { continue };
                match entry.metadata() {
                    Ok(about) if about.is_file() => found.push(Found {
                        digest,
                        size: about.len(),
                        changed_ms: about.ctime() * 1_000 + about.ctime_nsec() / 1_000_000,
                    }),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(error)),
                }
            }
            Ok(found)
        })
        .await
    }

    /// Takes a blob away, and answers how many bytes that freed. What cannot be removed stays, and is told in the
    /// host's log. Blocks.
    pub(crate) fn remove(&self, digest: Digest) -> u64 {
        let path = self.path(digest);
        let size = fs::symlink_metadata(&path).map_or(0, |about| about.len());
        match fs::remove_file(&path) {
            Ok(()) => size,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a blob that nobody needs stays");
                0
            }
        }
    }
}
