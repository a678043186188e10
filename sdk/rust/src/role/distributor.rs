//! Giving content out.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::async_trait;
use wharf_proto::v1;

use super::Component;
use crate::model::{Attachment, from_object, to_object};
use crate::{Context, Done, Error};

/// Gives content out: as a tree that the host serves, by pushing it somewhere, or as a document.
#[async_trait]
pub trait Distributor: Component {
    /// Makes a publication of one version: [`Context::file`], [`Context::pass_through`], [`Context::reuse`],
    /// [`Context::alias`], [`Context::variant`].
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("publish"))
    }

    /// Takes back what `publish` put elsewhere.
    async fn unpublish(&self, request: UnpublishRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("unpublish"))
    }

    /// Fresh entry points for a publication that goes live again.
    async fn reissue(&self, request: ReissueRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("reissue"))
    }

    /// What a client must be told to use the publication.
    async fn client_config(&self, request: ClientConfigRequest) -> Result<ClientConfig, Error> {
        let _ = request;
        Err(Error::not_offered("client_config"))
    }
}

/// An earlier publication.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Publication {
    /// The host's number.
    pub id: u64,
    /// The version that it shows.
    pub version: u64,
    /// The provider's identifier, for what was pushed.
    pub identifier: String,
}

impl From<v1::Publication> for Publication {
    fn from(wire: v1::Publication) -> Self {
        Self { id: wire.id, version: wire.version, identifier: wire.identifier }
    }
}

/// What `publish` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PublishRequest {
    /// Settings and kept state.
    pub attachment: Attachment,
    /// The version to publish.
    pub version: u64,
    /// How many units it has.
    pub units: u64,
    /// The publication before; `None`: there is none.
    pub previous: Option<Publication>,
    /// The time to write into metadata, milliseconds since 1970, so that output can be reproduced.
    pub timestamp_ms: i64,
    /// Where the tree will be served: `name` of `/content/name/`.
    pub base_path: String,
    /// Empty: not known.
    pub base_url: String,
    /// Nothing may be taken over from the previous publication.
    pub full: bool,
    /// Keys that the host signs with during this call: the one that the attachment names, or none. With one,
    /// [`Context::sign`](crate::Ask::sign) works.
    pub signing: Vec<String>,
}

impl From<v1::PublishRequest> for PublishRequest {
    fn from(wire: v1::PublishRequest) -> Self {
        Self {
            attachment: wire.attachment.unwrap_or_default().into(),
            version: wire.version,
            units: wire.units,
            previous: wire.previous.map(Publication::from),
            timestamp_ms: wire.timestamp_ms,
            base_path: wire.base_path,
            base_url: wire.base_url,
            full: wire.full,
            signing: wire.signing,
        }
    }
}

/// What `unpublish` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UnpublishRequest {
    /// Settings and kept state.
    pub attachment: Attachment,
    /// What to take back.
    pub publication: Publication,
}

impl From<v1::UnpublishRequest> for UnpublishRequest {
    fn from(wire: v1::UnpublishRequest) -> Self {
        Self {
            attachment: wire.attachment.unwrap_or_default().into(),
            publication: wire.publication.unwrap_or_default().into(),
        }
    }
}

/// What `reissue` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReissueRequest {
    /// Settings and kept state.
    pub attachment: Attachment,
    /// The publication that goes live again.
    pub publication: Publication,
    /// The time to write into metadata, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// As in [`PublishRequest`].
    pub signing: Vec<String>,
}

impl From<v1::ReissueRequest> for ReissueRequest {
    fn from(wire: v1::ReissueRequest) -> Self {
        Self {
            attachment: wire.attachment.unwrap_or_default().into(),
            publication: wire.publication.unwrap_or_default().into(),
            timestamp_ms: wire.timestamp_ms,
            signing: wire.signing,
        }
    }
}

/// What `client_config` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfigRequest {
    /// Settings and kept state.
    pub attachment: Attachment,
    /// The publication to use.
    pub publication: Publication,
    /// Where it is served.
    pub base_url: String,
    /// JSON object, as text.
    pub options_text: String,
}

impl ClientConfigRequest {
    /// Reads the options into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the options", &self.options_text)
    }
}

impl From<v1::ClientConfigRequest> for ClientConfigRequest {
    fn from(wire: v1::ClientConfigRequest) -> Self {
        Self {
            attachment: wire.attachment.unwrap_or_default().into(),
            publication: wire.publication.unwrap_or_default().into(),
            base_url: wire.base_url,
            options_text: wire.options,
        }
    }
}

/// What a client needs to use a publication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientConfig {
    pub(crate) wire: v1::ClientConfigResponse,
}

impl ClientConfig {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file for the client, such as `/etc/apt/sources.list.d/NAME.sources`.
    #[must_use]
    pub fn file(mut self, name: &str, media_type: &str, content: impl Into<Vec<u8>>) -> Self {
        let (name, media_type) = (name.to_owned(), media_type.to_owned());
        self.wire.files.push(v1::ClientFile { name, media_type, content: content.into() });
        self
    }

    /// A struct or map for programs.
    ///
    /// # Errors
    /// A fault when the value is not a JSON object.
    pub fn data<T: Serialize + ?Sized>(mut self, data: &T) -> Result<Self, Error> {
        self.wire.data = to_object("the client's data", data)?;
        Ok(self)
    }
}
