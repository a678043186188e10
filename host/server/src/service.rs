//! One request, to the part of the house that answers it.
//!
//! Published content goes straight to its handler, without a router in between, because it is
//! asked for ten thousand times in a row. The API is behind a router, on the private socket only.
//! Whatever happens inside, the peer gets an answer: a panic becomes a problem.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use crate::api::{self, Failure};
use crate::app::App;
use crate::body::{Body, BodyError};
use crate::content::{self, Waiting};
use crate::forms::{self, Wire};
use crate::lifecycle::Serving;

/// How long an API request may take; long polls end sooner by themselves.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(2);

/// Everything behind one listener.
pub(crate) struct House {
    app: Arc<App>,
    api: Option<axum::Router>,
    waiting: Waiting,
    wire: Wire,
}

impl House {
    /// Published content, health and forms, on threads for them.
    pub(crate) fn of_content(app: Arc<App>, wire: Wire) -> Arc<Self> {
        Arc::new(Self { app, api: None, waiting: Waiting::Allowed, wire })
    }

    /// The API too, on the host's own threads.
    pub(crate) fn of_api(app: Arc<App>) -> Arc<Self> {
        let api = Some(api::router(Arc::clone(&app)));
        Arc::new(Self { app, api, waiting: Waiting::Forbidden, wire: Wire::Local })
    }

    /// Answers a request. `serving` ends with the last byte of the answer.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        serving: Serving,
    ) -> Response<Answer> {
        let answer = AssertUnwindSafe(self.route(request)).catch_unwind().await;
        let response = answer.unwrap_or_else(|_panic| {
            let mark = format!("{:x}", jiff::Timestamp::now().as_microsecond());
            tracing::error!(mark, "a request ended in a panic");
            refusal(Failure::internal(&mark))
        });
        response.map(|body| Answer { body, _serving: serving })
    }

    async fn route(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        if let Some(published) = path.strip_prefix("/content/") {
            let request = content::Request {
                waiting: self.waiting,
                method: request.method(),
                path: published,
                query: request.uri().query().unwrap_or_default(),
                headers: request.headers(),
            };
            return content::serve(&self.app, &request).await.unwrap_or_else(refusal);
        }
        if path.starts_with("/upload/") {
            return Box::pin(forms::serve(&self.app, self.wire, request)).await;
        }
        match (path, &self.api) {
            ("/health", _) => health(request.method()).unwrap_or_else(refusal),
            ("/" | "/content", _) => content::to_root(),
            (_, Some(api)) if path.starts_with("/api/") => call(api, request).await,
            _ => refusal(
                Failure::usage(StatusCode::NOT_FOUND, "not_found.route", "there is nothing here")
                    .at(path)
                    .help("published content is below /content/"),
            ),
        }
    }
}

/// Passes a request to the API and waits for the head of its answer.
async fn call(api: &axum::Router, request: Request<Incoming>) -> Response<Body> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let began = Instant::now();
    let call = api.clone().oneshot(request);
    let response = match tokio::time::timeout(REQUEST_TIMEOUT, call).await {
        Ok(Ok(response)) => response.map(Body::Api),
        Ok(Err(never)) => match never {},
        Err(_elapsed) => refusal(Failure::timeout()),
    };
    let (status, took) = (response.status().as_u16(), began.elapsed());
    tracing::debug!(%method, path, status, ?took, "a request was answered");
    response
}

fn health(method: &Method) -> Result<Response<Body>, Failure> {
    content::readable(method)?;
    let mut response = Response::new(Body::Bytes(Bytes::from_static(b"{\"status\":\"ok\"}")));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

fn refusal(failure: Failure) -> Response<Body> {
    failure.response().map(Body::Bytes)
}

/// A body, and the mark that its connection is busy.
pub(crate) struct Answer {
    body: Body,
    _serving: Serving,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
