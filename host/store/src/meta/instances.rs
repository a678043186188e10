//! Named instances of components.

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::NamedInstance;

impl Meta {
    /// Stores an instance under a name that is free.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`].
    pub async fn create_instance(
        &self,
        name: &str,
        component: &str,
        settings: serde_json::Value,
    ) -> Result<NamedInstance, Error> {
        let (name, component) = (name.to_owned(), component.to_owned());
        self.write(move |db| sqlite::instances::create(db, &name, &component, &settings)).await
    }

    /// Replaces the settings of an instance.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn change_instance(
        &self,
        name: &str,
        settings: serde_json::Value,
    ) -> Result<NamedInstance, Error> {
        let name = name.to_owned();
        self.write(move |db| sqlite::instances::change(db, &name, &settings)).await
    }

    /// All instances, by name.
    pub async fn instances(&self) -> Result<Vec<NamedInstance>, Error> {
        self.read(sqlite::instances::all).await
    }

    /// The instance with this name.
    pub async fn instance(&self, name: &str) -> Result<Option<NamedInstance>, Error> {
        let name = name.to_owned();
        self.read(move |db| sqlite::instances::by_name(db, &name)).await
    }

    /// Deletes an instance that is bound to no repository. Says whether there was such a one.
    pub async fn delete_instance(&self, name: &str) -> Result<bool, Error> {
        let name = name.to_owned();
        self.write(move |db| sqlite::instances::delete(db, &name)).await
    }
}
