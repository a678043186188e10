//! Searching units by their fields.

use std::collections::BTreeSet;

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{FoundUnit, Holding, TypeId, UnitId, UnitSearch};

impl Meta {
    /// A page of the units that a search finds.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such version; [`Error::FieldName`]; [`Error::FieldValue`].
    pub async fn search(&self, search: UnitSearch) -> Result<Vec<FoundUnit>, Error> {
        self.read(move |db| sqlite::search::search(db, &search)).await
    }

    /// The numbers of all units that a search finds, whatever its limit.
    ///
    /// # Errors
    ///
    /// As [`Meta::search`].
    pub async fn search_ids(&self, search: UnitSearch) -> Result<Vec<UnitId>, Error> {
        self.read(move |db| sqlite::search::ids(db, &search)).await
    }

    /// The types of these units, each once.
    pub async fn types_of(&self, units: Vec<UnitId>) -> Result<BTreeSet<TypeId>, Error> {
        self.read(move |db| sqlite::search::types_of(db, &units)).await
    }

    /// Which versions hold a unit, by the names of repositories, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such unit.
    pub async fn holdings(&self, unit: UnitId) -> Result<Vec<Holding>, Error> {
        self.read(move |db| sqlite::search::holdings(db, unit)).await
    }
}
