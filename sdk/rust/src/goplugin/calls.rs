//! What every call passes through on its way to a service: calls of the author's services are counted, refused once
//! the plugin stops, and cut when their grace time is over. Those of the plugin's own services end with the plugin.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower::{Layer, Service};

/// The services that every plugin has: paths that begin so.
const OURS: [&str; 3] = ["/plugin.GRPC", "/grpc.health.v1.", "/grpc.reflection."];

/// When calls end.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// The plugin is to stop: calls should end by themselves, new ones are refused.
    pub(super) stop: CancellationToken,
    /// The grace time is over: calls are cut.
    pub(super) cut: CancellationToken,
    /// Everything has been said: what is open still is not waited for.
    pub(super) over: CancellationToken,
    /// Calls that run, and work beside them.
    pub(super) calls: TaskTracker,
}

impl<S> Layer<S> for Ends {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, ends: self.clone() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Guarded<S> {
    inner: S,
    ends: Ends,
}

type Answer = Result<Response<Body>, Infallible>;

impl Service<Request<Body>> for Guarded<Routes> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, poller: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.inner, poller)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let ours = OURS.iter().any(|prefix| request.uri().path().starts_with(prefix));
        let (end, call) = if ours {
            (self.ends.over.clone(), None)
        } else if self.ends.stop.is_cancelled() {
            return Box::pin(async { Ok(stopping().into_http()) });
        } else {
            (self.ends.cut.clone(), Some(self.ends.calls.token()))
        };
        let answer = self.inner.call(request);
        Box::pin(async move {
            tokio::select! {
                biased;
                answer = answer => answer.map(|answer| {
                    answer.map(|body| Body::new(Counted { body, end, ending: None, _call: call }))
                }),
                () = end.cancelled() => Ok(stopping().into_http()),
            }
        })
    }
}

fn stopping() -> Status {
    Status::unavailable("the plugin is stopping")
}

/// An answer on its way, which keeps its call counted.
struct Counted {
    body: Body,
    end: CancellationToken,
    /// Made when there is something to wait for: most answers are there at once.
    ending: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    _call: Option<TaskTrackerToken>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        poller: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(poller) {
            return Poll::Ready(frame);
        }
        let end = &this.end;
        let ending = this.ending.get_or_insert_with(|| Box::pin(end.clone().cancelled_owned()));
        if ending.as_mut().poll(poller).is_pending() {
            return Poll::Pending;
        }
        this.body = Body::empty();
        this.ending = None;
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(stopping().add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
