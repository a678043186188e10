//! What a call can have others do, hold, and give to others.

use serde::Serialize;

use super::Ask;
use crate::Error;
use crate::host::{Claim, Grant, JobEnd, WatchedItems};
use crate::model::{Contribution, Job, to_object};

impl Ask {
    /// Starts another job; answers its number.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn spawn_job(&self, job: Job) -> Result<u64, Error> {
        self.or_cancelled(self.host().spawn_job(job)).await
    }

    /// Waits for the end of a job.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`]. How the job failed is in the answer.
    pub async fn wait_job(&self, number: u64) -> Result<JobEnd, Error> {
        self.or_cancelled(self.host().wait_job(number)).await
    }

    /// Takes a lock, a place in a queue or space, and holds it as long as the answer lives.
    ///
    /// # Errors
    /// What the host says, for example that somebody else holds it; [`Error::cancelled`].
    pub async fn acquire(&self, claim: Claim) -> Result<Grant, Error> {
        self.or_cancelled(self.host().acquire(claim, self.tasks())).await
    }

    /// Gives content to a later step of a build, which the component `PLUGIN.COMPONENT` makes.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn contribute(&self, to: &str, contribution: Contribution) -> Result<(), Error> {
        self.or_cancelled(self.host().contribute(to, contribution)).await
    }

    /// An event that rules can see. Payload: a struct or map.
    ///
    /// # Errors
    /// A fault when the payload is not a JSON object. What the host says; [`Error::cancelled`].
    pub async fn emit<T: Serialize + ?Sized>(&self, name: &str, payload: &T) -> Result<(), Error> {
        let payload = to_object("the event's payload", payload)?;
        self.or_cancelled(self.host().emit(name, payload)).await
    }

    /// What became of the declared items, as it becomes known.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn watch_items(&self) -> Result<WatchedItems, Error> {
        self.or_cancelled(self.host().watch_items()).await
    }
}
