//! Talking to a server, wherever it runs: requests over the private socket of its data folder.
//!
//! One connection per request: opening one costs tens of microseconds, and a long poll, a log
//! follower and a cancel never wait for each other. Every answer is bounded in size and time.

mod connection;
mod files;
mod jobs;
mod pieces;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::{Class, Problem, ProblemDocument, Status};
use crate::error::Error;

pub(crate) use connection::Connection;
pub(crate) use jobs::Following;
pub(crate) use pieces::Outgoing;

/// The largest answer taken, in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// What most requests carry.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// For connecting.
const CONNECT: Duration = Duration::from_secs(5);
/// For answers that may have to start a plugin first.
const ANSWER: Duration = Duration::from_mins(3);

/// What stays as it is in a path segment or a query value.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// One text as a path segment or query value.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A server's API.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    data: PathBuf,
}

impl Client {
    /// The API of this data folder's server. Does not connect yet.
    pub(crate) fn new(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into() }
    }

    /// `GET /api/v1/status`.
    pub(crate) async fn status(&self) -> Result<Status, Error> {
        self.get("status").await
    }

    /// `GET /api/v1/PATH`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.request(Method::GET, path, &()).await
    }

    /// `POST /api/v1/PATH` with this body.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.request(Method::POST, path, body).await
    }

    /// `PUT /api/v1/PATH` with this body.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.request(Method::PUT, path, body).await
    }

    /// `PATCH /api/v1/PATH` with this body.
    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.request(Method::PATCH, path, body).await
    }

    /// `DELETE /api/v1/PATH`.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), Error> {
        self.request(Method::DELETE, path, &()).await
    }

    async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let body = match method {
            Method::POST | Method::PUT | Method::PATCH => {
                serde_json::to_vec(body).map_err(|error| Error::Answer {
                    request: path.to_owned(),
                    reason: error.to_string(),
                })?
            }
            _ => Vec::new(),
        };
        self.exchange(method, path, JSON, body.into()).await
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        media: HeaderValue,
        body: Bytes,
    ) -> Result<T, Error> {
        let request = format!("{method} /api/v1/{path}");
        let answer = |reason: String| Error::Answer { request: request.clone(), reason };
        let exchange = async {
            let mut connection = self.connect().await?;
            let path = format!("/api/v1/{path}");
            let response = connection.send(&method, &path, (media, body)).await;
            let (status, bytes) = read(response)
                .await
                .map_err(|reason| Error::Broken { request: request.clone(), reason })?;
            Ok::<_, Error>((status, bytes))
        };
        let (status, bytes) =
            tokio::time::timeout(ANSWER, exchange).await.map_err(|_elapsed| {
                Error::Deadline { request: request.clone(), seconds: ANSWER.as_secs() }
            })??;
        if !status.is_success() {
            return Err(refusal(status, &bytes, &request).into());
        }
        // An answer without content still has to become a `T`, and `()` reads from `null`.
        let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(text).map_err(|error| answer(error.to_string()))
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let unreachable = |source| Error::Unreachable { data: self.data.clone(), source };
        match tokio::time::timeout(CONNECT, wharf_server::connect(&self.data)).await {
            Ok(Ok(stream)) => Connection::open(stream, "localhost").await.map_err(|error| {
                Error::Broken { request: "connecting".to_owned(), reason: error.to_string() }
            }),
            Ok(Err(source)) => Err(unreachable(source)),
            Err(_elapsed) => Err(unreachable(std::io::ErrorKind::TimedOut.into())),
        }
    }
}

async fn read(
    response: Result<Response<Incoming>, hyper::Error>,
) -> Result<(StatusCode, Vec<u8>), String> {
    let response = response.map_err(|error| error.to_string())?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    let bytes = body.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, bytes.into()))
}

/// A digest in hex digits.
fn hex(digest: [u8; 32]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// What a refused request says; an answer that is no problem document becomes one.
fn refusal(status: StatusCode, bytes: &[u8], request: &str) -> Problem {
    serde_json::from_slice::<ProblemDocument>(bytes).map_or_else(
        |_not_ours| Problem {
            class: Class::Fault,
            code: "internal.answer".to_owned(),
            message: format!("the server answered {request} with {status}"),
            at: None,
            help: None,
            details: None,
        },
        |document| document.problem,
    )
}

#[cfg(test)]
pub(crate) mod tests;
