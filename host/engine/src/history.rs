//! What runs did, for those who look back: the history of a repository, its page, and how long that is kept.
//!
//! A finished job is the record; there is no second one. Its counts were made by the host when a version was committed,
//! its times are the host's, nothing in it is a plugin's word but the summary, which says so.

use std::sync::Arc;
use std::time::Duration;

use wharf_store::model::{JobFilter, JobId, Schedule};

use crate::engine::{Engine, Inner};
use crate::jobs::stored_view;
use crate::jobs::view::JobView;
use crate::problem::Problem;
use crate::repositories::RepositoryView;

/// How often old jobs are looked for.
const DAILY: Duration = Duration::from_hours(24);
/// Jobs that are forgotten in one step, so that nobody waits long for the database.
const STEP: usize = 500;

/// Which runs are wanted. The newest come first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// sync, publish, ...; None: all.
    pub operation: Option<String>,
    /// Ended at this time or later: milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Ended before this time: milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// Older than this job.
    pub before: Option<i64>,
    /// At most so many; 0: 100.
    pub limit: usize,
}

/// A repository with what its page tells beyond the list.
#[derive(Debug, Clone)]
pub struct RepositoryPage {
    /// As in the list.
    pub repository: RepositoryView,
    /// Units of each type in the newest version.
    pub units_by_type: Vec<(String, u64)>,
    /// The sync that ended last, however it ended.
    pub last_sync: Option<JobView>,
    /// The publish that ended last, however it ended.
    pub last_publish: Option<JobView>,
    /// What is to run by itself.
    pub schedules: Vec<Schedule>,
}

impl Engine {
    /// What ended in a repository, the newest first.
    pub async fn history(
        &self,
        name: &str,
        filter: HistoryFilter,
    ) -> Result<Vec<JobView>, Problem> {
        let repository = self.inner.repository(name).await?;
        let HistoryFilter { operation, since_ms, until_ms, before, limit } = filter;
        let filter = JobFilter {
            of: Some(repository.id),
            ended: true,
            operation,
            since_ms,
            until_ms,
            before: before.map(JobId),
            limit,
            ..JobFilter::default()
        };
        let jobs = self.inner.store.meta.jobs(filter).await?;
        Ok(jobs.iter().map(stored_view).collect())
    }

    /// Everything about one repository.
    pub async fn repository_page(&self, name: &str) -> Result<RepositoryPage, Problem> {
        let repository = self.repository(name).await?;
        let (meta, id) = (&self.inner.store.meta, repository.repository.id);
        let schedules = meta.schedules().await?;
        Ok(RepositoryPage {
            units_by_type: meta.units_by_type(id).await?,
            last_sync: meta.last_job(id, "sync").await?.as_ref().map(stored_view),
            last_publish: meta.last_job(id, "publish").await?.as_ref().map(stored_view),
            schedules: schedules.into_iter().filter(|one| one.repository == id).collect(),
            repository,
        })
    }
}

/// Forgets old jobs, at the start and every day, until the engine stops.
pub(crate) async fn keep(engine: Arc<Inner>) {
    let Some(age) = engine.config.history else { return };
    loop {
        if let Err(problem) = reap(&engine, age).await {
            tracing::warn!(%problem, "old jobs are kept until the next try");
        }
        tokio::select! {
            () = engine.stop.cancelled() => return,
            () = tokio::time::sleep(DAILY) => {}
        }
    }
}

pub(crate) async fn reap(engine: &Inner, age: Duration) -> Result<(), Problem> {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let before_ms = engine.config.clock.now().as_millisecond().saturating_sub(age);
    while !engine.stop.is_cancelled() {
        let gone = engine.store.meta.reap_jobs(before_ms, STEP).await?;
        if gone.is_empty() {
            break;
        }
        tracing::info!(jobs = gone.len(), "old jobs are forgotten");
        engine.store.logs.remove(gone).await?;
    }
    Ok(())
}
