//! Sends small documents to addresses that users named.
//!
//! The clients are those of fetches, so one place decides about TLS, proxies and names. The address was typed by whoever
//! may do everything here, so its host may lie anywhere, as that of a remote; what an answer says leads nowhere, for
//! redirects are not followed (F109, F154). Never tries twice, and keeps nothing of an answer but its status.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Request, Response};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::client::{Clients, classify};
use super::{Config, Error, http, retry, trust};

/// The longest address, in bytes.
const MAX_URL: usize = 2048;
/// The most bytes of an answer's body that are read, so that its connection can be used again.
const MAX_ANSWER: usize = 16 << 10;
/// How long that may take.
const DRAIN: Duration = Duration::from_secs(1);

/// A client for requests of its own, apart from those of fetches.
#[derive(Debug)]
pub(crate) struct Poster {
    clients: Clients,
    timeout: Duration,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    /// HTTP status.
    pub(crate) status: u16,
    /// How long the receiver asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
}

impl Poster {
    /// One whose connections come about within `connect`, and whose requests end within `timeout`. Needs no network.
    ///
    /// # Errors
    /// [`Error::Setup`].
    pub(crate) fn new(connect: Duration, timeout: Duration) -> Result<Self, Error> {
        let config = Config { connect_timeout: connect, per_host: 2, ..Config::default() };
        Ok(Self { clients: Clients::new(&config)?, timeout })
    }

    /// Sends one request.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Unreachable`], [`Error::Tls`], [`Error::Stalled`], [`Error::Setup`]. Any status
    /// is an answer.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Answered, Error> {
        let url = address(url)?;
        let deadline = Instant::now() + self.timeout;
        let client = self.clients.client(&url, true).await?;
        let mut request = Request::new(Method::POST, url.clone());
        *request.headers_mut() = read(headers, &url)?;
        *request.body_mut() = Some(body.into());
        let response = match timeout_at(deadline, client.execute(request)).await {
            Ok(answered) => answered.map_err(|error| classify(&url, error))?,
            Err(_elapsed) => {
                let (url, after) = (trust::shown(&url), self.timeout);
                return Err(Error::Stalled { url, got: 0, after });
            }
        };
        let status = response.status().as_u16();
        let wish = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = wish.map(|wish| retry::retry_after(wish, SystemTime::now()));
        // The status counts, however the rest ends.
        drop(timeout_at(deadline.min(Instant::now() + DRAIN), drain(response)).await);
        Ok(Answered { status, retry_after })
    }
}

async fn drain(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(piece)) = response.chunk().await {
        read += piece.len();
        if read > MAX_ANSWER {
            break;
        }
    }
}

fn read(headers: &[(&'static str, String)], url: &Url) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).map_err(|_invalid| Error::Address {
            url: trust::shown(url),
            reason: format!("its header {name} cannot be sent"),
        })?;
        map.insert(HeaderName::from_static(name), value);
    }
    Ok(map)
}

/// Reads an address that something may be sent to, and that may be kept and shown: it holds nothing secret.
///
/// # Errors
/// [`Error::Address`].
pub(crate) fn address(text: &str) -> Result<Url, Error> {
    let refused = |reason: &str| Error::Address {
        url: trust::shown_text(text).chars().take(200).collect(),
        reason: reason.to_owned(),
    };
    if text.len() > MAX_URL {
        return Err(refused("it is too long"));
    }
    let mut url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    if !http::is_http(&url) {
        return Err(refused("only https and http are understood"));
    }
    url.set_fragment(None);
    if !url.username().is_empty() || trust::shown(&url) != url.as_str() {
        return Err(refused("it holds what looks like a user, a password or a token"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly_and_hold_nothing_secret() {
        let read = |text: &str| address(text).map(|url| url.to_string());
        assert_eq!(read("https://a.example/x?b=1#part").unwrap(), "https://a.example/x?b=1");
        assert_eq!(read("http://127.0.0.1:81").unwrap(), "http://127.0.0.1:81/");
        for (text, why) in [
            ("ftp://a/x", "only https and http"),
            ("file:///etc/passwd", "only https and http"),
            ("a/x", "relative"),
            ("https://me@a/x", "a user"),
            ("https://me:hunter2@a/x", "a user"),
            ("https://a/x?token=hunter2", "a token"),
            ("https://a/x?b=1&api_key=hunter2", "a token"),
        ] {
            let error = address(text).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("hunter2"), "{text}: {error}");
        }
        let long = format!("https://a/{}", "x".repeat(MAX_URL));
        let error = address(&long).unwrap_err().to_string();
        assert!(error.contains("too long") && error.len() < 400, "{error}");
    }
}
