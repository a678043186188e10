//! A server whose answers a test decides.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::UnixListener;
use tokio::task::JoinSet;

/// Status and body. Status 0: no answer at all, for a long time.
pub(crate) type Answer = (u16, String);

/// Answers requests on the socket of a data folder until it is dropped.
pub(crate) struct Fake {
    _tasks: JoinSet<()>,
}

impl Fake {
    /// `answer` gets the method and the target of every request.
    pub(crate) fn start(
        data: &Path,
        answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(data.join("api.sock")).unwrap();
        let answer = Arc::new(answer);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = Arc::clone(&answer);
                connections.spawn(async move {
                    let service = service_fn(|request| respond(request, answer.as_ref()));
                    let connection =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    // A client may leave at any time.
                    let _left = connection.await;
                });
            }
        });
        Self { _tasks: tasks }
    }
}

async fn respond(
    request: Request<Incoming>,
    answer: &(impl Fn(&str, &str) -> Answer + Sync),
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = answer(request.method().as_str(), &request.uri().to_string());
    if status == 0 {
        tokio::time::sleep(Duration::from_mins(10)).await;
    }
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(response)
}
