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

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

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
    pub(crate) tls: Arc<ServerConfig>,
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: UnixListener, services: HostServices, peer: PeerProcess) {
    let (sender, connections) = mpsc::channel(1);
    let acceptor = TlsAcceptor::from(services.tls);
    let server = Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .add_routes(services.routes)
        .serve_with_incoming(ReceiverStream::new(connections));
    tokio::select! {
        () = accept(listener, acceptor, peer.clone(), sender) => {}
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
    acceptor: TlsAcceptor,
    peer: PeerProcess,
    ready: mpsc::Sender<io::Result<Connection>>,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut handshakes = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        while handshakes.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let secured = secure(stream, acceptor.clone(), peer.clone(), place, ready.clone());
                handshakes.spawn(secured);
            }
            Err(error) => {
                warn!(plugin = peer.plugin, %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn secure(
    stream: UnixStream,
    acceptor: TlsAcceptor,
    peer: PeerProcess,
    place: OwnedSemaphorePermit,
    ready: mpsc::Sender<io::Result<Connection>>,
) {
    match tokio::time::timeout(TLS_PATIENCE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            // The server is gone only together with this task's owner.
            ready.send(Ok(Connection { stream, peer, _place: place })).await.ok();
        }
        Ok(Err(error)) => {
            warn!(plugin = peer.plugin, %error, "a connection to the host's services was refused");
        }
        Err(_elapsed) => debug!(plugin = peer.plugin, "a connection shook no hands in time"),
    }
}

/// An accepted connection with its place among the allowed ones.
struct Connection {
    stream: TlsStream<UnixStream>,
    peer: PeerProcess,
    _place: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = PeerProcess;

    fn connect_info(&self) -> PeerProcess {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
