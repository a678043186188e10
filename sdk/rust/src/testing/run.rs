//! What came of a call.

use std::sync::Arc;
use std::time::Duration;

use tonic::{Response, Status, Streaming};
use wharf_proto::v1;
use wharf_proto::v1::event::Event;

use super::contract::Contract;
use crate::serve::Registry;

/// How long a test waits for a plugin's next event.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call whose events are taken one by one. Dropping it cancels the call, as a host would.
pub struct Running {
    events: Result<Streaming<v1::Event>, Status>,
    contract: Contract,
}

impl Running {
    pub(super) fn new(
        events: Result<Response<Streaming<v1::Event>>, Status>,
        registry: Arc<Registry>,
    ) -> Self {
        let events = events.map(Response::into_inner);
        Self { events, contract: Contract::new(registry) }
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// The status that the call ended with.
    ///
    /// # Panics
    /// When the plugin stays silent for half a minute, or breaks the contract.
    #[expect(clippy::expect_used, reason = "a harness says what is wrong by failing the test")]
    pub async fn next(&mut self) -> Result<Option<Event>, Status> {
        let events = self.events.as_mut().map_err(|status| status.clone())?;
        let next = tokio::time::timeout(PATIENCE, events.message()).await;
        let next = next.expect("the plugin says something within half a minute")?;
        match next {
            None => Ok(None),
            Some(event) => {
                self.contract.check(&event);
                Ok(event.event)
            }
        }
    }

    /// Takes the rest.
    ///
    /// # Panics
    /// As [`Running::next`], and when the call ends without result or error.
    pub async fn finish(mut self) -> Run {
        let mut run = Run::default();
        loop {
            match self.next().await {
                Ok(Some(event)) => run.add(event),
                Ok(None) => break,
                Err(status) => {
                    run.status = Some(status);
                    return run;
                }
            }
        }
        self.contract.check_end();
        run
    }
}

/// Everything that a call told, sorted by kind, each kind in order.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Run {
    /// Declared units.
    pub units: Vec<v1::Unit>,
    /// Kept units.
    pub kept: Vec<v1::Keep>,
    /// Removed units.
    pub removed: Vec<v1::UnitRef>,
    /// Resolved units.
    pub resolved: Vec<v1::UnitRef>,
    /// Listed items.
    pub listed: Vec<v1::ListedItem>,
    /// Answers of `fetch`.
    pub contents: Vec<v1::content::Content>,
    /// What `fetch` said that the bytes are a revision of; empty: of the listed one.
    pub revision: String,
    /// Files of the publication.
    pub files: Vec<v1::PublishedFile>,
    /// Variants of paths.
    pub variants: Vec<v1::Variant>,
    /// Outcomes.
    pub items: Vec<v1::Item>,
    /// Warnings.
    pub warnings: Vec<v1::Warning>,
    /// Log lines.
    pub logs: Vec<v1::Log>,
    /// Progress, as far as it was not thinned out.
    pub progress: Vec<v1::Progress>,
    /// All other events.
    pub others: Vec<Event>,
    /// The good end.
    pub result: Option<v1::Result>,
    /// The bad end.
    pub error: Option<v1::Error>,
    /// The status of a call that ended without either.
    pub status: Option<Status>,
}

impl Run {
    fn add(&mut self, event: Event) {
        match event {
            Event::Units(units) => self.units.extend(units.units),
            Event::Keep(keep) => self.kept.push(keep),
            Event::Remove(units) => self.removed.extend(units.units),
            Event::Resolved(units) => self.resolved.extend(units.units),
            Event::Listed(items) => self.listed.extend(items.items),
            Event::Content(content) => {
                self.contents.extend(content.content);
                self.revision.push_str(&content.revision);
            }
            Event::Files(files) => self.files.extend(files.files),
            Event::Variants(variants) => self.variants.extend(variants.variants),
            Event::Items(items) => self.items.extend(items.items),
            Event::Warning(warning) => self.warnings.push(warning),
            Event::Log(log) => self.logs.push(log),
            Event::Progress(progress) => self.progress.push(progress),
            Event::Result(result) => self.result = Some(result),
            Event::Error(error) => self.error = Some(error),
            other => self.others.push(other),
        }
    }

    /// The keys of the declared units.
    pub fn keys(&self) -> Vec<&str> {
        self.units.iter().map(|unit| unit.key.as_str()).collect()
    }

    /// The good end.
    ///
    /// # Panics
    /// When the call ended otherwise; says how.
    #[expect(clippy::panic, reason = "a harness says what is wrong by failing the test")]
    pub fn done(&self) -> &v1::Result {
        match (&self.result, &self.error, &self.status) {
            (Some(result), _, _) => result,
            (_, Some(error), _) => panic!("the call failed: {error:?}"),
            (_, _, status) => panic!("the call ended with {status:?}"),
        }
    }

    /// The error.
    ///
    /// # Panics
    /// When the call ended otherwise; says how.
    #[expect(clippy::panic, reason = "a harness says what is wrong by failing the test")]
    pub fn failure(&self) -> &v1::Error {
        match (&self.error, &self.status) {
            (Some(error), _) => error,
            (None, Some(status)) => panic!("the call ended with {status:?}"),
            (None, None) => panic!("the call succeeded"),
        }
    }

    /// The state to keep, for the next run.
    pub fn state(&self) -> Vec<u8> {
        self.done().state.clone()
    }
}
