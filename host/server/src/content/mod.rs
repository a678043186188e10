//! Published trees, over HTTP.
//!
//! [`serve`] turns a request's path into a published path (`path`), asks the engine what is there,
//! and answers with a file (`file`, with `conditions`, `range` and `media`), a folder's listing
//! (`listing`) or a redirect. Files that are still upstream come through `remote`. It opens nothing
//! itself: files come from the engine, open.

mod conditions;
mod file;
mod listing;
mod media;
mod path;
mod range;
mod remote;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};
use wharf_engine::{Body as EngineBody, Content, Engine, FileContent};

pub use self::listing::{Listing, ListingEntry};
use crate::api::Failure;
use crate::body::{Body, small};

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// What matters of a request for content.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    /// The path below `/content/`, as it was sent.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// Answers a request for published content.
///
/// # Errors
/// A failure to be answered as a problem: the path means nothing, the source of an on-demand file
/// failed before its first byte, ...
pub(crate) async fn serve(
    engine: &Engine,
    request: &Request<'_>,
) -> Result<Response<Body>, Failure> {
    readable(request.method)?;
    let path = path::published(request.path).map_err(|error| {
        Failure::usage(StatusCode::BAD_REQUEST, "usage.path", error.to_string()).at(request.path)
    })?;
    match find(engine, &path, wants_bytes(request)).await? {
        (Content::File(found), bytes) => file::answer(engine, request, &path, found, bytes).await,
        (Content::Directory(listing), _) => {
            let entries = listing.entries.into_iter().map(ListingEntry::from).collect();
            let path = path.trim_end_matches('/').to_owned();
            Ok(folder(request, Listing { path, entries, more: listing.more }))
        }
        (Content::RedirectToSlash, _) => Ok(to(&format!("/content/{}/", request.path))),
        (Content::Redirect(target), _) => Ok(to(&target)),
        (Content::NotFound, _) => {
            let message = "nothing is published at this path";
            Err(Failure::usage(StatusCode::NOT_FOUND, "not_found.content", message).at(path))
        }
    }
}

/// Looks a path up, opens the file that is there, and reads it if it is small and wanted: all in
/// one visit to the threads that may block.
async fn find(
    engine: &Engine,
    path: &str,
    wanted: bool,
) -> Result<(Content, Option<Bytes>), Failure> {
    let (engine, path) = (engine.clone(), path.to_owned());
    let visit = tokio::task::spawn_blocking(move || {
        let content = engine.content(&path).map_err(Failure::from)?;
        let bytes = match &content {
            Content::File(FileContent { body: EngineBody::Blob(file), size: Some(size), .. })
                if wanted =>
            {
                small(file, *size)
            }
            _ => None,
        };
        Ok::<_, Failure>((content, bytes))
    });
    match visit.await {
        Ok(found) => found,
        Err(panic) => {
            tracing::error!(%panic, "a lookup ended in a panic");
            Err(Failure::internal("a lookup"))
        }
    }
}

/// Whether the whole file will most likely be sent.
fn wants_bytes(request: &Request<'_>) -> bool {
    let conditional = [header::RANGE, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE];
    request.method == Method::GET
        && !conditional.iter().any(|name| request.headers.contains_key(name))
}

/// Refuses methods that would change something.
///
/// # Errors
/// 405 for everything but GET and HEAD.
pub(crate) fn readable(method: &Method) -> Result<(), Failure> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let message = format!("{method} is not possible here: content can only be read");
    Err(Failure::usage(StatusCode::METHOD_NOT_ALLOWED, "usage.method", message)
        .header(header::ALLOW, HeaderValue::from_static("GET, HEAD")))
}

/// Sends the client to the folder of all published trees.
pub(crate) fn to_root() -> Response<Body> {
    to("/content/")
}

fn to(location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    // It is part of a path that has been a header's value before, so it can be one again.
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn folder(request: &Request<'_>, mut listing: Listing) -> Response<Body> {
    listing.sort();
    let (media, body) = if listing::wants_json(request.headers) {
        ("application/json", serde_json::to_vec(&listing).unwrap_or_default())
    } else {
        ("text/html; charset=utf-8", listing.html().into_bytes())
    };
    let length = HeaderValue::from(body.len());
    let body = if request.method == Method::HEAD { Bytes::new() } else { Bytes::from(body) };
    let mut response = Response::new(Body::Bytes(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CONTENT_LENGTH, length);
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
