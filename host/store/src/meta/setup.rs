//! Types, repositories and what is attached to them.

use super::{Meta, sqlite};
use crate::error::{Error, Thing};
use crate::model::{
    Attachment, AttachmentId, NewAttachment, RegisteredType, Repository, RepositoryChange,
    RepositoryId, RepositoryName, TypeDefinition,
};

impl Meta {
    /// Registers what a plugin defines, all or nothing, and makes indexes that lack. Writes nothing when nothing
    /// changed.
    ///
    /// A definition may change when its version grows, but never its `unit_key` or `repo_key`: what is stored was
    /// named by them. The plugin owns its types from then on; that no other one claims them is the caller's business.
    ///
    /// # Errors
    ///
    /// [`Error::TypesRefused`] with all types that are refused, and the differences.
    pub async fn register_types(
        &self,
        plugin: &str,
        plugin_version: &str,
        types: Vec<TypeDefinition>,
    ) -> Result<(), Error> {
        let (plugin, version) = (plugin.to_owned(), plugin_version.to_owned());
        let asked = (plugin.clone(), types.clone());
        let changes = move |db: &_| sqlite::types::plan(db, &asked.0, &asked.1, &[]);
        if self.read(changes).await?.is_empty() {
            return Ok(());
        }
        self.write(move |db| sqlite::types::register(db, &plugin, &version, &types)).await
    }

    /// All types, by number.
    pub async fn types(&self) -> Result<Vec<RegisteredType>, Error> {
        self.read(sqlite::types::all).await
    }

    /// The type with this name.
    pub async fn type_by_name(&self, id: &str) -> Result<Option<RegisteredType>, Error> {
        let id = id.to_owned();
        self.read(move |db| sqlite::types::by_name(db, &id)).await
    }

    /// Makes a repository with its empty version 0. `types` are the types whose units it takes; empty: all.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`].
    pub async fn create_repository(
        &self,
        name: &RepositoryName,
        types: Vec<String>,
    ) -> Result<Repository, Error> {
        let name = name.clone();
        self.write(move |db| sqlite::repositories::create(db, &name, &types)).await
    }

    /// The repository with this name.
    pub async fn repository(&self, name: &str) -> Result<Option<Repository>, Error> {
        let name = name.to_owned();
        self.read(move |db| sqlite::repositories::by_name(db, &name)).await
    }

    /// The repository with this number.
    pub async fn repository_by_id(&self, id: RepositoryId) -> Result<Option<Repository>, Error> {
        self.read(move |db| sqlite::repositories::by_id(db, id)).await
    }

    /// All repositories, by name.
    pub async fn repositories(&self) -> Result<Vec<Repository>, Error> {
        self.read(sqlite::repositories::all).await
    }

    /// Changes what users say of a repository. Fewer versions to keep take effect at once.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn change_repository(
        &self,
        name: &str,
        change: RepositoryChange,
    ) -> Result<Repository, Error> {
        let name = name.to_owned();
        self.write(move |db| sqlite::repositories::change(db, &name, &change)).await
    }

    /// Deletes a repository with its versions, attachments and publications. Its units and bytes stay, others may have
    /// them too.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::InUse`] while a job on it waits or runs.
    pub async fn delete_repository(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.write(move |db| sqlite::repositories::delete(db, &name)).await
    }

    /// Binds a component to a repository. The same component and instance again replaces settings and path, and keeps
    /// the number, the state and what is published.
    ///
    /// # Errors
    ///
    /// [`Error::PathTaken`] when the path is that of another attachment, above it or below it.
    pub async fn attach(
        &self,
        repository: RepositoryId,
        attachment: NewAttachment,
    ) -> Result<Attachment, Error> {
        self.write(move |db| sqlite::attachments::attach(db, repository, &attachment)).await
    }

    /// Takes an attachment off its repository, with its state and what it published.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::InUse`] while a job of it waits or runs.
    pub async fn detach(&self, attachment: AttachmentId) -> Result<(), Error> {
        self.write(move |db| sqlite::attachments::detach(db, attachment)).await
    }

    /// What is attached to a repository, in the order of attaching.
    pub async fn attachments(&self, repository: RepositoryId) -> Result<Vec<Attachment>, Error> {
        self.read(move |db| sqlite::attachments::of_repository(db, repository)).await
    }

    /// The attachment with this number.
    pub async fn attachment(&self, id: AttachmentId) -> Result<Option<Attachment>, Error> {
        self.read(move |db| sqlite::attachments::by_id(db, id)).await
    }

    /// What a plugin keeps under a key of its own: the revision, from 1 on, and the value.
    pub async fn get_state(
        &self,
        attachment: AttachmentId,
        key: &str,
    ) -> Result<Option<(u64, Vec<u8>)>, Error> {
        let key = key.to_owned();
        self.read(move |db| sqlite::attachments::get_state(db, attachment, &key)).await
    }

    /// Replaces what a plugin keeps under a key of its own. `expected` is the revision that was read; 0: there was
    /// none. Answers the new revision.
    ///
    /// # Errors
    ///
    /// [`Error::StateMoved`] when another revision is there; [`Error::NotFound`] when the attachment is gone.
    pub async fn put_state(
        &self,
        attachment: AttachmentId,
        key: &str,
        expected: u64,
        value: Vec<u8>,
    ) -> Result<u64, Error> {
        let key = key.to_owned();
        self.write(move |db| {
            if sqlite::attachments::by_id(db, attachment)?.is_none() {
                return Err(Error::not_found(Thing::Attachment, &attachment).into());
            }
            sqlite::attachments::put_state(db, attachment, &key, expected, &value)
        })
        .await
    }
}
