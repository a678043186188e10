//! Units and their files.

use std::collections::HashMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wharf_proto::v1;

use super::{UnitRef, from_object, to_object};
use crate::Error;

/// A typed record with a natural key, attributes and files.
///
/// ```
/// use serde::Serialize;
/// use wharf_sdk::{File, Unit};
///
/// #[derive(Serialize)]
/// struct Key<'a> {
///     name: &'a str,
/// }
///
/// let unit = Unit::new("book")
///     .key(&Key { name: "Emma" })?
///     .file(File::at("emma.txt").size(12).url("https://books.example/emma.txt"));
/// assert_eq!(unit.key_text(), r#"{"name":"Emma"}"#);
/// # Ok::<(), wharf_sdk::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unit {
    pub(crate) wire: v1::Unit,
}

impl Unit {
    /// A unit of a type that the plugin's manifest declares. Give it a key next.
    pub fn new(kind: impl Into<String>) -> Self {
        Self { wire: v1::Unit { r#type: kind.into(), ..v1::Unit::default() } }
    }

    /// A unit that is there, by the host's number, for migrations: what is not set stays as it is.
    pub fn existing(kind: impl Into<String>, id: u64) -> Self {
        Self { wire: v1::Unit { r#type: kind.into(), id, ..v1::Unit::default() } }
    }

    /// The key: a struct or map with the type's key fields. Fields that the type takes from the artifact may
    /// be left out.
    ///
    /// # Errors
    /// A fault when the value is not a JSON object.
    pub fn key<T: Serialize + ?Sized>(mut self, key: &T) -> Result<Self, Error> {
        self.wire.key = to_object("a unit's key", key)?;
        Ok(self)
    }

    /// All other fields: a struct or map.
    ///
    /// # Errors
    /// A fault when the value is not a JSON object.
    pub fn attributes<T: Serialize + ?Sized>(mut self, attributes: &T) -> Result<Self, Error> {
        self.wire.attributes = to_object("a unit's attributes", attributes)?;
        Ok(self)
    }

    /// The key as the text of a JSON object that is ready already.
    #[must_use]
    pub fn key_json(mut self, key: impl Into<String>) -> Self {
        self.wire.key = key.into();
        self
    }

    /// The attributes as the text of a JSON object that is ready already.
    #[must_use]
    pub fn attributes_json(mut self, attributes: impl Into<String>) -> Self {
        self.wire.attributes = attributes.into();
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, file: File) -> Self {
        self.wire.files.push(file.wire);
        self
    }

    /// Adds a link to another unit; `kind` says what the link means, for example `base`.
    #[must_use]
    pub fn link(mut self, kind: impl Into<String>, to: UnitRef) -> Self {
        self.wire.links.push(v1::Link { kind: kind.into(), to: Some(to.wire) });
        self
    }

    /// The host's number of the unit; 0 when the plugin made it.
    pub fn id(&self) -> u64 {
        self.wire.id
    }

    /// The type's id.
    pub fn kind(&self) -> &str {
        &self.wire.r#type
    }

    /// The key's JSON text.
    pub fn key_text(&self) -> &str {
        &self.wire.key
    }

    /// The attributes' JSON text, or an empty one.
    pub fn attributes_text(&self) -> &str {
        &self.wire.attributes
    }

    /// Reads the key into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn read_key<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the unit's key", &self.wire.key)
    }

    /// Reads the attributes into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn read_attributes<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the unit's attributes", &self.wire.attributes)
    }

    /// The files, in the unit's order.
    pub fn files(&self) -> impl ExactSizeIterator<Item = FileInfo<'_>> {
        self.wire.files.iter().map(FileInfo)
    }

    /// A bound on what the unit takes in a message, cheaper to have than the exact number.
    pub(crate) fn wire_size(&self) -> usize {
        let unit = &self.wire;
        let files: usize = unit.files.iter().map(file_size).sum();
        let links: usize = unit.links.iter().map(link_size).sum();
        32 + unit.r#type.len() + unit.key.len() + unit.attributes.len() + files + links
    }
}

impl From<v1::Unit> for Unit {
    fn from(wire: v1::Unit) -> Self {
        Self { wire }
    }
}

fn file_size(file: &v1::File) -> usize {
    let digests: usize = file.digests.iter().map(|digest| digest.len() + 6).sum();
    let sources: usize = file.sources.iter().map(source_size).sum();
    let staged = file.staged.as_ref().map_or(0, String::len);
    let inline = file.inline.as_ref().map_or(0, Vec::len);
    64 + file.path.len() + file.media_type.len() + digests + sources + staged + inline
}

fn source_size(source: &v1::Source) -> usize {
    let headers: usize = source.headers.iter().map(|(k, v)| k.len() + v.len() + 24).sum();
    source.url.len() + headers + 16
}

fn link_size(link: &v1::Link) -> usize {
    let to = link.to.as_ref().map_or(0, |to| to.r#type.len() + to.key.len());
    link.kind.len() + to + 48
}

/// One file of a unit: where it lies, what its bytes must be, and how the host comes by them.
///
/// The bytes come from one place only: [`File::url`], [`File::staged`] or [`File::inline`]; or from none of
/// them, when the importer offers `fetch` or the host has the bytes already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    pub(crate) wire: v1::File,
}

impl File {
    /// A file at a relative path inside its unit, which is also its place in a published tree by default.
    pub fn at(path: impl Into<String>) -> Self {
        Self { wire: v1::File { path: path.into(), ..v1::File::default() } }
    }

    /// The size in bytes, if it is known.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.wire.size = Some(bytes);
        self
    }

    /// The SHA-256 in 64 hex digits, lower case.
    #[must_use]
    pub fn sha256(self, hex: &str) -> Self {
        let mut digest = String::with_capacity(7 + hex.len());
        digest.push_str("sha256:");
        digest.push_str(hex);
        self.digest(digest)
    }

    /// A digest as `ALGORITHM:HEX`; several are allowed, the strongest one is checked.
    #[must_use]
    pub fn digest(mut self, digest: impl Into<String>) -> Self {
        self.wire.digests.push(digest.into());
        self
    }

    /// An address where the host gets the bytes: https, http or file. Several are tried in order.
    #[must_use]
    pub fn url(self, url: impl Into<String>) -> Self {
        self.url_with(url, HashMap::new())
    }

    /// An address that wants request headers.
    #[must_use]
    pub fn url_with(mut self, url: impl Into<String>, headers: HashMap<String, String>) -> Self {
        self.wire.sources.push(v1::Source { url: url.into(), headers });
        self
    }

    /// A file below [`Context::work_dir`](crate::Ask::work_dir), named relative to it. The host takes it over.
    #[must_use]
    pub fn staged(mut self, path: impl Into<String>) -> Self {
        self.wire.staged = Some(path.into());
        self
    }

    /// The bytes themselves, at most 64 KiB.
    #[must_use]
    pub fn inline(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.wire.inline = Some(bytes.into());
        self
    }

    /// Fetched in this job even when the policy is on demand.
    #[must_use]
    pub fn eager(mut self) -> Self {
        self.wire.eager = true;
        self
    }

    /// The media type, such as `text/plain`.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.wire.media_type = media_type.into();
        self
    }

    /// What the file says of itself.
    pub fn info(&self) -> FileInfo<'_> {
        FileInfo(&self.wire)
    }
}

impl From<v1::File> for File {
    fn from(wire: v1::File) -> Self {
        Self { wire }
    }
}

/// What a unit's file says of itself.
#[derive(Clone, Copy, Debug)]
pub struct FileInfo<'a>(&'a v1::File);

impl<'a> FileInfo<'a> {
    /// The relative path.
    pub fn path(self) -> &'a str {
        &self.0.path
    }

    /// The size in bytes, if it is known.
    pub fn bytes(self) -> Option<u64> {
        self.0.size
    }

    /// The hex digits of a digest of this algorithm, if one is known.
    pub fn hex(self, algorithm: &str) -> Option<&'a str> {
        let mut digests = self.0.digests.iter();
        digests.find_map(|digest| digest.strip_prefix(algorithm)?.strip_prefix(':'))
    }

    /// The media type, if it is known.
    pub fn media_type(self) -> Option<&'a str> {
        Some(self.0.media_type.as_str()).filter(|told| !told.is_empty())
    }

    /// The addresses, in the order they are tried.
    pub fn urls(self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.sources.iter().map(|source| source.url.as_str())
    }

    /// Where it was staged, relative to the work folder; set for uploaded files.
    pub fn staged_path(self) -> Option<&'a str> {
        self.0.staged.as_deref()
    }
}
