//! Connections as they come in: accepted for the plugin's whole life, each with its TLS handshake on its own, so
//! that a silent caller keeps nobody waiting.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use rustls::ServerConfig;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::stream::PeerStream;

/// Callers that may be in their TLS handshake at once.
const HANDSHAKES: usize = 64;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after a failed accept: the system is out of something and needs time.
const BREATH: Duration = Duration::from_millis(50);

/// All connections that come in and prove themselves, for ever.
pub(crate) fn connections(
    listener: UnixListener,
    tls: Option<Arc<ServerConfig>>,
) -> impl Stream<Item = io::Result<PeerStream>> {
    let tls = tls.map(TlsAcceptor::from);
    stream::unfold((listener, tls, JoinSet::new()), async |(listener, tls, mut greeting)| {
        let connection = next(&listener, tls.as_ref(), &mut greeting).await;
        Some((Ok(connection), (listener, tls, greeting)))
    })
}

async fn next(
    listener: &UnixListener,
    tls: Option<&TlsAcceptor>,
    greeting: &mut JoinSet<Option<PeerStream>>,
) -> PeerStream {
    loop {
        tokio::select! {
            accepted = listener.accept(), if greeting.len() < HANDSHAKES => match (accepted, tls) {
                (Ok((socket, _)), None) => return PeerStream::Plain(socket),
                (Ok((socket, _)), Some(tls)) => {
                    greeting.spawn(greet(tls.clone(), socket));
                }
                (Err(error), _) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(BREATH).await;
                }
            },
            Some(greeted) = greeting.join_next() => if let Ok(Some(stream)) = greeted {
                return stream;
            },
        }
    }
}

async fn greet(tls: TlsAcceptor, socket: UnixStream) -> Option<PeerStream> {
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(socket)).await {
        Ok(Ok(stream)) => Some(PeerStream::from_host(stream)),
        Ok(Err(error)) => {
            tracing::warn!(%error, "refused a caller that is not the host");
            None
        }
        Err(_elapsed) => {
            tracing::warn!("gave up on a caller that stayed silent");
            None
        }
    }
}
