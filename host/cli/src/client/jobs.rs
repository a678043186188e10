//! Following jobs by long polls.

use std::time::Duration;

use super::Client;
use crate::api::{Job, LogPage};
use crate::error::Error;
use crate::interrupts::Guard;

/// How long one poll may wait; the server allows 30 s.
const POLL_MS: u64 = 25_000;

/// Before asking again when there was nothing new.
const PAUSE: Duration = Duration::from_millis(50);

impl Client {
    /// Follows a job to its end and shows every change to `seen`. The first signal under `guard`
    /// cancels the job; its end is still waited for. Without one, signals are somebody else's
    /// business.
    pub(crate) async fn follow(
        &self,
        mut job: Job,
        guard: Option<&Guard<'_>>,
        mut seen: impl FnMut(&Job, Following),
    ) -> Result<Job, Error> {
        let mut cancelled = false;
        seen(&job, Following::Goes);
        while !job.state.is_final() {
            let path = format!("jobs/{}?wait_ms={POLL_MS}&since={}", job.id, job.revision);
            let next = tokio::select! {
                next = self.get::<Job>(&path) => next?,
                () = first(guard), if !cancelled => {
                    cancelled = true;
                    seen(&job, Following::Cancels);
                    self.cancel(job.id).await?
                }
            };
            // A server that is leaving answers at once with nothing new.
            if next.revision == job.revision && !next.state.is_final() {
                tokio::time::sleep(PAUSE).await;
            }
            job = next;
            seen(&job, Following::Goes);
        }
        Ok(job)
    }

    /// Asks for the end of a job. One that has ended meanwhile is no error.
    pub(crate) async fn cancel(&self, id: i64) -> Result<Job, Error> {
        match self.post(&format!("jobs/{id}/cancel"), &()).await {
            Err(Error::Problem(problem)) if problem.code.starts_with("conflict") => {
                self.get(&format!("jobs/{id}")).await
            }
            other => other,
        }
    }

    /// One page of a job's log, from line `from` on. With `wait` an empty page is waited with
    /// until there are lines or the job has ended.
    pub(crate) async fn logs(&self, id: i64, from: u64, wait: bool) -> Result<LogPage, Error> {
        let wait_ms = if wait { POLL_MS } else { 0 };
        self.get(&format!("jobs/{id}/logs?from={from}&limit=1000&wait_ms={wait_ms}")).await
    }
}

async fn first(guard: Option<&Guard<'_>>) {
    match guard {
        Some(guard) => guard.first().await,
        None => std::future::pending().await,
    }
}

/// What an observer is told beside the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Following {
    /// The job changed.
    Goes,
    /// The job is being cancelled, because the user asked for it.
    Cancels,
}
