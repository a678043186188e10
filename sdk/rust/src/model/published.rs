//! Entries of a publication.

use wharf_proto::v1;
use wharf_proto::v1::published_file::From as Origin;

/// One file of a publication.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedFile {
    pub(crate) wire: v1::PublishedFile,
}

impl PublishedFile {
    /// A file of a unit of the published version, under the path that it has in its unit.
    pub fn of_unit(path: impl Into<String>, unit: u64, file: impl Into<String>) -> Self {
        Self::new(path, Origin::Unit(v1::UnitFile { unit, path: file.into() }))
    }

    /// Bytes in the store that belong to the published version, by `sha256:HEX`.
    pub fn of_digest(path: impl Into<String>, digest: impl Into<String>) -> Self {
        Self::new(path, Origin::Digest(digest.into()))
    }

    /// A file below [`Context::work_dir`](crate::Ask::work_dir), named relative to it. The host takes it over.
    pub fn staged(path: impl Into<String>, staged: impl Into<String>) -> Self {
        Self::new(path, Origin::Staged(staged.into()))
    }

    /// The bytes themselves, at most 64 KiB.
    pub fn inline(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(path, Origin::Inline(bytes.into()))
    }

    fn new(path: impl Into<String>, from: Origin) -> Self {
        let wire = v1::PublishedFile { path: path.into(), from: Some(from), ..Default::default() };
        Self { wire }
    }

    /// The media type that clients are told.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.wire.media_type = media_type.into();
        self
    }

    /// When it was last changed, in milliseconds since 1970; without it, the time of going live.
    #[must_use]
    pub fn modified_ms(mut self, modified_ms: i64) -> Self {
        self.wire.modified_ms = modified_ms;
        self
    }

    /// A file that clients read first; the host asks for a fresh one on rollback.
    #[must_use]
    pub fn entry_point(mut self) -> Self {
        self.wire.entry_point = true;
        self
    }

    /// A response header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.wire.headers.insert(name.into(), value.into());
        self
    }

    pub(crate) fn wire_size(&self) -> usize {
        let from = match &self.wire.from {
            Some(Origin::Unit(file)) => file.path.len() + 24,
            Some(Origin::Digest(text) | Origin::Staged(text)) => text.len(),
            Some(Origin::Inline(bytes)) => bytes.len(),
            None => 0,
        };
        let headers: usize = self.wire.headers.iter().map(|(k, v)| k.len() + v.len() + 24).sum();
        48 + self.wire.path.len() + self.wire.media_type.len() + from + headers
    }
}
