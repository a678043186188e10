//! Other jobs, what a job gives to others, and what became of what it declared.

use std::vec::IntoIter;

use serde::de::DeserializeOwned;
use tonic::Streaming;
use wharf_proto::v1;

use super::Host;
use crate::model::{Contribution, Job, from_object};
use crate::{Error, Outcome};

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JobEnd {
    /// succeeded, partial, failed, cancelled.
    pub state: String,
    /// JSON object, as text: what it left for dependent jobs. Empty if it ended badly.
    pub outputs_text: String,
    /// Why it failed.
    pub error: Option<Error>,
}

impl JobEnd {
    /// Reads what the job left into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn outputs<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the job's outputs", &self.outputs_text)
    }
}

/// What became of a declared item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WatchedItem {
    /// The item's key.
    pub key: String,
    /// What became of it; `None` when the host says nothing that this SDK knows.
    pub outcome: Option<Outcome>,
    /// Why it failed.
    pub error: Option<Error>,
}

impl From<v1::Item> for WatchedItem {
    fn from(wire: v1::Item) -> Self {
        let outcome = Outcome::read(wire.outcome());
        Self { key: wire.key, outcome, error: wire.error.map(Error::from) }
    }
}

/// What became of the declared items, as it becomes known.
pub struct WatchedItems {
    answers: Streaming<v1::Items>,
    current: IntoIter<v1::Item>,
}

impl WatchedItems {
    /// The next item; `None` when the host knows of no more.
    ///
    /// # Errors
    /// When the call to the host fails.
    pub async fn next(&mut self) -> Result<Option<WatchedItem>, Error> {
        loop {
            if let Some(item) = self.current.next() {
                return Ok(Some(item.into()));
            }
            let answer = self.answers.message().await;
            match answer.map_err(|status| Error::from_status("WatchItems", &status))? {
                None => return Ok(None),
                Some(answer) => self.current = answer.items.into_iter(),
            }
        }
    }
}

impl Host {
    pub(crate) async fn spawn_job(&self, job: Job) -> Result<u64, Error> {
        let answer = self.client()?.spawn_job(v1::SpawnJobRequest { job: Some(job.wire) }).await;
        let answer = answer.map_err(|status| Error::from_status("SpawnJob", &status))?;
        Ok(answer.into_inner().job)
    }

    pub(crate) async fn wait_job(&self, job: u64) -> Result<JobEnd, Error> {
        let answer = self.client()?.wait_job(v1::WaitJobRequest { job }).await;
        let answer = answer.map_err(|status| Error::from_status("WaitJob", &status))?;
        let v1::WaitJobResponse { state, result, error } = answer.into_inner();
        let outputs_text = result.map(|result| result.outputs).unwrap_or_default();
        Ok(JobEnd { state, outputs_text, error: error.map(Error::from) })
    }

    pub(crate) async fn contribute(&self, to: &str, given: Contribution) -> Result<(), Error> {
        let contribution = Some(given.into());
        let request = v1::ContributeRequest { to: to.to_owned(), contribution };
        let answer = self.client()?.contribute(request).await;
        answer.map_err(|status| Error::from_status("Contribute", &status))?;
        Ok(())
    }

    pub(crate) async fn emit(&self, name: &str, payload: String) -> Result<(), Error> {
        let answer = self.client()?.emit(v1::EmitRequest { name: name.to_owned(), payload }).await;
        answer.map_err(|status| Error::from_status("Emit", &status))?;
        Ok(())
    }

    pub(crate) async fn watch_items(&self) -> Result<WatchedItems, Error> {
        let answers = self.client()?.watch_items(()).await;
        let answers = answers.map_err(|status| Error::from_status("WatchItems", &status))?;
        Ok(WatchedItems { answers: answers.into_inner(), current: Vec::new().into_iter() })
    }
}
