//! Blobs that are not what they are called: out of the way, kept for whoever wants to know why.

use std::fs;
use std::io;

use super::{Blobs, make_folder};
use crate::error::Error;
use crate::model::Digest;

impl Blobs {
    /// Moves a blob to `DATA/quarantine/HEX`. One that is not there is fine; an earlier one of this name is replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn quarantine(&self, digest: Digest) -> Result<(), Error> {
        let blobs = self.clone();
        crate::blocking(move || {
            let folder = blobs.inner.blobs.with_file_name("quarantine");
            make_folder(&folder)?;
            match fs::rename(blobs.path(digest), folder.join(digest.to_hex())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(Error::storage("cannot move a broken blob to", &folder, error))
                }
                _ => Ok(()),
            }
        })
        .await
    }
}
