//! Uploads and the tokens that allow them.

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{Digest, NewUpload, RepositoryId, Token, Upload, UploadId};

impl Meta {
    /// Begins an upload of which nothing has come yet.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the repository is gone.
    pub async fn begin_upload(&self, upload: NewUpload) -> Result<Upload, Error> {
        self.write(move |db| sqlite::uploads::begin(db, &upload)).await
    }

    /// The upload with this number.
    pub async fn upload(&self, id: UploadId) -> Result<Option<Upload>, Error> {
        self.read(move |db| sqlite::uploads::by_id(db, id)).await
    }

    /// Uploads, the oldest first; of one repository or of all.
    pub async fn uploads(&self, repository: Option<RepositoryId>) -> Result<Vec<Upload>, Error> {
        self.read(move |db| sqlite::uploads::all(db, repository)).await
    }

    /// Notes that bytes from `offset` up to `received` are on the disk.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::OffsetMoved`] when others came meanwhile.
    pub async fn received(
        &self,
        id: UploadId,
        offset: u64,
        received: u64,
    ) -> Result<Upload, Error> {
        self.write(move |db| sqlite::uploads::received(db, id, offset, received)).await
    }

    /// Forgets uploads; those that are gone already are no error.
    pub async fn forget_uploads(&self, ids: Vec<UploadId>) -> Result<(), Error> {
        self.write(move |db| sqlite::uploads::forget(db, &ids)).await
    }

    /// Stores a token by the digest of its secret.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`].
    pub async fn create_token(
        &self,
        name: &str,
        digest: Digest,
        repositories: Vec<RepositoryId>,
    ) -> Result<Token, Error> {
        let name = name.to_owned();
        self.write(move |db| sqlite::tokens::create(db, &name, digest, &repositories)).await
    }

    /// All tokens, by name.
    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        self.read(sqlite::tokens::all).await
    }

    /// Deletes a token: it is good for nothing from now on.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn delete_token(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.write(move |db| sqlite::tokens::delete(db, &name)).await
    }
}
