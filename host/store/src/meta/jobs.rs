//! Jobs, their leases and their ends.

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{Asker, Job, JobEnd, JobFilter, JobId, Lease, NewJob};

impl Meta {
    /// Stores a job that waits for its turn.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when its repository or attachment is gone.
    pub async fn submit_job(&self, job: NewJob) -> Result<Job, Error> {
        self.submit_job_for(job, Asker::User).await
    }

    /// The same, for a job that no user asked for.
    ///
    /// # Errors
    ///
    /// As [`Meta::submit_job`].
    pub async fn submit_job_for(&self, job: NewJob, asked_by: Asker) -> Result<Job, Error> {
        self.write(move |db| sqlite::jobs::submit(db, &job, asked_by)).await
    }

    /// Stores a job that a component, or a plugin as a whole, does without being attached to anything.
    ///
    /// # Errors
    ///
    /// As [`Meta::submit_job`].
    pub async fn submit_unattached_job(&self, job: NewJob, component: &str) -> Result<Job, Error> {
        let component = component.to_owned();
        self.write(move |db| sqlite::jobs::submit_unattached(db, &job, &component)).await
    }

    /// Starts an attempt of a queued job: it runs, under a new lease. (Not brought to the disk: after a power cut the
    /// job is queued.)
    ///
    /// # Errors
    ///
    /// [`Error::JobState`] when the job is not queued.
    pub async fn claim(&self, job: JobId) -> Result<(Job, Lease), Error> {
        self.stage(move |db| sqlite::jobs::claim(db, job)).await
    }

    /// Ends an attempt and puts the job back into the queue. What it was publishing is dropped.
    pub async fn requeue(&self, lease: Lease) -> Result<(), Error> {
        self.write(move |db| sqlite::jobs::requeue(db, lease)).await
    }

    /// Ends a job. What it was still publishing is dropped.
    pub async fn finish(&self, lease: Lease, end: JobEnd) -> Result<Job, Error> {
        self.write(move |db| sqlite::jobs::finish(db, lease, &end)).await
    }

    /// Cancels a job that has not started. None: it is not queued (any more).
    pub async fn cancel_queued(&self, job: JobId) -> Result<Option<Job>, Error> {
        self.write(move |db| sqlite::jobs::cancel_queued(db, job)).await
    }

    /// The job with this number.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, Error> {
        self.read(move |db| sqlite::jobs::by_id(db, id)).await
    }

    /// Jobs, the newest first.
    pub async fn jobs(&self, filter: JobFilter) -> Result<Vec<Job>, Error> {
        self.read(move |db| sqlite::jobs::filtered(db, &filter)).await
    }

    /// Jobs that wait for their turn, the oldest first.
    pub async fn queued(&self) -> Result<Vec<Job>, Error> {
        self.read(sqlite::jobs::queued).await
    }

    /// Notes where a job is, for its next attempt.
    pub async fn save_checkpoint(&self, lease: Lease, checkpoint: Vec<u8>) -> Result<(), Error> {
        self.write(move |db| sqlite::jobs::save_checkpoint(db, lease, &checkpoint)).await
    }

    /// Settles what the last host left unfinished, and answers the jobs that it touched. To be called once, before any
    /// job is claimed; being cut off in it and calling it again does no harm (F165).
    ///
    /// Publications in the making and staged changes are dropped. A sync, publish, upload or migration that ran for the
    /// first time is queued again; any other job that ran has failed, with a problem of code "interrupted".
    pub async fn recover(&self) -> Result<Vec<Job>, Error> {
        if !self.read(sqlite::recover::is_needed).await? {
            return Ok(Vec::new());
        }
        self.write(sqlite::recover::recover).await
    }
}
