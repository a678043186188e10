//! Gathering entries into messages: at most 1,000 entries and 1 MiB each, and none waits longer than a second
//! while others come.

use std::time::Duration;

use tokio::time::Instant;
use wharf_proto::v1;
use wharf_proto::v1::event::Event;
use wharf_proto::{MAX_BATCH, MAX_MESSAGE_BYTES};

use crate::Error;

/// What a batch may hold; the rest of the message is for the envelope.
const LIMIT: usize = MAX_MESSAGE_BYTES - 1_024;
/// How long a first entry waits for company, as long as more entries come.
const PATIENCE: Duration = Duration::from_secs(1);
/// Progress closer together than this is dropped, but for the last.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Entries of one kind.
pub(crate) struct Batch<T> {
    entries: Vec<T>,
    bytes: usize,
    since: Option<Instant>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), bytes: 0, since: None }
    }
}

impl<T> Batch<T> {
    /// Adds an entry and gives the batch that must be sent now, if any.
    fn push(&mut self, entry: T, bytes: usize) -> Option<Vec<T>> {
        let overflow = if self.bytes + bytes > LIMIT { self.take() } else { None };
        let since = *self.since.get_or_insert_with(Instant::now);
        self.entries.push(entry);
        self.bytes += bytes;
        if overflow.is_some() {
            return overflow;
        }
        let due = self.entries.len() >= MAX_BATCH || since.elapsed() >= PATIENCE;
        if due { self.take() } else { None }
    }

    fn take(&mut self) -> Option<Vec<T>> {
        self.bytes = 0;
        self.since = None;
        if self.entries.is_empty() {
            return None;
        }
        let next = Vec::with_capacity(self.entries.len());
        Some(std::mem::replace(&mut self.entries, next))
    }
}

/// All batches of a call.
#[derive(Default)]
pub(crate) struct Batches {
    units: Batch<v1::Unit>,
    removed: Batch<v1::UnitRef>,
    resolved: Batch<v1::UnitRef>,
    listed: Batch<v1::ListedItem>,
    files: Batch<v1::PublishedFile>,
    aliases: Batch<v1::Alias>,
    variants: Batch<v1::Variant>,
    items: Batch<v1::Item>,
    progress: Option<v1::Progress>,
    progress_sent: Option<Instant>,
    closed: bool,
}

/// One entry of any kind that is sent in batches.
pub(crate) enum Entry {
    Unit(v1::Unit),
    Removed(v1::UnitRef),
    Resolved(v1::UnitRef),
    Listed(v1::ListedItem),
    File(v1::PublishedFile),
    Alias(v1::Alias),
    Variant(v1::Variant),
    Item(v1::Item),
}

impl Batches {
    /// Adds an entry and gives the event that must be sent now, if any.
    pub(crate) fn push(&mut self, entry: Entry, bytes: usize) -> Result<Option<Event>, Error> {
        if self.closed {
            return Err(Error::cancelled());
        }
        if bytes > LIMIT {
            let message = format!("one entry takes about {bytes} bytes; a message holds {LIMIT}");
            return Err(Error::fault("limit.message", message));
        }
        Ok(match entry {
            Entry::Unit(unit) => self.units.push(unit, bytes).map(units),
            Entry::Removed(unit) => self.removed.push(unit, bytes).map(removed),
            Entry::Resolved(unit) => self.resolved.push(unit, bytes).map(resolved),
            Entry::Listed(item) => self.listed.push(item, bytes).map(listed),
            Entry::File(file) => self.files.push(file, bytes).map(files),
            Entry::Alias(alias) => self.aliases.push(alias, bytes).map(aliases),
            Entry::Variant(variant) => self.variants.push(variant, bytes).map(variants),
            Entry::Item(item) => self.items.push(item, bytes).map(items),
        })
    }

    /// Takes progress, and gives it back when it is due.
    pub(crate) fn progress(&mut self, progress: v1::Progress) -> Option<Event> {
        let recent = self.progress_sent.is_some_and(|sent| sent.elapsed() < PROGRESS_EVERY);
        if recent || self.closed {
            self.progress = Some(progress);
            return None;
        }
        self.progress = None;
        self.progress_sent = Some(Instant::now());
        Some(Event::Progress(progress))
    }

    pub(crate) fn take_all(&mut self) -> Vec<Event> {
        let waiting = [
            self.units.take().map(units),
            self.removed.take().map(removed),
            self.resolved.take().map(resolved),
            self.listed.take().map(listed),
            self.files.take().map(files),
            self.aliases.take().map(aliases),
            self.variants.take().map(variants),
            self.items.take().map(items),
            self.progress.take().map(Event::Progress),
        ];
        waiting.into_iter().flatten().collect()
    }

    /// Takes everything, and nothing from now on.
    pub(crate) fn close(&mut self) -> Vec<Event> {
        self.closed = true;
        self.take_all()
    }
}

fn units(units: Vec<v1::Unit>) -> Event {
    Event::Units(v1::Units { units })
}

fn removed(units: Vec<v1::UnitRef>) -> Event {
    Event::Remove(v1::UnitRefs { units })
}

fn resolved(units: Vec<v1::UnitRef>) -> Event {
    Event::Resolved(v1::UnitRefs { units })
}

fn listed(items: Vec<v1::ListedItem>) -> Event {
    Event::Listed(v1::ListedItems { items, cursor: String::new() })
}

fn files(files: Vec<v1::PublishedFile>) -> Event {
    Event::Files(v1::PublishedFiles { files })
}

fn aliases(aliases: Vec<v1::Alias>) -> Event {
    Event::Aliases(v1::Aliases { aliases })
}

fn variants(variants: Vec<v1::Variant>) -> Event {
    Event::Variants(v1::Variants { variants })
}

fn items(items: Vec<v1::Item>) -> Event {
    Event::Items(v1::Items { items })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_due_with_its_thousandth_entry() {
        let mut batch = Batch::default();
        for n in 1..MAX_BATCH {
            assert!(batch.push(n, 10).is_none(), "due at {n}");
        }
        assert_eq!(batch.push(0, 10).map(|full| full.len()), Some(MAX_BATCH));
        assert!(batch.take().is_none());
    }

    #[test]
    fn a_batch_is_due_before_it_outgrows_a_message() {
        let mut batch = Batch::default();
        assert!(batch.push(1, LIMIT).is_none());
        assert_eq!(batch.push(2, LIMIT), Some(vec![1]));
        assert_eq!(batch.take(), Some(vec![2]));
    }

    #[test]
    fn an_entry_larger_than_a_message_is_refused() {
        let mut batches = Batches::default();
        let refused = batches.push(Entry::Unit(v1::Unit::default()), LIMIT + 1);
        assert_eq!(
            refused.map_err(|error| error.code().to_owned()),
            Err("limit.message".to_owned())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_batch_is_due_with_the_next_entry() {
        let mut batch = Batch::default();
        assert!(batch.push(1, 1).is_none());
        tokio::time::advance(PATIENCE).await;
        assert_eq!(batch.push(2, 1), Some(vec![1, 2]));
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_thinned_but_the_last_one_arrives() {
        let mut batches = Batches::default();
        let at = |done| v1::Progress { done, ..v1::Progress::default() };
        assert_eq!(batches.progress(at(1)), Some(Event::Progress(at(1))));
        assert_eq!(batches.progress(at(2)), None);
        assert_eq!(batches.progress(at(3)), None);
        assert_eq!(batches.close(), vec![Event::Progress(at(3))]);
    }
}
