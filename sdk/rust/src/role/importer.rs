//! Bringing content in.

use serde::de::DeserializeOwned;
use tonic::async_trait;
use wharf_proto::v1;

use super::Component;
use crate::model::{Attachment, File, Unit, UnitRef, from_object};
use crate::{Context, Done, Error, Mode, Policy};

/// Brings content in. Offer `sync` (the plugin drives), or `list` and `fetch` (the host drives).
#[async_trait]
pub trait Importer: Component {
    /// Reads upstream and declares what the new version contains: [`Context::unit`], [`Context::keep`],
    /// [`Context::remove`].
    async fn sync(&self, request: SyncRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("sync"))
    }

    /// Says what upstream holds, with revisions: [`Context::listed`].
    async fn list(&self, request: ListRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("list"))
    }

    /// Hands out one listed item's bytes: [`Context::chunk`], [`Context::source`] or [`Context::staged`].
    async fn fetch(&self, request: FetchRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("fetch"))
    }

    /// Makes units of files that a user brought: [`Context::unit`].
    async fn upload(&self, request: UploadRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("upload"))
    }

    /// Names the units of a version that others depend on: [`Context::resolved`].
    async fn resolve(&self, request: ResolveRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("resolve"))
    }
}

/// The last sync of the same attachment that finished.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LastSync {
    /// Milliseconds since 1970.
    pub finished_ms: i64,
    /// The version that it made or confirmed.
    pub version: u64,
    /// `succeeded` or `partial`.
    pub outcome: String,
}

/// What `sync` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SyncRequest {
    /// Settings and kept state.
    pub attachment: Attachment,
    /// The version that the new one is compared with; 0 is the empty one.
    pub base_version: u64,
    /// How many units the base version has.
    pub base_units: u64,
    /// Whether the new version is exactly what is declared, or the base plus that.
    pub mode: Mode,
    /// When the host fetches bytes.
    pub policy: Policy,
    /// Nothing will be stored. Declare as always.
    pub dry_run: bool,
    /// Upstream's own shortcuts ("unchanged since") must not be used.
    pub full: bool,
    /// Why: `asked`, `first`, `settings`, `content`, `policy`.
    pub full_reasons: Vec<String>,
    /// `None`: never.
    pub last: Option<LastSync>,
    /// Only these items; empty means all: [`SyncRequest::wants`].
    pub only: Vec<String>,
    /// What an earlier attempt of this job left by [`Context::checkpoint`].
    pub checkpoint: Vec<u8>,
}

impl SyncRequest {
    /// Whether the item is among those that are asked for.
    pub fn wants(&self, item: &str) -> bool {
        wants(&self.only, item)
    }
}

fn wants(only: &[String], item: &str) -> bool {
    only.is_empty() || only.iter().any(|it| it == item)
}

impl From<v1::SyncRequest> for SyncRequest {
    fn from(wire: v1::SyncRequest) -> Self {
        Self {
            mode: wire.mode(),
            policy: wire.policy(),
            attachment: wire.attachment.unwrap_or_default().into(),
            base_version: wire.base_version,
            base_units: wire.base_units,
            dry_run: wire.dry_run,
            full: wire.full,
            full_reasons: wire.full_reasons,
            last: wire.last.map(|last| LastSync {
                finished_ms: last.finished_ms,
                version: last.version,
                outcome: last.outcome,
            }),
            only: wire.only,
            checkpoint: wire.checkpoint,
        }
    }
}

/// What `list` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListRequest {
    /// Settings and kept state.
    pub attachment: Attachment,
    /// Where an earlier listing left off; empty: from the start.
    pub cursor: String,
    /// Only these items; empty means all: [`ListRequest::wants`].
    pub only: Vec<String>,
}

impl ListRequest {
    /// Whether the item is among those that are asked for.
    pub fn wants(&self, item: &str) -> bool {
        wants(&self.only, item)
    }
}

impl From<v1::ListRequest> for ListRequest {
    fn from(wire: v1::ListRequest) -> Self {
        let attachment = wire.attachment.unwrap_or_default().into();
        Self { attachment, cursor: wire.cursor, only: wire.only }
    }
}

/// What `fetch` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FetchRequest {
    /// Settings and kept state.
    pub attachment: Attachment,
    /// The item as it was listed, with its one file.
    pub unit: Unit,
    /// The revision that it was listed with.
    pub revision: String,
    /// The first byte wanted.
    pub offset: u64,
}

impl From<v1::FetchRequest> for FetchRequest {
    fn from(wire: v1::FetchRequest) -> Self {
        Self {
            attachment: wire.attachment.unwrap_or_default().into(),
            unit: wire.unit.unwrap_or_default().into(),
            revision: wire.revision,
            offset: wire.offset,
        }
    }
}

/// What `upload` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadRequest {
    /// Settings and kept state.
    pub attachment: Attachment,
    /// The type's id; empty: the plugin finds out.
    pub kind: String,
    /// JSON object, as text; may be empty.
    pub key_text: String,
    /// JSON object, as text; may be empty.
    pub attributes_text: String,
    /// Staged below [`Context::work_dir`](crate::Ask::work_dir), with size and digests.
    pub files: Vec<File>,
}

impl UploadRequest {
    /// Reads what the user said of the key into the author's own type; nothing said is an empty object.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn key<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the key", or_empty(&self.key_text))
    }

    /// Reads what else the user said into the author's own type; nothing said is an empty object. What a form said
    /// that was sent from outside is below `form`: each field's text, or a list of texts.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn attributes<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the attributes", or_empty(&self.attributes_text))
    }
}

fn or_empty(text: &str) -> &str {
    if text.is_empty() { "{}" } else { text }
}

impl From<v1::UploadRequest> for UploadRequest {
    fn from(wire: v1::UploadRequest) -> Self {
        Self {
            attachment: wire.attachment.unwrap_or_default().into(),
            kind: wire.r#type,
            key_text: wire.key,
            attributes_text: wire.attributes,
            files: wire.files.into_iter().map(File::from).collect(),
        }
    }
}

/// What `resolve` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResolveRequest {
    /// Settings and kept state.
    pub attachment: Attachment,
    /// The version to look in.
    pub version: u64,
    /// The units whose dependencies are asked for.
    pub units: Vec<UnitRef>,
    /// JSON object, as text.
    pub options_text: String,
}

impl ResolveRequest {
    /// Reads the options into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the options", &self.options_text)
    }
}

impl From<v1::ResolveRequest> for ResolveRequest {
    fn from(wire: v1::ResolveRequest) -> Self {
        Self {
            attachment: wire.attachment.unwrap_or_default().into(),
            version: wire.version,
            units: wire.units.into_iter().map(|wire| UnitRef { wire }).collect(),
            options_text: wire.options,
        }
    }
}
