//! One repository of a registry: requests with who we are, as far as the registry wants to know.

use std::sync::{Mutex, PoisonError};

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{RequestBuilder, StatusCode};
use url::Url;
use wharf_sdk::Error;

use super::auth::{self, Login};
use crate::http::{Http, Sent, failure};

/// A repository.
pub(super) struct Client {
    pub(super) http: Http,
    registry: Url,
    name: String,
    login: Option<Login>,
    proof: Mutex<Option<HeaderValue>>,
}

/// `HOST` or `HOST:PORT`, as stands before the name of an image.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl Client {
    pub(super) fn new(http: Http, registry: Url, name: &str, login: Option<Login>) -> Self {
        Self { http, registry, name: name.to_owned(), login, proof: Mutex::default() }
    }

    /// `HOST/NAME`
    pub(super) fn place(&self) -> String {
        format!("{}/{}", host(&self.registry), self.name)
    }

    /// An address below the repository.
    fn url(&self, path: &str) -> Result<Url, Error> {
        let base = self.registry.as_str().trim_end_matches('/');
        let text = format!("{base}/v2/{}/{path}", self.name);
        Url::parse(&text).map_err(|error| Error::fault("internal.url", error.to_string()))
    }

    /// Where a registry says that an upload goes on. It stays with the registry, as far as our proof goes with it.
    pub(super) fn location(&self, sent: &Sent) -> Result<Url, Error> {
        let told = sent.header("Location").unwrap_or_default();
        let url =
            self.registry.join(told).ok().filter(|url| url.origin() == self.registry.origin());
        url.filter(|_| !told.is_empty()).ok_or_else(|| {
            let message = format!("{}: it does not say where uploads go", self.http.place);
            Error::operation("content.answer", message)
        })
    }

    /// Sends a request below the repository, once more after the registry asked who we are.
    pub(super) async fn send(
        &self,
        path: &str,
        make: impl Fn(&reqwest::Client, Url) -> RequestBuilder,
    ) -> Result<Sent, Error> {
        let url = self.url(path)?;
        let make = || self.proven(make(&self.http.client, url.clone()));
        let sent = self.http.send(&make).await?;
        if sent.status != StatusCode::UNAUTHORIZED {
            return Ok(sent);
        }
        self.prove(&sent).await?;
        self.http.send(&make).await
    }

    /// Logs in, as an answer wants it.
    pub(super) async fn prove(&self, refused: &Sent) -> Result<(), Error> {
        let proof = auth::answer(&self.http, self.login.as_ref(), refused, &self.name).await?;
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof);
        Ok(())
    }

    /// With what is known of who we are.
    pub(super) fn proven(&self, request: RequestBuilder) -> RequestBuilder {
        let proof = self.proof.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match proof {
            Some(proof) => request.header(AUTHORIZATION, proof),
            None => request,
        }
    }

    /// What is said of an answer that is no good one.
    pub(super) fn failed(&self, what: &str, sent: &Sent) -> Error {
        match sent.status.as_u16() {
            401 | 403 => auth::rejected(&self.http, self.login.as_ref(), sent),
            404 => {
                let said = failure::words(&sent.text());
                let message = format!(
                    "{}: there is no repository {}{said}; make it there first, or set another name",
                    self.http.place, self.name
                );
                Error::usage("not_found.repository", message).at_field("/name")
            }
            400 | 413 => {
                let said = failure::words(&sent.text());
                let message = format!(
                    "{}: it does not take {what} (HTTP {}){said}",
                    self.http.place, sent.status
                );
                Error::operation("source.refused", message)
            }
            _ => failure::status(&self.http, sent),
        }
    }
}
