//! `/api/v1/repositories/NAME/history` and the page of one repository: what runs did, looked at afterwards.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use wharf_engine::HistoryFilter;

use super::Answer;
use super::request::{Place, Query, within};
use super::status::NoOptions;
use super::types::{Job, JobState, Repository, RepositoryPage, Run, Schedule};
use crate::app::App;

/// Runs in one answer, unless asked otherwise.
const RUNS: usize = 100;
/// Runs in one answer, at most.
const MOST_RUNS: usize = 1000;

/// Which runs: of one operation, ended from `since_ms` on and before `until_ms`, older than job `before`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Options {
    /// Only runs of this operation.
    operation: Option<String>,
    /// Only those that ended from then on.
    since_ms: Option<i64>,
    /// Only those that ended before then.
    until_ms: Option<i64>,
    /// Only those of jobs older than this one.
    before: Option<i64>,
    /// At most so many; none: 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// The runs on a repository that ended, the last first.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/history",
    operation_id = "listRuns",
    tag = "repositories",
    params(Options),
    responses((status = 200, body = Vec<Run>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(options): Query<Options>,
) -> Answer<Json<Vec<Run>>> {
    let Options { operation, since_ms, until_ms, before, limit } = options;
    let limit = within("limit", limit.unwrap_or(RUNS), MOST_RUNS)?;
    let filter = HistoryFilter { operation, since_ms, until_ms, before, limit };
    let jobs = app.engine.history(&name, filter).await?;
    Ok(Json(jobs.into_iter().map(|view| Run::from(Job::from(view))).collect()))
}

/// One repository, with its last runs and its schedules.
#[utoipa::path(
    get,
    path = "/repositories/{repository}",
    operation_id = "showRepository",
    tag = "repositories",
    responses((status = 200, body = RepositoryPage))
)]
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<RepositoryPage>> {
    let page = app.engine.repository_page(&name).await?;
    let run = |view| Run::from(Job::from(view));
    Ok(Json(RepositoryPage {
        repository: Repository::from(page.repository),
        units_by_type: page.units_by_type.into_iter().collect(),
        last_sync: page.last_sync.map(run),
        last_publish: page.last_publish.map(run),
        schedules: page.schedules.into_iter().map(Schedule::from).collect(),
    }))
}

impl From<Job> for Run {
    fn from(job: Job) -> Self {
        let result = job.result.unwrap_or_default();
        let outcome = match &result.skipped_because {
            Some(_why) => JobState::Skipped.as_str(),
            None => job.state.as_str(),
        };
        Self {
            job: job.id,
            operation: job.operation,
            component: job.component,
            asked_by: job.asked_by,
            started_ms: job.started_ms,
            finished_ms: job.finished_ms,
            outcome: outcome.to_owned(),
            version: result.version,
            dry_run: result.dry_run,
            added: result.added.saturating_sub(result.updated),
            updated: result.updated,
            removed: result.removed.saturating_sub(result.updated),
            failed: result.failed,
            skipped_because: result.skipped_because,
            warnings: result.warnings,
            summary: result.summary,
            problem: job.problem,
        }
    }
}
