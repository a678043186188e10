//! Migrations: numbered changes of stored data that a newer version of a plugin asks for.
//!
//! `standing` tells at the start how far each plugin's data are. One that is behind is not ready until its migrations
//! were run, and registers no types before; one whose data are ahead of it is refused. `run` is the job that runs them:
//! one call of the plugin for each number, whose changed units are staged, and one transaction that brings units,
//! definitions and tracker to that number (`step`). Versions and publications keep what they hold and show.
//!
//! Never creates or removes a unit, and brings no bytes.

mod run;
mod standing;
mod step;

use serde::{Deserialize, Serialize};

pub(crate) use self::run::run;
pub(crate) use self::standing::{Behind, Standings, judge, standings};
use crate::engine::Engine;
use crate::jobs::view::JobView;
use crate::problem::Problem;

/// The operation's word in a job.
pub(crate) const OPERATION: &str = "migrate";

/// What a user may ask of a migration.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MigrateOptions {
    /// Tell what the next migration would change; store nothing.
    pub dry_run: bool,
}

/// A migration that was not run yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingMigration {
    /// Its number.
    pub number: u32,
    /// What it does.
    pub name: String,
}

impl Engine {
    /// Asks for the migrations of a plugin that were not run yet. The job finds nothing to do when there are none.
    ///
    /// # Errors
    /// `not_found.plugin`, and what makes the plugin unusable apart from being behind.
    pub async fn migrate(&self, name: &str, options: MigrateOptions) -> Result<JobView, Problem> {
        self.inner.installed(name)?;
        let arguments = serde_json::to_string(&options)?;
        self.inner.submit_unattached(OPERATION, None, (name, arguments), Vec::new()).await
    }
}
