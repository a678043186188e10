//! One bucket: signed requests, and what its refusals mean.

use std::time::Duration;

use reqwest::RequestBuilder;
use rusty_s3::actions::{AbortMultipartUpload, S3Action};
use rusty_s3::{Bucket, Credentials, Method, UrlStyle, signing};
use wharf_sdk::{Context, Error};

use super::{Server, xml};
use crate::http::{self, Http, Sent, failure};
use crate::image::File;

/// How long a signature is good: a request begins at once, and a part may wait for its turn.
pub(super) const GOOD_FOR: Duration = Duration::from_mins(15);
/// What an object that was pushed carries: the digest of its bytes.
pub(super) const DIGEST: &str = "x-amz-meta-wharf-sha256";
/// Pages of unfinished uploads that are looked through.
const MAX_PAGES: usize = 100;

/// A bucket, and who asks.
pub(super) struct Client {
    pub(super) http: Http,
    pub(super) bucket: Bucket,
    pub(super) credentials: Credentials,
    pub(super) part_bytes: u64,
    pub(super) parallel: usize,
    advice: String,
}

/// An object, as the server tells of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    pub(super) size: u64,
    /// Without quotation marks.
    pub(super) etag: String,
    pub(super) version: Option<String>,
    digest: Option<String>,
}

impl Object {
    /// Whether a push made it.
    pub(super) fn is_ours(&self) -> bool {
        self.digest.is_some()
    }

    /// Whether a push of this very file made it.
    pub(super) fn holds(&self, file: &File) -> bool {
        self.size == file.size && self.digest.as_deref() == Some(&file.sha256)
    }
}

impl Client {
    pub(super) async fn new(server: &Server, context: &Context) -> Result<Self, Error> {
        let endpoint = http::address(&server.endpoint, "/endpoint")?;
        let http =
            Http::new(context, &endpoint, server.ca_certificate.as_deref(), "/endpoint").await?;
        let style = if server.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket = Bucket::new(endpoint, style, server.bucket.clone(), server.region.clone());
        let bucket = bucket.map_err(|error| {
            let message = format!("no address can be made of endpoint and bucket: {error}");
            Error::usage("config.bucket", message).at_field("/bucket")
        })?;
        let secret = server.secret_key.value(context).await?;
        Ok(Self {
            http,
            bucket,
            credentials: Credentials::new(server.access_key.clone(), secret),
            part_bytes: server.part_mib << 20,
            parallel: server.parallel,
            advice: server.secret_key.advice(),
        })
    }

    /// An object's size and tags; None: there is none.
    pub(super) async fn head(&self, key: &str) -> Result<Option<Object>, Error> {
        let action = self.bucket.head_object(Some(&self.credentials), key);
        let sent = self.http.send(|| self.http.client.head(action.sign(GOOD_FOR))).await?;
        match sent.status.as_u16() {
            200 => Ok(Some(Object {
                size: sent.header("Content-Length").and_then(|it| it.parse().ok()).unwrap_or(0),
                etag: sent.header("ETag").unwrap_or_default().trim_matches('"').to_owned(),
                version: version(&sent),
                digest: sent.header(DIGEST).map(str::to_owned),
            })),
            404 => Ok(None),
            _ => Err(self.failed(&sent)),
        }
    }

    /// Ends uploads of this key that nobody goes on with: one provider is told one thing at a time. It is also the first
    /// request of a push, whose refusal, unlike that of a HEAD, has words.
    pub(super) async fn abort_leftovers(&self, key: &str) -> Result<(), Error> {
        let mut marker: Option<(String, String)> = None;
        for _page in 0..MAX_PAGES {
            let sent = self.http.send(|| self.list(key, marker.as_ref())).await?;
            if !sent.status.is_success() {
                return Err(self.failed(&sent));
            }
            let page = xml::uploads(&sent.text()).map_err(|why| self.unreadable(&why))?;
            for id in page.uploads.iter().filter(|upload| upload.key == key).map(|it| &it.id) {
                let text = format!("an upload of {key} that broke off earlier is taken away");
                self.http.context.log(wharf_sdk::Level::INFO, text).await;
                self.abort(key, id).await?;
            }
            match page.next {
                Some(next) => marker = Some(next),
                None => break,
            }
        }
        Ok(())
    }

    /// The list of unfinished uploads, for which the library has no action.
    fn list(&self, key: &str, marker: Option<&(String, String)>) -> RequestBuilder {
        let mut query = vec![("prefix", key), ("uploads", "")];
        if let Some((key, id)) = marker {
            query = vec![
                ("key-marker", key.as_str()),
                ("prefix", query[0].1),
                ("upload-id-marker", id),
                ("uploads", ""),
            ];
        }
        let url = signing::sign(
            &jiff::Timestamp::now(),
            Method::Get,
            self.bucket.base_url().clone(),
            self.credentials.key(),
            self.credentials.secret(),
            None,
            self.bucket.region(),
            GOOD_FOR.as_secs(),
            query.into_iter(),
            std::iter::empty(),
        );
        self.http.client.get(url)
    }

    /// Ends an upload and frees its parts. One that is over already is fine.
    pub(super) async fn abort(&self, key: &str, id: &str) -> Result<(), Error> {
        let action = AbortMultipartUpload::new(&self.bucket, Some(&self.credentials), key, id);
        let sent = self.http.send(|| self.http.client.delete(action.sign(GOOD_FOR))).await?;
        if sent.status.is_success() || sent.status == 404 {
            return Ok(());
        }
        Err(self.failed(&sent))
    }

    pub(super) fn unreadable(&self, why: &str) -> Error {
        let message = format!("{}: what it answers is not what S3 answers: {why}", self.http.place);
        Error::operation("content.answer", message).at_field("/endpoint")
    }

    /// What a refusal means.
    pub(super) fn failed(&self, sent: &Sent) -> Error {
        let told = xml::error(&sent.text()).unwrap_or_default();
        let (place, bucket) = (&self.http.place, self.bucket.name());
        let said = failure::words(&told.message);
        match (told.code.as_str(), sent.status.as_u16()) {
            ("NoSuchBucket", _) => {
                let message =
                    format!("{place}: there is no bucket {bucket}; make it, or set another one");
                Error::usage("not_found.bucket", message).at_field("/bucket")
            }
            ("InvalidAccessKeyId", _) => {
                let message = format!("{place}: it does not know the access key{said}");
                Error::usage("usage.credentials", message).at_field("/access_key")
            }
            ("SignatureDoesNotMatch", _) | (_, 401) => {
                let message = format!("{place}: the secret key is wrong{said}; {}", self.advice);
                Error::usage("usage.credentials", message).at_field("/secret_key")
            }
            ("RequestTimeTooSkewed", _) => {
                let message = format!("{place}: this machine's clock is wrong{said}");
                Error::usage("config.clock", message)
            }
            (
                "AuthorizationHeaderMalformed"
                | "PermanentRedirect"
                | "IllegalLocationConstraintException",
                _,
            ) => {
                let message = format!("{place}: the bucket {bucket} is elsewhere{said}");
                Error::usage("config.region", message).at_field("/region")
            }
            ("EntityTooLarge" | "QuotaExceeded", _) => {
                let message = format!("{place}: the image is too large for it{said}");
                Error::operation("limit.size", message)
            }
            (_, 403) => {
                let message =
                    format!("{place}: the user may not do that in the bucket {bucket}{said}");
                Error::usage("usage.rights", message)
            }
            ("", _) => failure::status(&self.http, sent),
            (code, _) => {
                let message = format!("{place}: it says {code}{said}");
                let error = Error::operation("source.refused", message);
                let passes = matches!(code, "SlowDown" | "InternalError" | "RequestTimeout");
                if passes { error.retryable() } else { error }
            }
        }
    }
}

/// The version that an answer is about, where the bucket keeps versions.
pub(super) fn version(sent: &Sent) -> Option<String> {
    let version = sent.header("x-amz-version-id").filter(|id| *id != "null");
    version.map(str::to_owned)
}

/// What a completed upload is, before anybody asked for it.
pub(super) fn object(file: &File, etag: &str, version: Option<String>) -> Object {
    let etag = etag.trim_matches('"').to_owned();
    Object { size: file.size, etag, version, digest: Some(file.sha256.clone()) }
}
