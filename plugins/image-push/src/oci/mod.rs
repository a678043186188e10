//! Component `oci-registry`: an OCI image goes to a registry, blob by blob, then its manifest under a tag.
//!
//! `archive` finds the blobs in the image's file without unpacking it, `client` speaks to the registry and proves who we
//! are (`auth`), `upload` sends what the registry lacks. The identifier is REGISTRY/NAME@DIGEST.
//! Source: OCI distribution-spec 1.1, image-spec 1.1.

mod archive;
mod auth;
mod client;
mod name;
mod upload;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;
use wharf_sdk::{
    Check, Checked, Component, Context, Distributor, Done, Error, PublishRequest, UnpublishRequest,
    async_trait,
};

use self::archive::Layout;
use self::client::Client;
use crate::http::{self, Http, failure};
use crate::image::Image;
use crate::secret::Secret;
use crate::stream::Meter;

/// Where the registry is, and how it is spoken to.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Server {
    registry: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_certificate: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Settings {
    #[serde(flatten)]
    server: Server,
    name: Option<String>,
    tag: Option<String>,
}

/// The component.
pub(crate) struct Registry;

#[async_trait]
impl Component for Registry {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        let mut server: Server = check.values()?;
        let mut checked =
            http::checked(&server.registry, "/registry", server.ca_certificate.as_deref());
        if server.username.is_some() != server.password.is_some() {
            let words = "username and password go together";
            checked = checked.error("/password", "config.credentials", words);
        }
        if let Some(namespace) = &server.namespace
            && let Err(why) = name::check(namespace)
        {
            checked = checked.error("/namespace", "config.name", why);
        }
        server.registry = server.registry.trim().trim_end_matches('/').to_owned();
        checked.normalised(&server)
    }
}

#[async_trait]
impl Distributor for Registry {
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let image = Image::of(context).await?;
        let layout = Layout::of(context, &image.file).await?;
        let name = settings.server.name(settings.name.as_deref(), &image)?;
        let tag = settings.tag.or_else(|| layout.tag()).unwrap_or_else(|| "latest".to_owned());
        let client = settings.server.client(context, &name).await?;
        let digest = layout.manifest.digest.clone();
        let identifier = format!("{}@{digest}", client.place());
        let is_known = request.previous.as_ref().is_some_and(|it| it.identifier == identifier);
        if is_known && !request.full && client.leads(&tag, &layout.manifest).await? {
            return Ok(Done::unchanged().identifier(identifier));
        }
        let meter = Meter::new(context, &image.file);
        for blob in layout.blobs() {
            upload::blob(&client, (context, &image.file, &meter), &layout, blob).await?;
        }
        client.put_manifest(&tag, &layout.manifest, &layout.manifest_bytes).await?;
        let place = client.place();
        // What was there before under another digest makes way.
        if let Some(before) = request.previous.map(|it| it.identifier)
            && let Some(old) = before.strip_prefix(&format!("{place}@"))
            && old != digest
        {
            client.delete_manifest(old).await?;
        }
        let told = json!({ "tag": tag, "digest": digest, "reference": format!("{place}:{tag}") });
        Done::changed().identifier(identifier).outputs(&told)
    }

    async fn unpublish(&self, request: UnpublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let identifier = &request.publication.identifier;
        let (name, digest) = settings.server.split(identifier)?;
        let client = settings.server.client(context, &name).await?;
        client.delete_manifest(&digest).await?;
        Ok(Done::changed())
    }
}

impl Server {
    fn url(&self) -> Result<Url, Error> {
        http::address(&self.registry, "/registry")
    }

    async fn client(&self, context: &Context, name: &str) -> Result<Client, Error> {
        let url = self.url()?;
        let http = Http::new(context, &url, self.ca_certificate.as_deref(), "/registry").await?;
        let login = match (&self.username, &self.password) {
            (Some(user), Some(secret)) => {
                let password = secret.value(context).await?;
                Some(auth::Login { user: user.clone(), password, advice: secret.advice() })
            }
            _ => None,
        };
        Ok(Client::new(http, url, name, login))
    }

    /// The repository's name: as asked, else the image's.
    fn name(&self, asked: Option<&str>, image: &Image) -> Result<String, Error> {
        let own = asked.map_or_else(|| name::of(&image.name), str::to_owned);
        let namespace = self.namespace.iter().map(|it| it.trim_matches('/').to_owned());
        let name = namespace.chain([own]).collect::<Vec<_>>().join("/");
        match name::check(&name) {
            Ok(()) => Ok(name),
            Err(why) => Err(Error::usage("config.name", why).at_field("/name")),
        }
    }

    /// Name and digest in an identifier of this registry.
    fn split(&self, identifier: &str) -> Result<(String, String), Error> {
        let host = client::host(&self.url()?);
        let parts = identifier
            .strip_prefix(&format!("{host}/"))
            .and_then(|rest| rest.split_once('@'))
            .filter(|(name, digest)| name::check(name).is_ok() && name::is_digest(digest));
        let (name, digest) = parts.ok_or_else(|| {
            let message = format!(
                "{identifier} is not in the registry {host}: was the setting registry changed since it was pushed?"
            );
            Error::usage("config.url", message).at_field("/registry")
        })?;
        Ok((name.to_owned(), digest.to_owned()))
    }
}

impl Client {
    /// Puts the manifest under a tag, and looks whether the registry took it for what it is.
    async fn put_manifest(
        &self,
        tag: &str,
        manifest: &archive::Descriptor,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let path = format!("manifests/{tag}");
        let sent = self
            .send(&path, |client, url| {
                let media = manifest.media_type.clone();
                client.put(url).header("Content-Type", media).body(bytes.to_vec())
            })
            .await?;
        if !sent.status.is_success() {
            return Err(self.failed("the manifest", &sent));
        }
        match sent.header("Docker-Content-Digest") {
            Some(told) if told != manifest.digest => {
                let message = format!(
                    "{}: it says that the manifest's digest is {told}, and it is {}",
                    self.http.place, manifest.digest
                );
                Err(Error::operation("integrity.digest", message))
            }
            _ => Ok(()),
        }
    }

    /// Whether a tag leads to a manifest. A registry takes none whose blobs it lacks.
    async fn leads(&self, tag: &str, manifest: &archive::Descriptor) -> Result<bool, Error> {
        let path = format!("manifests/{tag}");
        let sent = self
            .send(&path, |client, url| {
                client.request(Method::HEAD, url).header("Accept", manifest.media_type.clone())
            })
            .await?;
        let told = sent.header("Docker-Content-Digest");
        Ok(sent.status.is_success() && told == Some(&*manifest.digest))
    }

    /// Deletes a manifest and its tags. One that is not there is fine.
    async fn delete_manifest(&self, digest: &str) -> Result<(), Error> {
        let path = format!("manifests/{digest}");
        let sent = self.send(&path, |client, url| client.request(Method::DELETE, url)).await?;
        match sent.status.as_u16() {
            200..=299 | 404 => Ok(()),
            405 | 400 => {
                let said = failure::words(&sent.text());
                let message = format!(
                    "{}: it does not delete images{said}; whoever runs it can allow that",
                    self.http.place
                );
                Err(Error::usage("usage.rights", message))
            }
            _ => Err(self.failed("the manifest", &sent)),
        }
    }
}
