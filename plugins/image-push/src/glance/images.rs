//! Images of one project: made, filled, waited for, deleted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Body, Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;
use wharf_sdk::{Context, Error, Level};

use super::keystone::{self, Login};
use super::{Server, Visibility};
use crate::http::{Http, Patience, Refusal, Sent, failure};
use crate::image::File;
use crate::stream::{self, Meter, Part};
use crate::undo::or_undo;

/// The properties that a push writes.
const DIGEST: &str = "wharf_sha256";
const BUILD: &str = "wharf_build";
/// How long Glance may take to make up its mind about an image that it has all bytes of.
const SETTLING: Duration = Duration::from_mins(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// What an image is to be.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) visibility: Visibility,
    pub(super) disk_format: &'static str,
    pub(super) container_format: &'static str,
    pub(super) architecture: String,
    pub(super) digest: String,
    pub(super) build: String,
    pub(super) properties: BTreeMap<String, String>,
}

/// An image, as Glance tells of it.
#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    status: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct List {
    images: Vec<Told>,
}

/// The images of a project.
pub(super) struct Images {
    http: Http,
    base: Url,
    token: String,
}

impl Images {
    pub(super) async fn of(server: &Server, context: &Context) -> Result<Self, Error> {
        let Login { token, images } = keystone::login(server, context).await?;
        let http =
            Http::new(context, &images, server.ca_certificate.as_deref(), "/endpoint").await?;
        Ok(Self { http, base: images, token })
    }

    pub(super) fn place(&self) -> &str {
        &self.http.place
    }

    fn url(&self, path: &str) -> String {
        let base = self.base.as_str().trim_end_matches('/').trim_end_matches("/v2");
        format!("{base}/v2/images{path}")
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.client.request(method, self.url(path)).header("X-Auth-Token", &self.token)
    }

    /// Whether an image is there with its bytes, which nobody can change.
    pub(super) async fn is_there(&self, id: &str) -> Result<bool, Error> {
        check_id(id)?;
        let sent = self.http.send(|| self.request(Method::GET, &format!("/{id}"))).await?;
        match sent.status.as_u16() {
            200 => {
                let image: Told = self.read(&sent)?;
                Ok(matches!(image.status.as_str(), "active" | "deactivated"))
            }
            404 => Ok(false),
            _ => Err(self.failed(&sent)),
        }
    }

    /// Looks for images that a push of these bytes made: one that is good is taken, unless it is the one that makes way;
    /// what broke off is deleted.
    pub(super) async fn settle(
        &self,
        wanted: &Wanted,
        before: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let sent = self
            .http
            .send(|| {
                let query =
                    [("name", &wanted.name), (DIGEST, &wanted.digest), (BUILD, &wanted.build)];
                let mut url = self.url("");
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(query)
                    .finish();
                url.push('?');
                url.push_str(&query);
                self.http.client.get(url).header("X-Auth-Token", &self.token)
            })
            .await?;
        if sent.status != 200 {
            return Err(self.failed(&sent));
        }
        let List { images } = self.read(&sent)?;
        let mut good = None;
        for image in images {
            match image.status.as_str() {
                "active" if before.is_none() => good = Some(image.id),
                "queued" | "saving" | "uploading" | "importing" | "killed" => {
                    let text =
                        format!("image {}, which broke off earlier, is taken away", image.id);
                    self.http.context.log(Level::INFO, text).await;
                    self.delete(&image.id).await?;
                }
                _ => {}
            }
        }
        Ok(good)
    }

    /// Makes an image; its id. After a fault of the server it is made anew: Glance does not go on where it stopped.
    pub(super) async fn upload(
        &self,
        context: &Context,
        file: &File,
        wanted: &Wanted,
    ) -> Result<String, Error> {
        let meter = Meter::new(context, file);
        let mut patience = Patience::new();
        loop {
            let meter = meter.request();
            let begun = Mutex::new(None);
            let work = self.fill((context, file, &meter), wanted, &begun);
            let give_up = async || {
                let id = begun.lock().unwrap_or_else(PoisonError::into_inner).take();
                match id {
                    Some(id) => self.delete(&id).await,
                    None => Ok(()),
                }
            };
            match or_undo(context, work, give_up).await {
                Ok(id) => return Ok(id),
                Err(refusal) => {
                    meter.back();
                    patience.next(&self.http, refusal).await?;
                }
            }
        }
    }

    async fn fill(
        &self,
        (context, file, meter): (&Context, &File, &Meter),
        wanted: &Wanted,
        begun: &Mutex<Option<String>>,
    ) -> Result<String, Refusal> {
        let id = self.create(wanted).await?;
        *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.clone());
        let body = stream::metered((context, meter), file, Part { offset: 0, size: file.size });
        let request = self
            .request(Method::PUT, &format!("/{id}/file"))
            .header("Content-Type", "application/octet-stream")
            .header("Content-Length", file.size)
            .body(Body::wrap_stream(body));
        let sent = self.http.once(request).await?;
        if sent.status != 204 {
            return Err(sent.refusal(self.failed(&sent)));
        }
        let settled = tokio::time::timeout(SETTLING, self.settled(&id)).await;
        let image = settled.map_err(|_elapsed| {
            let message = format!("{}: image {id} does not become active", self.http.place);
            Error::operation("source.unreachable", message)
        })??;
        match image.size {
            Some(size) if size != file.size => {
                let message = format!(
                    "{}: image {id} has {size} bytes there, {} were sent; push it again",
                    self.http.place, file.size
                );
                Err(Error::operation("integrity.size", message).into())
            }
            _ => Ok(id),
        }
    }

    async fn create(&self, wanted: &Wanted) -> Result<String, Error> {
        let mut body: Map<String, Value> = wanted
            .properties
            .iter()
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect();
        body.extend([
            ("name".to_owned(), json!(wanted.name)),
            ("visibility".to_owned(), json!(wanted.visibility)),
            ("disk_format".to_owned(), json!(wanted.disk_format)),
            ("container_format".to_owned(), json!(wanted.container_format)),
            ("architecture".to_owned(), json!(wanted.architecture)),
            (DIGEST.to_owned(), json!(wanted.digest)),
            (BUILD.to_owned(), json!(wanted.build)),
        ]);
        let body = Value::Object(body).to_string();
        // Sent again, it would make two.
        let request = self.request(Method::POST, "").header("Content-Type", "application/json");
        let sent = self.http.once(request.body(body)).await?;
        if sent.status != 201 {
            return Err(self.failed(&sent));
        }
        Ok(self.read::<Told>(&sent)?.id)
    }

    /// Waits until Glance has made up its mind.
    async fn settled(&self, id: &str) -> Result<Told, Error> {
        loop {
            let sent = self.http.send(|| self.request(Method::GET, &format!("/{id}"))).await?;
            if sent.status != 200 {
                return Err(self.failed(&sent));
            }
            let image: Told = self.read(&sent)?;
            match image.status.as_str() {
                "active" => return Ok(image),
                "queued" | "saving" | "uploading" | "importing" => tokio::time::sleep(LOOK).await,
                other => {
                    let said = failure::words(&image.message);
                    let message = format!("{}: image {id} became {other}{said}", self.http.place);
                    return Err(Error::operation("source.refused", message));
                }
            }
        }
    }

    /// Deletes an image. One that is not there is fine.
    pub(super) async fn delete(&self, id: &str) -> Result<(), Error> {
        check_id(id)?;
        let sent = self.http.send(|| self.request(Method::DELETE, &format!("/{id}"))).await?;
        match sent.status.as_u16() {
            204 | 404 => Ok(()),
            409 => {
                let said = failure::words(&sent.text());
                let message = format!("{}: image {id} is in use and stays{said}", self.http.place);
                Err(Error::operation("conflict.in_use", message))
            }
            _ => Err(self.failed(&sent)),
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&self, sent: &Sent) -> Result<T, Error> {
        serde_json::from_slice(&sent.body).map_err(|error| {
            let message =
                format!("{}: what it answers is not what Glance answers: {error}", self.http.place);
            Error::operation("content.answer", message)
        })
    }

    fn failed(&self, sent: &Sent) -> Error {
        let said = failure::words(&sent.text());
        let place = &self.http.place;
        match sent.status.as_u16() {
            401 => Error::operation(
                "unauthorized.expired",
                format!("{place}: the token is not good any more{said}"),
            )
            .retryable(),
            403 => failure::refused(&self.http, sent, ""),
            400 | 409 | 415 => {
                let message =
                    format!("{place}: it does not take the image (HTTP {}){said}", sent.status);
                Error::usage("usage.image", message)
            }
            413 => {
                let message = format!(
                    "{place}: the image is too large, or the project's room is used up{said}"
                );
                Error::operation("limit.size", message)
            }
            _ => failure::status(&self.http, sent),
        }
    }
}

fn check_id(id: &str) -> Result<(), Error> {
    if id.chars().all(|it| it.is_ascii_alphanumeric() || it == '-') && !id.is_empty() {
        return Ok(());
    }
    Err(Error::usage("usage.identifier", format!("{id:?} is no id of an image")))
}
