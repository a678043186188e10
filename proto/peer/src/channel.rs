//! A gRPC channel over connections that somebody else makes.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint, Error, Uri};

use crate::connection::Connection;

/// HTTP/2's window for one stream. Measured: larger ones bring nothing on a local socket.
pub const STREAM_WINDOW: u32 = 1 << 20;
/// The one for all streams of a connection: much more than a few of them use. Half of it is what h2 lets unread small
/// messages cost, at up to 256 bytes each, before it gives up the connection: of tens of thousands of them, not of those
/// that one busy moment leaves unread.
pub const CONNECTION_WINDOW: u32 = 32 << 20;

/// Opens a channel on `first`. Whenever the connection is lost, the next call makes a new one with `again`. The
/// authority of all requests is `localhost`.
///
/// # Errors
/// The connection ended before anything was sent. That the other side does not speak HTTP/2 shows with the first call:
/// HTTP/2 begins without waiting for an answer.
pub async fn channel<F, C>(first: Connection, again: F) -> Result<Channel, Error>
where
    F: Fn() -> C + Clone + Send + Sync + 'static,
    C: Future<Output = io::Result<Connection>> + Send + 'static,
{
    let endpoint = Endpoint::from_static("http://localhost")
        .origin(Uri::from_static("https://localhost"))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let first = Arc::new(Mutex::new(Some(first)));
    let connect = tower::service_fn(move |_origin: Uri| {
        let ready = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let again = again.clone();
        async move {
            match ready {
                Some(connection) => Ok(TokioIo::new(connection)),
                None => again().await.map(TokioIo::new),
            }
        }
    });
    endpoint.connect_with_connector(connect).await
}
