//! One HTTP/2 connection inside pinned TLS. It is made at once, so that its errors come at start
//! and not with the first call; later ones are made by the channel as needed.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};
use wharf_proto::tls;

use super::dial::{Address, DialError, Stream};

/// Measured: larger windows bring nothing on a local socket.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 2 << 20;
/// For a connection that is made anew in mid-life.
const RECONNECT: Duration = Duration::from_secs(5);

/// Dials, shakes hands and opens the channel, by `deadline`.
pub(crate) async fn open(
    address: Address,
    config: Arc<ClientConfig>,
    deadline: Instant,
) -> Result<Channel, DialError> {
    let connector = TlsConnector::from(config);
    let stream = address.dial(deadline).await?;
    let secured = tokio::time::timeout_at(deadline, connector.connect(tls::server_name(), stream));
    let first = match secured.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(DialError::Failed(refused(&error))),
        Err(_elapsed) => {
            let problem = "it did not answer the TLS handshake within the start timeout";
            return Err(DialError::Failed(problem.to_owned()));
        }
    };
    let endpoint = Endpoint::from_static("http://localhost")
        .origin(Uri::from_static("https://localhost"))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let first = Arc::new(Mutex::new(Some(first)));
    let again = Arc::new((address, connector));
    let connect = tower::service_fn(move |_origin: Uri| {
        let ready = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let again = Arc::clone(&again);
        async move {
            match ready {
                Some(stream) => Ok(TokioIo::new(stream)),
                None => reconnect(&again.0, &again.1).await.map(TokioIo::new),
            }
        }
    });
    let opened = endpoint.connect_with_connector(connect).await;
    opened.map_err(|error| DialError::Failed(format!("it does not speak HTTP/2: {error}")))
}

async fn reconnect(address: &Address, connector: &TlsConnector) -> io::Result<TlsStream<Stream>> {
    let deadline = Instant::now() + RECONNECT;
    let stream = address.dial(deadline).await.map_err(|error| match error {
        DialError::Policy(problem) | DialError::Failed(problem) => io::Error::other(problem),
    })?;
    tokio::time::timeout_at(deadline, connector.connect(tls::server_name(), stream)).await?
}

fn refused(error: &io::Error) -> String {
    format!(
        "the TLS handshake failed: {error}; the plugin must use the certificate of its handshake line and accept the one in PLUGIN_CLIENT_CERT"
    )
}
