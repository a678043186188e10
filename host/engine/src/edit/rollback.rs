//! Goes back: a new version that holds what an earlier one held. Numbers only grow, so nobody mistakes the one for the
//! other, and what came in between can be had again the same way.

use serde::{Deserialize, Serialize};

use super::{Edit, commit, repository};
use crate::engine::{Engine, Inner};
use crate::jobs::run::JobRun;
use crate::jobs::view::{JobResult, JobView};
use crate::problem::Problem;
use crate::units::Selection;

/// Where to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackOptions {
    /// The version whose units are wanted.
    pub to: u64,
}

impl Engine {
    /// Asks for a new version with what an earlier one held.
    pub async fn roll_back(
        &self,
        name: &str,
        options: RollbackOptions,
    ) -> Result<JobView, Problem> {
        let repository = self.inner.repository(name).await?;
        self.inner.version(&repository, options.to).await?;
        let arguments = serde_json::to_string(&options)?;
        self.inner.submit_on("rollback", Some(repository.id), arguments).await
    }
}

/// Runs the rollback that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let options: RollbackOptions = serde_json::from_str(&run.job.arguments)?;
    let repository = repository(engine, run).await?;
    engine.version(&repository, options.to).await?;
    let present = engine.selected((repository.id, options.to), &Selection::default()).await?;
    commit(engine, run, &repository, Edit { mirror: true, present, ..Edit::default() }).await
}
