//! What every call can tell: log lines, progress, warnings, outcomes, products.

use std::collections::HashMap;

use serde::Serialize;
use wharf_proto::v1;
use wharf_proto::v1::event::Event;
use wharf_proto::v1::output;

use super::Context;
use super::batch::Entry;
use crate::Error;
use crate::model::{Job, to_object};

/// How far the plugin is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    wire: v1::Progress,
}

impl Progress {
    /// So many are done, of so many; a total of 0 means that it is not known.
    pub fn new(done: u64, total: u64) -> Self {
        Self { wire: v1::Progress { done, total, ..v1::Progress::default() } }
    }

    /// What is counted: `files`, `bytes`.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.wire.unit);
        self
    }

    /// A word for what goes on: `reading index`.
    #[must_use]
    pub fn phase(mut self, phase: &str) -> Self {
        phase.clone_into(&mut self.wire.phase);
        self
    }

    /// What is being worked on right now: a file's name.
    #[must_use]
    pub fn activity(mut self, activity: &str) -> Self {
        activity.clone_into(&mut self.wire.activity);
        self
    }

    /// A second level below the first.
    #[must_use]
    pub fn sub(mut self, done: u64, total: u64) -> Self {
        (self.wire.sub_done, self.wire.sub_total) = (done, total);
        self
    }
}

/// What became of an item that the plugin decided on itself. Outcomes of declared units are the host's to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is new.
    Added,
    /// It is another one than before.
    Changed,
    /// It is as before.
    Unchanged,
    /// It is gone.
    Removed,
    /// It was left out on purpose. [`Context::skipped`] says it with the reason.
    Skipped,
    /// It failed. Of items [`Context::failed`] says it, with the reason.
    Failed,
}

impl Outcome {
    pub(crate) fn read(wire: v1::Outcome) -> Option<Self> {
        Some(match wire {
            v1::Outcome::Unspecified => return None,
            v1::Outcome::Added => Self::Added,
            v1::Outcome::Changed => Self::Changed,
            v1::Outcome::Unchanged => Self::Unchanged,
            v1::Outcome::Removed => Self::Removed,
            v1::Outcome::Skipped => Self::Skipped,
            v1::Outcome::Failed => Self::Failed,
        })
    }
}

impl From<Outcome> for v1::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Added => Self::Added,
            Outcome::Changed => Self::Changed,
            Outcome::Unchanged => Self::Unchanged,
            Outcome::Removed => Self::Removed,
            Outcome::Skipped => Self::Skipped,
            Outcome::Failed => Self::Failed,
        }
    }
}

impl Context {
    /// A line of the job's log.
    pub async fn log(&self, level: tracing::Level, text: impl Into<String>) {
        self.log_with(level, text, HashMap::new()).await;
    }

    /// A line of the job's log with fields. A line that cannot be sent any more is dropped: whatever ended the
    /// call shows at the next thing that counts.
    pub async fn log_with(
        &self,
        level: tracing::Level,
        text: impl Into<String>,
        fields: HashMap<String, String>,
    ) {
        let level = match level {
            tracing::Level::TRACE => v1::LogLevel::Trace,
            tracing::Level::DEBUG => v1::LogLevel::Debug,
            tracing::Level::INFO => v1::LogLevel::Info,
            tracing::Level::WARN => v1::LogLevel::Warn,
            tracing::Level::ERROR => v1::LogLevel::Error,
        };
        let log = v1::Log { level: level.into(), text: text.into(), fields };
        drop(self.send(Event::Log(log)).await);
    }

    /// How far the call is. May be called as often as one likes: it is thinned out here.
    pub async fn progress(&self, progress: Progress) {
        let due = self.batches().progress(progress.wire);
        if let Some(event) = due {
            drop(self.send(event).await);
        }
    }

    /// Something that the user should know; nothing was lost. Code: stable, dotted. Item: what it is about, or
    /// an empty text.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn warn(&self, code: &str, text: impl Into<String>, item: &str) -> Result<(), Error> {
        let (code, item) = (code.to_owned(), item.to_owned());
        self.send(Event::Warning(v1::Warning { code, text: text.into(), item })).await
    }

    /// What became of an item.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn item(&self, key: impl Into<String>, outcome: Outcome) -> Result<(), Error> {
        let outcome = v1::Outcome::from(outcome);
        self.push_item(v1::Item { key: key.into(), outcome: outcome.into(), error: None }).await
    }

    /// An item was left out on purpose; the run goes on, and ends as partial. Code and text are those of a warning:
    /// [`Context::warn`].
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn skipped(
        &self,
        key: impl Into<String>,
        code: &str,
        why: impl Into<String>,
    ) -> Result<(), Error> {
        let key = key.into();
        self.warn(code, why, &key).await?;
        self.item(key, Outcome::Skipped).await
    }

    /// An item failed; the run goes on, and ends as partial.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn failed(&self, key: impl Into<String>, error: Error) -> Result<(), Error> {
        let key = key.into();
        let error = Some(error.for_item(key.clone()).into());
        self.push_item(v1::Item { key, outcome: v1::Outcome::Failed.into(), error }).await
    }

    async fn push_item(&self, item: v1::Item) -> Result<(), Error> {
        let error =
            item.error.as_ref().map_or(0, |e| e.message.len() + e.item.len() + e.details.len());
        let size = item.key.len() + error + 256;
        self.add(Entry::Item(item), size).await
    }

    /// Kept as the new version's `info`: a struct or map.
    ///
    /// # Errors
    /// [`Error::cancelled`]; a fault when the value is not a JSON object.
    pub async fn metadata<T: Serialize + ?Sized>(&self, info: &T) -> Result<(), Error> {
        let info = to_object("the version's metadata", info)?;
        self.send(Event::Metadata(info)).await
    }

    /// A product that is not a unit, staged in the work folder.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn output(&self, name: &str, media_type: &str, staged: &str) -> Result<(), Error> {
        let (name, media_type) = (name.to_owned(), media_type.to_owned());
        let bytes = Some(output::Bytes::Staged(staged.to_owned()));
        self.send(Event::Output(v1::Output { name, media_type, bytes })).await
    }

    /// An address for the user to go on at.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn link(&self, label: &str, url: &str) -> Result<(), Error> {
        let (label, url) = (label.to_owned(), url.to_owned());
        self.send(Event::Link(v1::WebLink { label, url })).await
    }

    /// Another job that the plugin asks for.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn job(&self, job: Job) -> Result<(), Error> {
        self.send(Event::Job(job.wire)).await
    }

    /// Where a retry of this job may go on from. Everything told before it arrives before it.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn checkpoint(&self, data: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.flush().await?;
        self.send(Event::Checkpoint(v1::Checkpoint { data: data.into() })).await
    }
}
