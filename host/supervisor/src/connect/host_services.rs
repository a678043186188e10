//! The host's own services for one plugin process, on a socket in its private folder.
//!
//! The same TLS as the other way round: the plugin is the client and shows the very certificate of
//! its handshake line, so the socket's certificate names the caller. Connections and streams are
//! bounded.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Connected;
use tracing::{debug, warn};
use wharf_peer::{Connection, Security};

/// The socket's name in the plugin's folder.
pub(super) const SOCKET: &str = "host.sock";

const MAX_CONNECTIONS: usize = 16;
const MAX_STREAMS: u32 = 64;
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 2 << 20;
const TLS_PATIENCE: Duration = Duration::from_secs(5);
/// After a failed accept, which means that this process has run out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who calls a host service. In the extensions of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerProcess {
    /// The plugin's name.
    pub plugin: String,
    /// [`crate::Process::id`] of the calling process.
    pub instance: u64,
}

/// What is served, and to whom.
pub(crate) struct HostServices {
    pub(crate) routes: Routes,
    /// `None`: in clear, for a plugin that runs without TLS.
    pub(crate) security: Option<Security>,
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: UnixListener, services: HostServices, peer: PeerProcess) {
    let (sender, connections) = mpsc::channel(1);
    let server = Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .add_routes(services.routes)
        .serve_with_incoming(ReceiverStream::new(connections));
    tokio::select! {
        () = accept(listener, services.security, peer.clone(), sender) => {}
        served = server => {
            if let Err(error) = served {
                warn!(plugin = peer.plugin, %error, "the host's services for this plugin ended");
            }
        }
    }
}

/// A slow or silent peer holds up one place, not the others.
async fn accept(
    listener: UnixListener,
    security: Option<Security>,
    peer: PeerProcess,
    ready: mpsc::Sender<io::Result<Caller>>,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut handshakes = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        while handshakes.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let (security, peer) = (security.clone(), peer.clone());
                handshakes.spawn(secure(stream.into(), security, peer, place, ready.clone()));
            }
            Err(error) => {
                warn!(plugin = peer.plugin, %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn secure(
    connection: Connection,
    security: Option<Security>,
    peer: PeerProcess,
    place: OwnedSemaphorePermit,
    ready: mpsc::Sender<io::Result<Caller>>,
) {
    match tokio::time::timeout(TLS_PATIENCE, connection.into_server(security.as_ref())).await {
        Ok(Ok(connection)) => {
            // The server is gone only together with this task's owner.
            ready.send(Ok(Caller { connection, peer, _place: place })).await.ok();
        }
        Ok(Err(error)) => {
            warn!(plugin = peer.plugin, %error, "a connection to the host's services was refused");
        }
        Err(_elapsed) => debug!(plugin = peer.plugin, "a connection shook no hands in time"),
    }
}

/// An accepted connection with its place among the allowed ones.
struct Caller {
    connection: Connection,
    peer: PeerProcess,
    _place: OwnedSemaphorePermit,
}

impl Connected for Caller {
    type ConnectInfo = PeerProcess;

    fn connect_info(&self) -> PeerProcess {
        self.peer.clone()
    }
}

impl AsyncRead for Caller {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Caller {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}
