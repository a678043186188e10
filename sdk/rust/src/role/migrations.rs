//! Changing stored data when a newer version of the plugin needs that.

use tonic::async_trait;

use crate::{Context, Done, Error};

/// Runs the migrations that the manifest names.
///
/// wharf calls it once for each number that was not run yet, in order. [`Context::units`](crate::Ask::units) with
/// [`Query::all`](crate::Query::all) gives all units of the plugin's types, whoever holds them, as they were before the
/// migration; [`Context::unit`] sends one back changed, with the id it came with. What is left empty stays as it is, and
/// so does every unit that is not sent. Nothing of it counts unless the method ends well: an error, a crash or a
/// cancel leaves all units as they were, and the same number is run again later.
#[async_trait]
pub trait Migrations: Send + Sync + 'static {
    /// Runs one. Units that are as they should be already are no error: an empty store is met too.
    async fn migrate(&self, migration: Migration, context: &Context) -> Result<Done, Error>;
}

/// Which migration to run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// Its number in the manifest.
    pub number: u32,
    /// What the manifest calls it.
    pub name: String,
    /// wharf will store nothing; whatever the plugin changes elsewhere must stay too.
    pub dry_run: bool,
}
