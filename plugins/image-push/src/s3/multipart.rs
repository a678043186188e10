//! One multipart upload: parts of one size side by side, each tried again a few times, all of it taken back unless it ends
//! well. No part is ever held in memory.

use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Body;
use rusty_s3::actions::{
    CompleteMultipartUpload, CompleteMultipartUploadResponse, CreateMultipartUpload, S3Action as _,
    UploadPart,
};
use wharf_sdk::{Context, Error};

use super::client::{self, Client, DIGEST, GOOD_FOR, Object};
use super::xml;
use crate::http::{Patience, Refusal, failure};
use crate::image::File;
use crate::stream::{self as bytes, Meter, Part};
use crate::undo::or_undo;

/// The most parts of an upload. Source: S3 user guide, "Multipart upload limits".
const MAX_PARTS: u64 = 10_000;

/// What parts are sent of.
struct Upload<'a> {
    client: &'a Client,
    context: &'a Context,
    file: &'a File,
    key: &'a str,
    meter: Meter,
}

/// Sends a file. `there`: an object of this key is there already, and stays until the new one takes its place.
pub(super) async fn send(
    client: &Client,
    context: &Context,
    file: &File,
    (key, there): (&str, bool),
) -> Result<Object, Error> {
    let upload = Upload { client, context, file, key, meter: Meter::new(context, file) };
    let begun = Mutex::new(None);
    let work = upload.run(&begun);
    or_undo(context, work, async || upload.give_up(&begun, there).await).await
}

impl Upload<'_> {
    async fn run(&self, begun: &Mutex<Option<String>>) -> Result<Object, Error> {
        let id = self.create().await?;
        *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.clone());
        let parts = parts(self.file.size, self.client.part_bytes);
        let sending = stream::iter(parts.into_iter().enumerate())
            .map(|(place, part)| self.part(&id, place, part))
            .buffered(self.client.parallel);
        let etags: Vec<String> = sending.try_collect().await?;
        let made = self.complete(&id, &etags).await?;
        match self.client.head(self.key).await? {
            Some(object) if object.size == self.file.size => Ok(made),
            found => {
                let size = found.map_or(0, |object| object.size);
                let message = format!(
                    "{}: {} has {size} bytes there, {} were sent; push it again",
                    self.client.http.place, self.key, self.file.size
                );
                Err(Error::operation("integrity.size", message))
            }
        }
    }

    /// Ends the upload. It may have come to its end while nobody listened any more: then its object goes.
    async fn give_up(&self, begun: &Mutex<Option<String>>, there: bool) -> Result<(), Error> {
        let id = begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(id) = id else { return Ok(()) };
        self.client.abort(self.key, &id).await?;
        match self.client.head(self.key).await? {
            Some(object) if !there && object.holds(self.file) => {
                self.client.delete(self.key, object.version.as_deref()).await
            }
            _ => Ok(()),
        }
    }

    async fn create(&self) -> Result<String, Error> {
        let Self { client, file, .. } = self;
        let mut action =
            CreateMultipartUpload::new(&client.bucket, Some(&client.credentials), self.key);
        action.headers_mut().insert("content-type", file.media_type.clone());
        action.headers_mut().insert(DIGEST, file.sha256.clone());
        let make = || {
            let request = client.http.client.post(action.sign(GOOD_FOR));
            request.header("content-type", &file.media_type).header(DIGEST, &file.sha256)
        };
        let sent = client.http.send(make).await?;
        if !sent.status.is_success() {
            return Err(client.failed(&sent));
        }
        let read = CreateMultipartUpload::parse_response(&sent.text());
        let read = read.map_err(|error| client.unreadable(&error.to_string()))?;
        Ok(read.upload_id().to_owned())
    }

    /// Sends one part; its entity tag.
    async fn part(&self, id: &str, place: usize, part: Part) -> Result<String, Error> {
        let meter = self.meter.request();
        let mut patience = Patience::new();
        loop {
            match self.try_part(id, place, part, &meter).await {
                Ok(etag) => return Ok(etag),
                Err(refusal) => {
                    meter.back();
                    patience.next(&self.client.http, refusal).await?;
                }
            }
        }
    }

    async fn try_part(
        &self,
        id: &str,
        place: usize,
        part: Part,
        meter: &Meter,
    ) -> Result<String, Refusal> {
        let Self { client, context, file, .. } = self;
        let number = u16::try_from(place + 1)
            .map_err(|_error| Error::fault("internal.parts", "there are too many parts"))?;
        let credentials = Some(&client.credentials);
        let action = UploadPart::new(&client.bucket, credentials, self.key, number, id);
        let body = bytes::metered((context, meter), file, part);
        let request = client
            .http
            .client
            .put(action.sign(GOOD_FOR))
            .header("Content-Length", part.size)
            .body(Body::wrap_stream(body));
        let sent = client.http.once(request).await?;
        if !sent.status.is_success() {
            return Err(sent.refusal(client.failed(&sent)));
        }
        let etag = sent.header("ETag").filter(|etag| !etag.is_empty()).map(str::to_owned);
        etag.ok_or_else(|| client.unreadable("a part has no entity tag").into())
    }

    async fn complete(&self, id: &str, etags: &[String]) -> Result<Object, Error> {
        let client = self.client;
        let credentials = Some(&client.credentials);
        let etags = || etags.iter().map(String::as_str);
        let action =
            || CompleteMultipartUpload::new(&client.bucket, credentials, self.key, id, etags());
        let body = action().body();
        let make = || client.http.client.post(action().sign(GOOD_FOR)).body(body.clone());
        let sent = client.http.send(make).await?;
        let text = sent.text();
        // A server may find out that it cannot after it said that all is well.
        if !sent.status.is_success() || xml::error(&text).is_some() {
            return Err(client.failed(&sent));
        }
        let read = CompleteMultipartUploadResponse::parse(&text);
        let read = read.map_err(|error| client.unreadable(&failure::words(&error.to_string())))?;
        Ok(client::object(self.file, read.etag(), client::version(&sent)))
    }
}

/// Where the parts lie: of the size asked for, or larger where they would be too many. A file without bytes is one part.
fn parts(size: u64, wanted: u64) -> Vec<Part> {
    let each = wanted.max(size.div_ceil(MAX_PARTS)).max(1);
    let count = size.div_ceil(each).max(1);
    let part = |place: u64| Part { offset: place * each, size: each.min(size - place * each) };
    (0..count).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_one_after_the_other_and_are_never_too_many() {
        for (size, wanted, count, last) in [
            (0, 8, 1, 0),
            (8, 8, 1, 8),
            (9, 8, 2, 1),
            (100_000, 1, 10_000, 10),
            (100_001, 1, 9_091, 11),
        ] {
            let parts = parts(size, wanted);
            assert_eq!(
                (parts.len() as u64, parts.last().map(|part| part.size)),
                (count, Some(last))
            );
            let mut at = 0;
            for part in &parts {
                assert_eq!(part.offset, at);
                at += part.size;
            }
            assert_eq!(at, size);
        }
    }
}
