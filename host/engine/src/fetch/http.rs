//! From a source to the beginning of its body: headers, redirects (F109, F110), status.

use std::{future::Future, time::SystemTime};

use base64::{Engine as _, prelude::BASE64_STANDARD as STANDARD};
use reqwest::{
    Client, Method, Request as HttpRequest, Response, StatusCode,
    header::{
        AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
        IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE, RETRY_AFTER,
    },
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;
use wharf_store::model::Source;

use super::{
    Config, Error, Meter, Trust, Validators,
    client::{Clients, classify},
    excerpt,
    gate::{Gate, Pass},
    retry, trust,
};

/// What all transfers of a fetcher share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) clients: Clients,
    pub(super) gate: Gate,
}

/// One attempt at a source.
pub(super) struct Ask<'a> {
    pub(super) shared: &'a Shared,
    pub(super) source: &'a Source,
    pub(super) trust: &'a Trust,
    pub(super) validators: &'a Validators,
    /// First byte wanted and the validator of those before it.
    pub(super) resume: Option<(u64, &'a str)>,
    pub(super) cancel: &'a CancellationToken,
    pub(super) meter: &'a Meter,
}

/// A body that begins.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) url: Url,
    /// The byte it begins with.
    pub(super) from: u64,
    /// Size of the whole file, if the server says it.
    pub(super) total: Option<u64>,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) media_type: Option<String>,
    /// Held until the body ends.
    _pass: Pass,
}

pub(super) enum Opened {
    NotModified,
    Body(Box<Answer>),
    /// The part that is wanted is not there: begin at the beginning.
    StartOver,
}

impl Ask<'_> {
    /// Sends the request and follows redirects up to an answer with a body.
    pub(super) async fn open(&self) -> Result<Opened, Error> {
        let mut url = parse(&self.source.url)?;
        let mut headers = self.own_headers(&mut url)?;
        self.add_conditions(&mut headers)?;
        let mut hops: usize = 0;
        loop {
            let (response, pass) = match self.send(&url, headers.clone()).await {
                Err(Error::Inward { url: to, address: _ }) if hops > 0 => {
                    return Err(Error::Redirect {
                        from: trust::shown_text(&self.source.url),
                        to,
                        reason: "that lies inside this machine or a private network",
                    });
                }
                sent => sent?,
            };
            if !is_redirect(response.status()) {
                return self.judge(response, url, pass).await;
            }
            hops += 1;
            if hops > self.shared.config.redirects {
                return Err(Error::Redirect {
                    from: trust::shown_text(&self.source.url),
                    to: trust::shown(&url),
                    reason: "there are too many redirects",
                });
            }
            let next = next_hop(&url, response.headers().get(LOCATION))?;
            if !same_place(&url, &next) {
                // Headers of a source are meant for its host alone; what we add ourselves is harmless.
                headers.clear();
                self.add_conditions(&mut headers)?;
            }
            url = next;
        }
    }

    /// The source's headers; user and password move from the address into them.
    fn own_headers(&self, url: &mut Url) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        if !url.username().is_empty() || url.password().is_some() {
            headers.insert(AUTHORIZATION, basic(url)?);
            strip_user(url);
        }
        for (name, value) in &self.source.headers {
            let bad = |reason: &str| Error::Address {
                url: trust::shown_text(&self.source.url),
                reason: format!("its header {name:?} {reason}"),
            };
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_invalid| bad("has no valid name"))?;
            if RESERVED.contains(&name.as_str()) {
                return Err(bad("is the host's business"));
            }
            let mut value =
                HeaderValue::from_str(value).map_err(|_invalid| bad("has no valid value"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    fn add_conditions(&self, headers: &mut HeaderMap) -> Result<(), Error> {
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|_invalid| Error::Address {
                url: trust::shown_text(&self.source.url),
                reason: "its validator cannot be sent".to_owned(),
            })
        };
        if let Some((from, validator)) = self.resume {
            headers.insert(RANGE, value(&format!("bytes={from}-"))?);
            headers.insert(IF_RANGE, value(validator)?);
            return Ok(());
        }
        if let Some(etag) = &self.validators.etag {
            headers.insert(IF_NONE_MATCH, value(etag)?);
        }
        if let Some(time) = &self.validators.last_modified {
            headers.insert(IF_MODIFIED_SINCE, value(time)?);
        }
        Ok(())
    }

    /// One request to one host, up to the answer's head.
    async fn send(&self, url: &Url, headers: HeaderMap) -> Result<(Response, Pass), Error> {
        let trusted = self.trust.names(url);
        if !trusted && let Some(address) = trust::inward_literal(url) {
            return Err(Error::Inward { url: trust::shown(url), address: address.to_string() });
        }
        let client = until(self.cancel, self.shared.clients.client(url, trusted)).await??;
        let pass = until(self.cancel, self.shared.gate.enter(url.authority())).await?;
        // The place may be one that the stop itself made free.
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        self.meter.add_request();
        let response = until(self.cancel, self.head(client, url, headers)).await??;
        Ok((response, pass))
    }

    async fn head(
        &self,
        client: &Client,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<Response, Error> {
        let mut request = HttpRequest::new(Method::GET, url.clone());
        *request.headers_mut() = headers;
        let config = &self.shared.config;
        let after = config.connect_timeout + config.stall_timeout;
        match timeout(after, client.execute(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(classify(url, error)),
            Err(_elapsed) => Err(Error::Stalled { url: trust::shown(url), got: 0, after }),
        }
    }

    async fn judge(&self, response: Response, url: Url, pass: Pass) -> Result<Opened, Error> {
        let asked = self.validators.etag.is_some() || self.validators.last_modified.is_some();
        match response.status() {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                let total = response.content_length();
                Ok(Opened::Body(Box::new(Answer::new(response, url, pass, 0, total))))
            }
            StatusCode::PARTIAL_CONTENT if self.resume.is_some() => {
                let (from, total) = self.part(&response, &url)?;
                Ok(Opened::Body(Box::new(Answer::new(response, url, pass, from, total))))
            }
            StatusCode::NOT_MODIFIED if asked && self.resume.is_none() => Ok(Opened::NotModified),
            StatusCode::RANGE_NOT_SATISFIABLE if self.resume.is_some() => Ok(Opened::StartOver),
            _ => Err(self.refusal(response, &url).await),
        }
    }

    /// Whether the part that came is the one that was asked for.
    fn part(&self, response: &Response, url: &Url) -> Result<(u64, Option<u64>), Error> {
        let header = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
        match header.and_then(content_range) {
            Some((from, total)) if Some(from) == self.resume.map(|(wanted, _)| wanted) => {
                Ok((from, total))
            }
            _ => Err(Error::Answer {
                url: trust::shown(url),
                reason: format!(
                    "another part than asked for: {}",
                    header.unwrap_or("no Content-Range")
                ),
            }),
        }
    }

    async fn refusal(&self, response: Response, url: &Url) -> Error {
        let status = response.status();
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = asked.map(|value| {
            retry::retry_after(value, SystemTime::now()).min(self.shared.config.backoff_limit)
        });
        if let Some(pause) = retry_after.filter(|_| matches!(status.as_u16(), 429 | 503)) {
            self.shared.gate.pause(url.authority(), pause);
        }
        let body = until(self.cancel, excerpt::of(response, self.source)).await.unwrap_or_default();
        Error::Status { url: trust::shown(url), status: status.as_u16(), body, retry_after }
    }
}

impl Answer {
    fn new(response: Response, url: Url, pass: Pass, from: u64, total: Option<u64>) -> Self {
        let text = |name| {
            let value: Option<&HeaderValue> = response.headers().get(name);
            value.and_then(|value| value.to_str().ok())
        };
        Self {
            etag: text(ETAG).map(str::to_owned),
            last_modified: text(LAST_MODIFIED).map(str::to_owned),
            media_type: text(CONTENT_TYPE)
                .and_then(|value| value.split(';').next())
                .map(|value| value.trim().to_owned()),
            response,
            url,
            from,
            total,
            _pass: pass,
        }
    }

    /// What proves to this server that the first part of a file is still the same one's (RFC 9110, 13.1.5).
    pub(super) fn strong_validator(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| etag.starts_with('"'))
    }
}

/// Headers that would change what a request means.
const RESERVED: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "range",
    "te",
    "transfer-encoding",
];

/// Waits for it, but no longer than until someone asks for a stop.
pub(super) async fn until<F: Future>(
    cancel: &CancellationToken,
    work: F,
) -> Result<F::Output, Error> {
    cancel.run_until_cancelled(work).await.ok_or(Error::Cancelled)
}

fn parse(text: &str) -> Result<Url, Error> {
    let bad = |reason: String| Error::Address { url: trust::shown_text(text), reason };
    let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
    if !is_http(&url) {
        return Err(bad("only https, http and file are understood".to_owned()));
    }
    Ok(url)
}

pub(super) fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

fn basic(url: &Url) -> Result<HeaderValue, Error> {
    let part = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let mut pair = part(url.username());
    pair.push(b':');
    pair.extend(part(url.password().unwrap_or_default()));
    let text = format!("Basic {}", STANDARD.encode(&pair));
    let mut value = HeaderValue::from_str(&text).map_err(|_invalid| Error::Address {
        url: trust::shown(url),
        reason: "its user and password cannot be sent".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn strip_user(url: &mut Url) {
    // Both fail only for addresses that cannot have a user, which have none to strip.
    url.set_username("").unwrap_or_default();
    url.set_password(None).unwrap_or_default();
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Credentials may go on: the same host and port, or the same host from `http` to `https`.
fn same_place(from: &Url, to: &Url) -> bool {
    let ports = (from.port_or_known_default(), to.port_or_known_default());
    from.host() == to.host()
        && (ports.0 == ports.1 || (ports == (Some(80), Some(443)) && to.scheme() == "https"))
}

/// Where a redirect leads, if that is a place we go to.
fn next_hop(from: &Url, location: Option<&HeaderValue>) -> Result<Url, Error> {
    let answer =
        |reason: &str| Error::Answer { url: trust::shown(from), reason: reason.to_owned() };
    let location = location.ok_or_else(|| answer("a redirect to nowhere"))?;
    let location =
        location.to_str().map_err(|_invalid| answer("a redirect to an unreadable address"))?;
    let mut to = from
        .join(location)
        .map_err(|error| answer(&format!("a redirect to an invalid address: {error}")))?;
    let refused = |to: &Url, reason| {
        Err(Error::Redirect { from: trust::shown(from), to: trust::shown(to), reason })
    };
    match (from.scheme(), to.scheme()) {
        ("https", "http") => return refused(&to, "that gives up the secure connection"),
        (_, "http" | "https") => {}
        _ => return refused(&to, "only http and https are followed"),
    }
    strip_user(&mut to);
    Ok(to)
}

/// `bytes 5-9/10` gives 5 and 10.
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (part, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (from, to) = part.split_once('-')?;
    let (from, to): (u64, u64) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse::<u64>().ok()?),
    };
    // A part that is not the whole rest would leave a hole at the end.
    let whole = to >= from && total.is_none_or(|total| to.checked_add(1) == Some(total));
    whole.then_some((from, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(from: &str, to: &str) -> Result<String, &'static str> {
        let location = HeaderValue::from_str(to).unwrap();
        next_hop(&Url::parse(from).unwrap(), Some(&location))
            .map(|url| url.to_string())
            .map_err(|error| error.code())
    }

    #[test]
    fn redirects_stay_within_http_and_never_lose_the_secure_connection() {
        // F109
        assert_eq!(hop("http://a/x/y", "../z").unwrap(), "http://a/z");
        assert_eq!(hop("http://a/x", "https://b/").unwrap(), "https://b/");
        assert_eq!(hop("https://a/x", "//b/c").unwrap(), "https://b/c");
        assert_eq!(hop("http://a/x", "http://me:word@b/").unwrap(), "http://b/");
        assert_eq!(hop("https://a/x", "http://a/x"), Err("policy.redirect"));
        for to in ["file:///etc/passwd", "ftp://a/x", "javascript:1", "unix:/run/x"] {
            assert_eq!(hop("http://a/x", to), Err("policy.redirect"), "{to}");
        }
        assert_eq!(hop("http://a/x", "http://[bad"), Err("source.answer"));
    }

    #[test]
    fn credentials_stay_with_their_host() {
        // F110
        let same = |from, to| same_place(&Url::parse(from).unwrap(), &Url::parse(to).unwrap());
        assert!(same("http://a/x", "http://a:80/y"));
        assert!(same("http://a/x", "https://a/y"));
        assert!(!same("https://a/x", "https://a:8443/y"));
        assert!(!same("http://a/x", "http://b.a/x"));
        assert!(!same("http://a:8080/x", "https://a/x"));
    }

    #[test]
    fn content_ranges_are_read_strictly() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for text in [
            "bytes 5-8/10",
            "bytes 9-5/10",
            "bytes */10",
            "items 5-9/10",
            "bytes 5-18446744073709551615/7",
            "",
        ] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }
}
