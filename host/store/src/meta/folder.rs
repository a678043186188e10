//! What folder distributors remember of the files that they wrote.

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{AttachmentId, FolderFile, Lease, RelativePath};

impl Meta {
    /// All files that an attachment remembers, by path.
    pub async fn folder_files(&self, attachment: AttachmentId) -> Result<Vec<FolderFile>, Error> {
        self.read(move |db| sqlite::folder::all(db, attachment)).await
    }

    /// Remembers files and forgets others, all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`].
    pub async fn note_folder_files(
        &self,
        lease: Lease,
        attachment: AttachmentId,
        files: Vec<FolderFile>,
        gone: Vec<RelativePath>,
    ) -> Result<(), Error> {
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::folder::forget(db, attachment, &gone)?;
            sqlite::folder::put(db, attachment, &files)
        })
        .await
    }
}
