//! Takes units out of a repository: a new version that lacks them.

use serde::{Deserialize, Serialize};

use super::{Edit, commit, repository};
use crate::engine::{Engine, Inner};
use crate::jobs::run::JobRun;
use crate::jobs::view::{JobResult, JobView};
use crate::problem::Problem;
use crate::units::Selection;

/// What is to be taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoveOptions {
    /// Which units of the newest version.
    pub select: Selection,
    /// Count only; store nothing.
    pub dry_run: bool,
}

impl Engine {
    /// Asks for units to be taken out of a repository.
    ///
    /// # Errors
    /// `usage.selection` when it would be everything because nothing was said.
    pub async fn remove_units(
        &self,
        name: &str,
        options: RemoveOptions,
    ) -> Result<JobView, Problem> {
        let repository = self.inner.repository(name).await?;
        if options.select == Selection::default() {
            let message = "nothing says which units are to be removed";
            return Err(Problem::usage("usage.selection", message)
                .help("name units by their numbers, or by a type or a field"));
        }
        let arguments = serde_json::to_string(&options)?;
        self.inner.submit_on("remove", Some(repository.id), arguments).await
    }
}

/// Runs the removal that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let options: RemoveOptions = serde_json::from_str(&run.job.arguments)?;
    let repository = repository(engine, run).await?;
    let base = repository.current_version;
    let removed = engine.selected((repository.id, base), &options.select).await?;
    if options.dry_run {
        let gone = removed.len() as u64;
        let unchanged = repository.units.saturating_sub(gone);
        let version = Some(base);
        return Ok(JobResult { removed: gone, unchanged, version, dry_run: true, ..run.result() });
    }
    commit(engine, run, &repository, Edit { removed, ..Edit::default() }).await
}
