//! Migrations of plugins: how far each one's data are, and a migration from its first staged unit to its end.
//!
//! What a migration changes is staged, seen by nobody, and applied in one transaction together with the tracker and the
//! definitions that hold from then on. Cut off anywhere before that, nothing happened.

use std::collections::HashMap;

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{
    ChangedUnit, Digest, FieldEquals, Lease, Migrated, Migration, Tracked, TypeDefinition, TypeId,
    UnitId,
};

impl Meta {
    /// How far the data of every plugin are that was ever seen.
    pub async fn tracked(&self) -> Result<Vec<Tracked>, Error> {
        self.read(sqlite::tracker::all).await
    }

    /// Notes plugins that were never seen, each with the migration that its data need not have any more and its
    /// version. Those that were seen stay as they are.
    pub async fn track_first(&self, plugins: Vec<(String, u32, String)>) -> Result<(), Error> {
        self.write(move |db| sqlite::tracker::first_seen(db, &plugins)).await
    }

    /// Whether any unit is stored of a type that this plugin registered.
    pub async fn has_units_of(&self, plugin: &str) -> Result<bool, Error> {
        let plugin = plugin.to_owned();
        self.read(move |db| sqlite::tracker::has_units(db, &plugin)).await
    }

    /// Whether a migration could register these definitions: as [`Meta::register_types`], but those that `covered` names
    /// may have other keys. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::TypesRefused`].
    pub async fn check_types(
        &self,
        plugin: &str,
        types: Vec<TypeDefinition>,
        covered: Vec<String>,
    ) -> Result<(), Error> {
        let plugin = plugin.to_owned();
        self.read(move |db| sqlite::types::plan(db, &plugin, &types, &covered).map(drop)).await
    }

    /// The numbers of all units of these types, whoever holds them, ordered as by [`Meta::unit_ids`].
    ///
    /// # Errors
    ///
    /// [`Error::FieldName`], [`Error::FieldValue`].
    pub async fn unit_ids_of_types(
        &self,
        types: Vec<TypeId>,
        filter: Vec<FieldEquals>,
        order_by: Vec<String>,
    ) -> Result<Vec<UnitId>, Error> {
        self.read(move |db| sqlite::of_types::unit_ids(db, &types, &filter, &order_by)).await
    }

    /// Whether a unit of one of these types has a file of these bytes.
    pub async fn types_hold(&self, types: Vec<TypeId>, digest: Digest) -> Result<bool, Error> {
        self.read(move |db| sqlite::of_types::hold(db, &types, digest)).await
    }

    /// Keeps changed units until their migration is applied. `definitions`: those that hold after it, of all types whose
    /// units it may change. (Not brought to the disk: after a power cut the migration begins anew.)
    ///
    /// # Errors
    ///
    /// [`Error::UnitChange`] names the first unit that cannot be so.
    pub async fn stage_changes(
        &self,
        lease: Lease,
        definitions: HashMap<TypeId, TypeDefinition>,
        units: Vec<ChangedUnit>,
    ) -> Result<(), Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::staged::stage(db, lease.job, &definitions, &units)
        })
        .await
    }

    /// Forgets what the job staged.
    pub async fn discard_changes(&self, lease: Lease) -> Result<(), Error> {
        self.stage(move |db| sqlite::staged::discard(db, lease.job)).await
    }

    /// Applies a migration: units, definitions and tracker at once. Units of a type whose keys are others now, that were
    /// not staged, are brought into the new form too. Versions hold the units that they held, and publications show what
    /// they showed.
    ///
    /// # Errors
    ///
    /// Nothing was written: [`Error::KeyConflict`] and [`Error::MovedTogether`] name two units that would be one;
    /// [`Error::UnitChange`]; [`Error::TypesRefused`]; [`Error::Migrated`].
    pub async fn migrate(&self, lease: Lease, migration: Migration) -> Result<Migrated, Error> {
        self.write(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::migrate::apply(db, lease.job, &migration)
        })
        .await
    }

    /// What [`Meta::migrate`] would do. Everything stays as it is.
    ///
    /// # Errors
    ///
    /// As [`Meta::migrate`].
    pub async fn try_migration(
        &self,
        lease: Lease,
        migration: Migration,
    ) -> Result<Migrated, Error> {
        self.stage(move |db| {
            sqlite::jobs::check(db, lease)?;
            sqlite::migrate::try_out(db, lease.job, &migration)
        })
        .await
    }
}
