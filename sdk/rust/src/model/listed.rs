//! Items of a listing.

use wharf_proto::v1;

use super::Unit;

/// One item of `Importer.List`: a unit with exactly one file, and a revision that changes with its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedItem {
    pub(crate) wire: v1::ListedItem,
    size: usize,
}

impl ListedItem {
    /// An item. If its file says nothing about where the bytes are, the host asks `fetch`.
    pub fn new(unit: Unit) -> Self {
        let size = unit.wire_size();
        Self { wire: v1::ListedItem { unit: Some(unit.wire), ..v1::ListedItem::default() }, size }
    }

    /// Changes whenever the bytes may have changed; an item with the same revision is not fetched again.
    #[must_use]
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.wire.revision = revision.into();
        self
    }

    /// When it was last changed, in milliseconds since 1970.
    #[must_use]
    pub fn modified_ms(mut self, modified_ms: i64) -> Self {
        self.wire.modified_ms = modified_ms;
        self
    }

    pub(crate) fn wire_size(&self) -> usize {
        32 + self.size + self.wire.revision.len()
    }
}
