//! What importers and builders tell: units, listings, bytes.

use bytes::Bytes;
use wharf_proto::v1;
use wharf_proto::v1::event::Event;

use super::Context;
use super::batch::Entry;
use crate::Error;
use crate::model::{Keep, ListedItem, Unit, UnitRef};

/// The most bytes of one chunk.
const CHUNK: usize = 512 << 10;

impl Context {
    /// The new version contains this unit. The host compares, fetches what is missing and counts.
    ///
    /// # Errors
    /// [`Error::cancelled`]; a fault when the unit alone is larger than a message.
    pub async fn unit(&self, unit: Unit) -> Result<(), Error> {
        let size = unit.wire_size();
        self.add(Entry::Unit(unit.wire), size).await
    }

    /// Units of the base version that the new version contains too, without sending them again.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn keep(&self, keep: Keep) -> Result<(), Error> {
        self.send(Event::Keep(keep.wire)).await
    }

    /// A unit that the new version does not contain. Additive mode only.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn remove(&self, unit: UnitRef) -> Result<(), Error> {
        let size = unit.wire_size();
        self.add(Entry::Removed(unit.wire), size).await
    }

    /// An item of a listing.
    ///
    /// # Errors
    /// [`Error::cancelled`]; a fault when the item alone is larger than a message.
    pub async fn listed(&self, item: ListedItem) -> Result<(), Error> {
        let size = item.wire_size();
        self.add(Entry::Listed(item.wire), size).await
    }

    /// A later listing with this cursor continues behind the items sent so far.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn cursor(&self, cursor: impl Into<String>) -> Result<(), Error> {
        self.flush().await?;
        let items = Vec::new();
        self.send(Event::Listed(v1::ListedItems { items, cursor: cursor.into() })).await
    }

    /// A unit that others depend on.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn resolved(&self, unit: UnitRef) -> Result<(), Error> {
        let size = unit.wire_size();
        self.add(Entry::Resolved(unit.wire), size).await
    }

    /// The next bytes of a fetched item, in order. Of any size; they are cut as the contract asks.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn chunk(&self, bytes: impl Into<Bytes>) -> Result<(), Error> {
        let mut bytes = bytes.into();
        while !bytes.is_empty() {
            let chunk = bytes.split_to(bytes.len().min(CHUNK));
            self.content(v1::content::Content::Chunk(chunk)).await?;
        }
        Ok(())
    }

    /// A fetched item's bytes are to be had from this address.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn source(&self, url: impl Into<String>) -> Result<(), Error> {
        let source = v1::Source { url: url.into(), headers: std::collections::HashMap::new() };
        self.content(v1::content::Content::Source(source)).await
    }

    /// A fetched item's bytes are in this file, named relative to [`Context::work_dir`](crate::Ask::work_dir).
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn staged(&self, path: impl Into<String>) -> Result<(), Error> {
        self.content(v1::content::Content::Staged(path.into())).await
    }

    /// In `fetch`, before the bytes: what they really are a revision of, where the item changed since it was listed. Size
    /// and revision of the listing then do not count any more.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn revision(&self, revision: impl Into<String>) -> Result<(), Error> {
        let content = v1::Content { content: None, revision: revision.into() };
        self.send(Event::Content(content)).await
    }

    async fn content(&self, content: v1::content::Content) -> Result<(), Error> {
        let content = v1::Content { content: Some(content), revision: String::new() };
        self.send(Event::Content(content)).await
    }
}
