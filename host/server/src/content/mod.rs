//! Published trees, over HTTP.
//!
//! [`serve`] turns a request's path into a published path (`path`), asks the engine what is there,
//! and answers with a file (`file`, with `conditions`, `range` and `media`), a folder's listing
//! (`listing`) or a redirect. Where several representations lie, the client chooses (`negotiate`). Files that are still upstream come through `remote`. It opens nothing
//! itself: files come from the engine, open.

mod conditions;
mod file;
mod listing;
mod media;
mod negotiate;
mod path;
mod range;
mod remote;

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};
use wharf_engine::{Body as EngineBody, Content, Engine, FileContent};
use wharf_store::model::Variant;

pub use self::listing::{Listing, ListingEntry};
use crate::api::Failure;
use crate::app::App;
use crate::body::{Body, small};

const VARY: HeaderValue = HeaderValue::from_static("accept");
const VARY_ENCODED: HeaderValue = HeaderValue::from_static("accept, accept-encoding");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// Whether the threads that serve a request may wait for the disk, for the time of a lookup and of
/// reading a small file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// They are there for that.
    Allowed,
    /// Such work goes to threads that may.
    Forbidden,
}

/// What matters of a request for content.
pub(crate) struct Request<'a> {
    pub(crate) waiting: Waiting,
    pub(crate) method: &'a Method,
    /// The path below `/content/`, as it was sent.
    pub(crate) path: &'a str,
    /// What follows the question mark, as it was sent.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// Answers a request for published content.
///
/// # Errors
/// A failure to be answered as a problem: the path means nothing, the source of an on-demand file
/// failed before its first byte, ...
pub(crate) async fn serve(app: &App, request: &Request<'_>) -> Result<Response<Body>, Failure> {
    readable(request.method)?;
    let path = path::published(request.path).map_err(|error| {
        Failure::usage(StatusCode::BAD_REQUEST, "usage.path", error.to_string()).at(request.path)
    })?;
    let Found { content, bytes, chosen } = find(app, request, &path).await?;
    let answer = match content {
        Content::File(found) => file::answer(app, request, &path, found, bytes).await,
        Content::Variants(variants) => Err(not_acceptable(&variants, &path)),
        Content::Directory(listing) => {
            let entries = listing.entries.into_iter().map(ListingEntry::from).collect();
            let path = path.trim_end_matches('/').to_owned();
            Ok(folder(request, Listing { path, entries, more: listing.more }))
        }
        Content::DirectorySlash => Ok(to(&format!("/content/{}/", request.path))),
        Content::Redirect(target) => Ok(to(&location(app, &path, &target).await?)),
        Content::NotFound if path.is_empty() => root(app, request).await,
        Content::NotFound => {
            let message = "nothing is published at this path";
            Err(Failure::usage(StatusCode::NOT_FOUND, "not_found.content", message).at(path))
        }
    };
    match chosen {
        Some(by) => vary(answer, by),
        None => answer,
    }
}

/// Answers a request for a file of a unit, whether it is published or not.
///
/// # Errors
/// As [`serve`]; there is no such unit or file.
pub(crate) async fn unit_file(
    app: &App,
    unit: i64,
    request: &Request<'_>,
) -> Result<Response<Body>, Failure> {
    let found = app.engine.unit_file(unit, request.path).await?;
    file::answer(app, request, request.path, found, None).await
}

/// Tells caches that the answer is one of several.
fn vary(
    answer: Result<Response<Body>, Failure>,
    by: HeaderValue,
) -> Result<Response<Body>, Failure> {
    match answer {
        Ok(mut response) => {
            response.headers_mut().insert(header::VARY, by);
            Ok(response)
        }
        Err(failure) => Err(failure.header(header::VARY, by)),
    }
}

fn not_acceptable(variants: &[Variant], path: &str) -> Failure {
    let plain = variants.iter().filter(|variant| variant.encoding.is_empty());
    let types: Vec<&str> = plain.map(|variant| variant.media_type.as_str()).collect();
    let message = format!("none of what is here is acceptable; there is: {}", types.join(", "));
    Failure::usage(StatusCode::NOT_ACCEPTABLE, "usage.accept", message).at(path)
}

/// The published trees, by the first segment of their paths.
async fn root(app: &App, request: &Request<'_>) -> Result<Response<Body>, Failure> {
    let trees = trees(app).await?;
    let names = trees.iter().filter_map(|path| path.split('/').next());
    let names: BTreeSet<String> = names.map(str::to_owned).collect();
    let entry = |name| ListingEntry { name, directory: true, size: None, modified_ms: None };
    let entries = names.into_iter().map(entry).collect();
    Ok(folder(request, Listing { path: String::new(), entries, more: false }))
}

/// The paths under which trees are published.
async fn trees(app: &App) -> Result<Vec<String>, Failure> {
    let attachments = app.engine.repositories().await?.into_iter().flat_map(|one| one.attachments);
    let live = attachments.filter(|view| view.attachment.publication.is_some());
    Ok(live.filter_map(|view| view.attachment.path).collect())
}

/// Looks a path up, opens the file that is there, and reads it if it is small and wanted: all in
/// one visit to threads that may wait, unless these are such.
async fn find(app: &App, request: &Request<'_>, path: &str) -> Result<Found, Failure> {
    let wanted = wants_bytes(request);
    if request.waiting == Waiting::Allowed {
        return look(&app.engine, path, request.headers, request.query, wanted);
    }
    let (engine, path) = (app.engine.clone(), path.to_owned());
    let (headers, query) = (request.headers.clone(), request.query.to_owned());
    let visit = tokio::task::spawn_blocking(move || look(&engine, &path, &headers, &query, wanted));
    visit.await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "a lookup ended in a panic");
        Err(Failure::internal("\"a lookup ended in a panic\""))
    })
}

/// What is at a path, for one client.
struct Found {
    content: Content,
    /// The whole file, if it was read already.
    bytes: Option<Bytes>,
    /// Another client might have got another representation: the headers that decide which.
    chosen: Option<HeaderValue>,
}

fn look(
    engine: &Engine,
    path: &str,
    headers: &HeaderMap,
    query: &str,
    wanted: bool,
) -> Result<Found, Failure> {
    let (content, chosen) = match engine.content(path)? {
        Content::Variants(variants) => {
            let encoded = variants.iter().any(|variant| !variant.encoding.is_empty());
            let by = if encoded { VARY_ENCODED } else { VARY };
            (one_of(engine, variants, headers, query)?, Some(by))
        }
        other => (other, None),
    };
    let bytes =
        match &content {
            Content::File(FileContent {
                body: EngineBody::Blob(file), size: Some(size), ..
            }) if wanted => small(file, *size),
            _ => None,
        };
    Ok(Found { content, bytes, chosen })
}

/// The representation that the client likes best; all of them, if it likes none.
fn one_of(
    engine: &Engine,
    variants: Vec<Variant>,
    headers: &HeaderMap,
    query: &str,
) -> Result<Content, Failure> {
    let plain: Vec<&Variant> = variants.iter().filter(|it| it.encoding.is_empty()).collect();
    let offers: Vec<negotiate::Offer<'_>> = plain
        .iter()
        .map(|variant| negotiate::Offer { media_type: &variant.media_type, also: &variant.also })
        .collect();
    let place = match negotiate::asked(query) {
        Some(asked) => negotiate::named(&asked, &offers),
        None => negotiate::choose(headers, &offers),
    };
    let Some(variant) = place.and_then(|place| plain.get(place).copied()) else {
        return Ok(Content::Variants(variants));
    };
    let mut same = variants.iter().filter(|it| it.media_type == variant.media_type);
    let encoded = same.find(|it| negotiate::takes(headers, &it.encoding));
    Ok(Content::File(engine.content_of(encoded.unwrap_or(variant))?))
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

/// Where an alias at `path` leads: to a path of the same tree.
async fn location(app: &App, path: &str, target: &str) -> Result<String, Failure> {
    let around =
        |tree: &String| path.strip_prefix(tree.as_str()).is_some_and(|p| p.starts_with('/'));
    let tree = trees(app).await?.into_iter().find(around).unwrap_or_default();
    let segments = tree.split('/').chain(target.split('/')).filter(|segment| !segment.is_empty());
    let links: Vec<String> = segments.map(listing::link).collect();
    let slash = if target.ends_with('/') { "/" } else { "" };
    Ok(format!("/content/{}{slash}", links.join("/")))
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
    headers.insert(header::VARY, VARY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
