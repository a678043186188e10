//! The host's own services for one plugin process, on a socket in its private folder.
//!
//! The same TLS as the other way round: the plugin is the client and shows the very certificate of
//! its handshake line, so the socket's certificate names the caller. Connections and streams are
//! bounded, and end with the server.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Connected;
use tracing::{debug, warn};
use wharf_peer::{Connection, Security};

use crate::error::Error;

/// The socket's name in the plugin's folder.
const SOCKET: &str = "host.sock";

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

/// The socket, where nobody is served yet.
pub(crate) struct HostSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl HostSocket {
    /// Listens in `folder`, which is still private to the host. With a `group` that may connect too.
    ///
    /// # Errors
    /// `config`: the socket cannot be made.
    pub(crate) fn bind(folder: &Path, group: Option<u32>) -> Result<Self, Error> {
        let path = folder.join(SOCKET);
        let bound = UnixListener::bind(&path).and_then(|listener| {
            if group.is_some() {
                chown(&path, None, group)?;
                std::fs::set_permissions(&path, Permissions::from_mode(0o660))?;
            }
            Ok(listener)
        });
        match bound {
            Ok(listener) => Ok(Self { listener, path }),
            Err(source) => {
                let problem = format!("the socket {} cannot be made", path.display());
                Err(Error::config(problem, source))
            }
        }
    }

    pub(super) fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }
}

/// Serves until it is dropped.
pub(super) async fn serve(socket: HostSocket, services: HostServices, peer: PeerProcess) {
    let (sender, connections) = mpsc::channel(1);
    // tonic gives every connection to a task that nobody owns.
    let end = CancellationToken::new();
    let _end = end.clone().drop_guard();
    let server = Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .add_routes(services.routes)
        .serve_with_incoming(ReceiverStream::new(connections));
    tokio::select! {
        () = accept(socket.listener, services.security, peer.clone(), end, sender) => {}
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
    end: CancellationToken,
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
                let security = security.clone();
                let end = Box::pin(end.clone().cancelled_owned());
                let caller =
                    Caller { connection: stream.into(), peer: peer.clone(), end, _place: place };
                handshakes.spawn(secure(caller, security, ready.clone()));
            }
            Err(error) => {
                warn!(plugin = peer.plugin, %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn secure(
    Caller { connection, peer, end, _place: place }: Caller,
    security: Option<Security>,
    ready: mpsc::Sender<io::Result<Caller>>,
) {
    match tokio::time::timeout(TLS_PATIENCE, connection.into_server(security.as_ref())).await {
        Ok(Ok(connection)) => {
            // The server is gone only together with this task's owner.
            ready.send(Ok(Caller { connection, peer, end, _place: place })).await.ok();
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
    /// When the server has ended.
    end: Pin<Box<WaitForCancellationFutureOwned>>,
    _place: OwnedSemaphorePermit,
}

impl Caller {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
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
        self.check(cx)?;
        Pin::new(&mut self.connection).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Caller {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.connection).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.connection).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}
