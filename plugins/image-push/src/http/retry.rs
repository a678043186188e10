//! Requests that are tried again: after a lost connection, 429 and 5xx, a few times, after the time that the server asks
//! for. Everything else is an answer.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response, StatusCode};
use wharf_http::retry_after;
use wharf_sdk::{Error, Level};

use super::{Http, failure};

/// How often a request is sent.
const TRIES: u32 = 5;
/// Before the second try; then twice as long each time.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause that a server may ask for; a longer one ends the try, for the host to come back to.
const LONGEST: Duration = Duration::from_mins(1);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 << 20;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// What this answer means, with the time that it asks for.
    pub(crate) fn refusal(&self, error: Error) -> Refusal {
        Refusal { error, wait: retry_after(&self.headers) }
    }
}

/// Why a try failed, and how long the server asks to be left alone.
pub(crate) struct Refusal {
    error: Error,
    wait: Option<Duration>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, wait: None }
    }
}

/// Tries of one thing, with longer and longer pauses.
pub(crate) struct Patience {
    tried: u32,
    pause: Duration,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self { tried: 0, pause: PAUSE }
    }

    /// Waits for the next try. It ends with the error when trying again is of no use, or was done often enough.
    pub(crate) async fn next(&mut self, http: &Http, refusal: Refusal) -> Result<(), Error> {
        let Refusal { error, wait } = refusal;
        self.tried += 1;
        let wait = wait.unwrap_or(self.pause);
        if wait > LONGEST {
            return Err(error.retry_after(wait));
        }
        if self.tried >= TRIES || !error.is_retryable() {
            return Err(error);
        }
        let text = format!("{error}; try {} of {TRIES} in {wait:.1?}", self.tried + 1);
        http.context.log(Level::WARN, text).await;
        self.pause *= 2;
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = http.context.cancelled() => Err(Error::cancelled()),
        }
    }
}

/// A header's value, if it is text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl Http {
    /// Sends a request until it is answered. `make` makes it anew for every try.
    pub(crate) async fn send(&self, make: impl Fn() -> RequestBuilder) -> Result<Sent, Error> {
        let mut patience = Patience::new();
        loop {
            let refusal = match self.once(make()).await {
                Ok(sent) if !is_passing(sent.status) => return Ok(sent),
                Ok(sent) => sent.refusal(failure::status(self, &sent)),
                Err(error) => error.into(),
            };
            patience.next(self, refusal).await?;
        }
    }

    /// Sends a request, whatever comes of it.
    pub(crate) async fn once(&self, request: RequestBuilder) -> Result<Sent, Error> {
        let answer = request.send().await.map_err(|error| failure::lost(self, &error))?;
        small(self, answer).await
    }
}

/// Reads an answer that is no file.
async fn small(http: &Http, answer: Response) -> Result<Sent, Error> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut body = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(|error| failure::lost(http, &error))?);
        if body.len() > MAX_ANSWER {
            let message = format!("{}: an answer has more than {MAX_ANSWER} bytes", http.place);
            return Err(Error::operation("limit.answer", message));
        }
    }
    Ok(Sent { status, headers, body })
}

fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_cannot_do_at_all_is_not_tried_again() {
        for (code, passes) in [(429, true), (500, true), (503, true), (501, false), (403, false)] {
            assert_eq!(is_passing(StatusCode::from_u16(code).unwrap()), passes, "{code}");
        }
    }
}
