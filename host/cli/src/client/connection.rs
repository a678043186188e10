//! One HTTP/1.1 connection over any stream, driven by a task that ends with it.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

/// A connection that is kept for one request after another.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    /// Moves the bytes; ends with the connection, or is aborted when this value is dropped.
    _driver: JoinSet<()>,
}

impl Connection {
    /// Begins to speak HTTP on this stream. `host` is what the requests name.
    pub(crate) async fn open<S>(stream: S, host: &str) -> Result<Self, hyper::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
        let host = HeaderValue::from_str(host)
            .unwrap_or_else(|_invalid| HeaderValue::from_static("localhost"));
        Ok(Self { sender, host, _driver: driver })
    }

    /// Asks for what is at this path, and waits for the answer's head.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Response<Incoming>, hyper::Error> {
        let nothing = (HeaderValue::from_static("application/json"), Bytes::new());
        self.send(&Method::GET, path, nothing).await
    }

    /// Sends a request for this path, its body included with its media type, and waits for the answer's head.
    pub(crate) async fn send(
        &mut self,
        method: &Method,
        path: &str,
        (media, body): (HeaderValue, Bytes),
    ) -> Result<Response<Incoming>, hyper::Error> {
        self.sender.ready().await?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        // Paths are made of encoded segments, so they are URIs; anything else asks for the root.
        *request.uri_mut() = path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("wharf/", env!("CARGO_PKG_VERSION"))),
        );
        if *method != Method::GET {
            headers.insert(CONTENT_TYPE, media);
        }
        self.sender.send_request(request).await
    }
}
