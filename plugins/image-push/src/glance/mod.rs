//! Component `glance`: the image's file becomes an image of OpenStack, by the API of Glance, version 2.
//!
//! `keystone` gets a token and finds the service, `images` makes, fills and looks at images, `format` says what they are.
//! The identifier is the image's UUID. Images that a push made carry the digest of their bytes as a property: what a push
//! left that broke off is known by it. Source: OpenStack API references of Identity v3 and Image v2.

mod format;
mod images;
mod keystone;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use wharf_sdk::{
    Check, Checked, Component, Context, Distributor, Done, Error, PublishRequest, UnpublishRequest,
    async_trait,
};

use self::images::{Images, Wanted};
use crate::http;
use crate::image::Image;
use crate::secret::Secret;

/// Where the cloud is, and whose images they become.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Server {
    auth_url: String,
    username: String,
    password: Secret,
    project: String,
    #[serde(default = "default_domain")]
    user_domain: String,
    #[serde(default = "default_domain")]
    project_domain: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_certificate: Option<String>,
}

fn default_domain() -> String {
    "Default".to_owned()
}

#[derive(Debug, Deserialize)]
struct Settings {
    #[serde(flatten)]
    server: Server,
    name: Option<String>,
    #[serde(default)]
    visibility: Visibility,
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Visibility {
    #[default]
    Private,
    Shared,
    Community,
    Public,
}

/// The component.
pub(crate) struct Glance;

#[async_trait]
impl Component for Glance {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        let mut server: Server = check.values()?;
        let mut checked =
            http::checked(&server.auth_url, "/auth_url", server.ca_certificate.as_deref());
        if let Some(endpoint) = &server.endpoint
            && let Err(error) = http::address(endpoint, "/endpoint")
        {
            checked = checked.error("/endpoint", "config.url", error.to_string());
        }
        server.auth_url = server.auth_url.trim().trim_end_matches('/').to_owned();
        checked.normalised(&server)
    }
}

#[async_trait]
impl Distributor for Glance {
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let image = Image::of(context).await?;
        let (disk_format, container_format) = format::of(&image)?;
        let wanted = Wanted {
            name: settings.name.unwrap_or_else(|| image.name.clone()),
            visibility: settings.visibility,
            disk_format,
            container_format,
            architecture: image.architecture.clone(),
            digest: image.file.sha256.clone(),
            build: image.build.to_string(),
            properties: settings.properties,
        };
        let images = Images::of(&settings.server, context).await?;
        let before = request.previous.map(|it| it.identifier);
        if let Some(id) = before.as_ref().filter(|_| !request.full)
            && images.is_there(id).await?
        {
            return Ok(Done::unchanged().identifier(id.clone()));
        }
        let there = images.settle(&wanted, before.as_deref().filter(|_| request.full)).await?;
        let id = match there {
            Some(id) => id,
            None => images.upload(context, &image.file, &wanted).await?,
        };
        // What was there before makes way.
        if let Some(before) = before.filter(|before| *before != id) {
            images.delete(&before).await?;
        }
        let told = json!({ "name": wanted.name, "endpoint": images.place() });
        Done::changed().identifier(id).outputs(&told)
    }

    async fn unpublish(&self, request: UnpublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let images = Images::of(&settings.server, context).await?;
        images.delete(&request.publication.identifier).await?;
        Ok(Done::changed())
    }
}
