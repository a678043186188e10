//! Component `s3`: the image's file becomes an object in S3-compatible storage, by a multipart upload.
//!
//! `client` signs requests and reads refusals (`xml`), `multipart` sends the parts side by side. The identifier is
//! `s3://BUCKET/KEY` with what tells this object from another one of its name: the version, where the bucket keeps
//! versions, else the entity tag. Source: Amazon S3 API Reference, AWS Signature Version 4.

mod client;
mod identifier;
mod multipart;
pub(crate) mod xml;

use rusty_s3::actions::S3Action as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wharf_sdk::{
    Check, Checked, Component, Context, Distributor, Done, Error, PublishRequest, UnpublishRequest,
    async_trait,
};

use self::client::{Client, GOOD_FOR, Object};
use self::identifier::Identifier;
use crate::http;
use crate::image::Image;
use crate::secret::Secret;

/// Where the storage is, and how it is spoken to.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Server {
    endpoint: String,
    bucket: String,
    access_key: String,
    secret_key: Secret,
    #[serde(default = "region")]
    region: String,
    #[serde(default = "yes")]
    path_style: bool,
    #[serde(default)]
    prefix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_certificate: Option<String>,
    #[serde(default = "part_mib")]
    part_mib: u64,
    #[serde(default = "parallel")]
    parallel: usize,
}

fn region() -> String {
    "us-east-1".to_owned()
}

fn yes() -> bool {
    true
}

fn part_mib() -> u64 {
    8
}

fn parallel() -> usize {
    4
}

#[derive(Debug, Deserialize)]
struct Settings {
    #[serde(flatten)]
    server: Server,
    key: Option<String>,
}

/// The component.
pub(crate) struct Storage;

#[async_trait]
impl Component for Storage {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        let server: Server = check.values()?;
        let mut checked =
            http::checked(&server.endpoint, "/endpoint", server.ca_certificate.as_deref());
        if let Err(why) = identifier::check_key(&format!("{}x", server.prefix)) {
            checked = checked.error("/prefix", "config.key", why);
        }
        checked.normalised(&server)
    }
}

#[async_trait]
impl Distributor for Storage {
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let image = Image::of(context).await?;
        let key = match settings.key {
            Some(key) => key,
            None => format!("{}{}", settings.server.prefix, image.file_name()),
        };
        identifier::check_key(&key)
            .map_err(|why| Error::usage("config.key", why).at_field("/key"))?;
        let client = Client::new(&settings.server, context).await?;
        client.abort_leftovers(&key).await?;
        let there = client.head(&key).await?;
        let (made, done) = match there {
            Some(object) if object.holds(&image.file) && !request.full => {
                (object, Done::unchanged())
            }
            Some(object) if !object.is_ours() => return Err(taken(&client, &key)),
            there => {
                let place = (&*key, there.is_some());
                (multipart::send(&client, context, &image.file, place).await?, Done::changed())
            }
        };
        let identifier = Identifier::of(&settings.server.bucket, &key, &made);
        // What was there before under another key or version makes way.
        if let Some(before) = request.previous
            && before.identifier != identifier.to_string()
        {
            client.take_away(&before.identifier).await?;
        }
        let told = json!({
            "bucket": settings.server.bucket, "key": key, "etag": made.etag,
            "version_id": made.version, "endpoint": client.http.place,
        });
        done.identifier(identifier.to_string()).outputs(&told)
    }

    async fn unpublish(&self, request: UnpublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let client = Client::new(&settings.server, context).await?;
        client.take_away(&request.publication.identifier).await?;
        Ok(Done::changed())
    }
}

fn taken(client: &Client, key: &str) -> Error {
    let message = format!(
        "{}: there is an object {key} in the bucket {} that no push made; name another key (--param key=...), or \
         take it away",
        client.http.place,
        client.bucket.name()
    );
    Error::usage("conflict.exists", message).at_field("/key")
}

impl Client {
    /// Deletes what an identifier names, as long as it is still what was pushed.
    async fn take_away(&self, identifier: &str) -> Result<(), Error> {
        let found = Identifier::read(identifier, self.bucket.name())?;
        if found.version.is_none() {
            match self.head(&found.key).await? {
                Some(Object { etag, .. }) if etag == found.etag => {}
                Some(_) => {
                    let text = format!("{} is another object by now and stays", found.key);
                    return self.http.context.warn("replaced", text, &found.key).await;
                }
                None => return Ok(()),
            }
        }
        self.delete(&found.key, found.version.as_deref()).await
    }

    /// Deletes an object. One that is not there is fine.
    async fn delete(&self, key: &str, version: Option<&str>) -> Result<(), Error> {
        let mut action = self.bucket.delete_object(Some(&self.credentials), key);
        if let Some(version) = version {
            action.query_mut().insert("versionId", version);
        }
        let sent = self.http.send(|| self.http.client.delete(action.sign(GOOD_FOR))).await?;
        if sent.status.is_success() || sent.status == 404 {
            return Ok(());
        }
        Err(self.failed(&sent))
    }
}
