//! Callbacks of jobs, and the events that they are still to be told. Events come with the changes of a job that they
//! tell of (`jobs`): neither is there without the other.

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{Attempt, Callback, DueDelivery, JobId, WaitingDeliveries};

impl Meta {
    /// The callbacks of a job, with all deliveries.
    pub async fn callbacks(&self, job: JobId) -> Result<Vec<Callback>, Error> {
        self.read(move |db| sqlite::callbacks::of_job(db, job)).await
    }

    /// Deliveries that are due: at most `most`, and of each address of a job only the oldest that waits. Those of
    /// `but` are left out, and so is what goes to `full` origins. What is to wait for longer than until `latest_ms`
    /// was reckoned under a clock that was ahead, and is due (F97).
    pub async fn due_deliveries(
        &self,
        (now_ms, latest_ms): (i64, i64),
        but: Vec<i64>,
        full: Vec<String>,
        most: usize,
    ) -> Result<Vec<DueDelivery>, Error> {
        let asked =
            move |db: &_| sqlite::callbacks::due(db, (now_ms, latest_ms), (&but, &full), most);
        self.read(asked).await
    }

    /// When the first delivery is due that is not due at this time.
    pub async fn next_delivery(&self, after_ms: i64) -> Result<Option<i64>, Error> {
        self.read(move |db| sqlite::callbacks::next(db, after_ms)).await
    }

    /// What waits to be sent.
    pub async fn waiting_deliveries(&self) -> Result<WaitingDeliveries, Error> {
        self.read(sqlite::callbacks::waiting).await
    }

    /// Jobs that have yet to tell someone something that this secret signs.
    pub async fn jobs_signed_with(&self, secret: &str) -> Result<Vec<JobId>, Error> {
        let secret = secret.to_owned();
        self.read(move |db| sqlite::callbacks::signed_with(db, &secret)).await
    }

    /// Notes how an attempt of a delivery ended. One that does not wait (any more) stays as it is.
    pub async fn note_attempt(&self, delivery: i64, attempt: Attempt) -> Result<(), Error> {
        self.write(move |db| sqlite::callbacks::note(db, delivery, &attempt)).await
    }

    /// Has everything sent again now that was given up, and what waits at once. Answers how many events there are to
    /// send.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the job has no such callback.
    pub async fn redeliver(&self, job: JobId, n: u32, now_ms: i64) -> Result<u64, Error> {
        self.write(move |db| sqlite::callbacks::redeliver(db, (job, n), now_ms)).await
    }
}
