//! What the next version will hold, as far as it is known. Lives in memory until the one commit.

use std::collections::{HashMap, HashSet};

use wharf_store::model::UnitId;

use super::setup::Setup;
use crate::instances::settings::Mode;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// The collected outcome of one pass.
#[derive(Default)]
pub(super) struct Draft {
    /// Units of the new version, with the revision that a listing gave them.
    pub(super) present: Vec<(UnitId, Option<String>)>,
    /// Units to take out (additive mode).
    pub(super) removed: Vec<UnitId>,
    /// Upstream says that the base version stands.
    pub(super) nothing_to_do: bool,
    /// To be kept for the next run.
    pub(super) state: Option<Vec<u8>>,
    /// The version's `info`.
    pub(super) metadata: Option<String>,
    /// The plugin's own words.
    pub(super) summary: Option<serde_json::Value>,
    /// Units declared, each once.
    pub(super) declared: u64,
    /// Listed items that the settings leave out.
    pub(super) ignored: u64,
    /// Units that the base version holds and the new one keeps.
    pub(super) kept: u64,
    /// Units that the base version lacks.
    pub(super) fresh: u64,
    /// Units that the plugin kept without declaring them.
    pub(super) kept_by_plugin: u64,
    /// Items of which the listing says that they failed.
    pub(super) unlisted: HashSet<String>,
    /// What stands in each place, by the first half of the digests.
    places: HashMap<u128, u128>,
}

/// What a declared unit is to the units declared before it.
pub(super) enum Place {
    /// Nothing stood there.
    Free,
    /// The very same unit was declared already.
    Same,
}

impl Draft {
    /// Notes that a unit stands in its place.
    ///
    /// # Errors
    ///
    /// `content.conflict` when another unit was declared for the same place.
    pub(super) fn place(
        &mut self,
        name: &str,
        repo_key: Option<&[u8; 32]>,
        key: &[u8; 32],
    ) -> Result<Place, Problem> {
        let place = half(repo_key.unwrap_or(key));
        match self.places.insert(place, half(key)) {
            None => Ok(Place::Free),
            Some(stood) if stood == half(key) => Ok(Place::Same),
            Some(_other) => Err(Problem::operation(
                "content.conflict",
                format!("two different units are named for \"{name}\""),
            )
            .at(name.to_owned())
            .help("the source contradicts itself; tell those who run it")),
        }
    }

    /// What a commit would do.
    pub(super) fn preview(&self, setup: &Setup, mut result: JobResult) -> JobResult {
        let unchanged = if self.nothing_to_do { setup.base_units } else { self.kept };
        result.added = self.fresh;
        result.unchanged = unchanged;
        result.removed = match setup.settings.mode {
            Mode::Mirror => setup.base_units.saturating_sub(unchanged),
            Mode::Additive => self.removed.len() as u64,
        };
        result.version = Some(setup.base);
        result.dry_run = true;
        result
    }
}

fn half(digest: &[u8; 32]) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    u128::from_le_bytes(bytes)
}
