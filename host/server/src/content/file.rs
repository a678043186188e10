//! One published file as an answer: headers, conditions, ranges, bytes.

use std::ops::Range;
use std::str::FromStr as _;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use wharf_engine::{Body as EngineBody, FileContent};

use super::conditions::{Validators, Verdict};
use super::range::{self, Selection};
use super::{NOSNIFF, Request, media, remote};
use crate::api::Failure;
use crate::app::App;
use crate::body::{Body, FileBody};

/// Answers with a file, a part of it, or the news that the client has it already. `bytes` are the
/// whole file, if it was read already.
///
/// # Errors
/// The conditions do not hold, the range lies outside, or the source failed before the first byte.
pub(super) async fn answer(
    app: &App,
    request: &Request<'_>,
    path: &str,
    found: FileContent,
    bytes: Option<Bytes>,
) -> Result<Response<Body>, Failure> {
    let digest = found.digest.map(wharf_store::model::Digest::to_hex);
    let validators = Validators::new(digest.as_deref(), found.modified_ms);
    let mut headers = describe(&validators);
    send_along(&mut headers, &found);
    match validators.evaluate(request.headers) {
        Verdict::Proceed => {}
        Verdict::NotModified => {
            return Ok(respond(StatusCode::NOT_MODIFIED, headers, Body::empty()));
        }
        Verdict::Failed => return Err(changed(path)),
    }
    // A folder is answered with the index that it holds.
    let name = if path.is_empty() || path.ends_with('/') { "index.html" } else { path };
    let media = media::of(&found.media_type, name);
    if let Ok(media) = HeaderValue::from_str(media) {
        headers.insert(header::CONTENT_TYPE, media);
    }
    if request.method == Method::HEAD {
        if let Some(size) = found.size {
            headers.insert(header::CONTENT_LENGTH, size.into());
        }
        return Ok(respond(StatusCode::OK, headers, Body::empty()));
    }
    let selection = part(request, &validators, found.size);
    if let (Selection::Unsatisfiable, Some(size)) = (&selection, found.size) {
        return Err(outside(path, size));
    }
    let (body, size) = match (found.body, bytes) {
        (EngineBody::Blob(_), Some(bytes)) if selection == Selection::Whole => {
            let size = bytes.len() as u64;
            (Body::Bytes(bytes), Some(size))
        }
        (EngineBody::Blob(file), _) => {
            let whole = 0..found.size.unwrap_or(0);
            let part = cut(&selection, whole);
            (Body::File(FileBody::new(file, part.clone())), Some(part.end - part.start))
        }
        (EngineBody::Remote(file), _) => remote::body(app, &file, found.size, &selection).await?,
    };
    if let Some(size) = size {
        headers.insert(header::CONTENT_LENGTH, size.into());
    }
    let (Selection::Part(part), Some(size)) = (selection, found.size) else {
        return Ok(respond(StatusCode::OK, headers, body));
    };
    let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
    if let Ok(range) = HeaderValue::try_from(range) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    Ok(respond(StatusCode::PARTIAL_CONTENT, headers, body))
}

fn cut(selection: &Selection, whole: Range<u64>) -> Range<u64> {
    match selection {
        Selection::Part(part) => part.clone(),
        _ => whole,
    }
}

fn describe(validators: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    validators.describe(&mut headers);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers
}

/// What the publication says of the file, besides its media type.
fn send_along(headers: &mut HeaderMap, found: &FileContent) {
    for header in &found.headers {
        let (name, value) =
            (HeaderName::from_str(&header.name), HeaderValue::from_str(&header.value));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
    if let Some(encoding) = HeaderValue::from_str(&found.encoding).ok().filter(|it| !it.is_empty())
    {
        headers.insert(header::CONTENT_ENCODING, encoding);
    }
}

/// The part that is asked for. Two `Range` headers are as good as none.
fn part(request: &Request<'_>, validators: &Validators, size: Option<u64>) -> Selection {
    let mut ranges = request.headers.get_all(header::RANGE).iter();
    let (Some(range), None, Some(size)) = (ranges.next(), ranges.next(), size) else {
        return Selection::Whole;
    };
    match range.to_str() {
        Ok(range) if validators.range_applies(request.headers) => range::select(range, size),
        _ => Selection::Whole,
    }
}

fn respond(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn changed(path: &str) -> Failure {
    let message = "the file is not the one that the request expects";
    Failure::usage(StatusCode::PRECONDITION_FAILED, "conflict.precondition", message).at(path)
}

fn outside(path: &str, size: u64) -> Failure {
    let message = format!("the range lies outside the file, which has {size} bytes");
    let failure =
        Failure::usage(StatusCode::RANGE_NOT_SATISFIABLE, "usage.range", message).at(path);
    match HeaderValue::try_from(format!("bytes */{size}")) {
        Ok(range) => failure.header(header::CONTENT_RANGE, range),
        Err(_never) => failure,
    }
}
