//! What runs did, looked at afterwards, and how long that is kept.

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{Job, JobFilter, JobId, RepositoryId, Since};

impl Meta {
    /// What became of a repository after one of its versions.
    pub async fn since(&self, repository: RepositoryId, version: u64) -> Result<Since, Error> {
        self.read(move |db| sqlite::history::since(db, repository, version)).await
    }

    /// How many units of a version took the place of one of the version before it.
    pub async fn updated_in(&self, repository: RepositoryId, version: u64) -> Result<u64, Error> {
        self.read(move |db| sqlite::history::updated_in(db, repository, version)).await
    }

    /// How many units of each type the newest version holds, by the types' names.
    pub async fn units_by_type(
        &self,
        repository: RepositoryId,
    ) -> Result<Vec<(String, u64)>, Error> {
        self.read(move |db| sqlite::history::units_by_type(db, repository)).await
    }

    /// The job of a repository that ended last, of one operation. A dry run did nothing, so it is never the one.
    pub async fn last_job(
        &self,
        repository: RepositoryId,
        operation: &str,
    ) -> Result<Option<Job>, Error> {
        let ended = JobFilter {
            of: Some(repository),
            operation: Some(operation.to_owned()),
            ended: true,
            in_earnest: true,
            limit: 1,
            ..JobFilter::default()
        };
        Ok(self.jobs(ended).await?.pop())
    }

    /// Forgets jobs that ended before this time, the oldest first, at most `most`. Answers them, so that their logs
    /// can go too.
    pub async fn reap_jobs(&self, before_ms: i64, most: usize) -> Result<Vec<JobId>, Error> {
        self.write(move |db| sqlite::history::reap_jobs(db, before_ms, most)).await
    }
}
