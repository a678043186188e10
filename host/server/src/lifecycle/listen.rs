//! Accepting connections and speaking HTTP/1.1 on them.
//!
//! A connection is bounded in every direction: how many there are ([`Guests`]), how long and how
//! large a request's head may be, how long the peer may refuse to read. Every connection is a
//! task of the tracker handed in, and ends when its guest is dismissed.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::guests::{Guests, Stay};
use super::patient::Patient;
use crate::service::House;

/// How long a request's head may take, and how long a connection may be silent between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How large a request's head may be.
const HEAD_BYTES: usize = 64 * 1024;
/// How long a peer may take no byte of an answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long answers under way may take once the server leaves.
const FAREWELL: Duration = Duration::from_secs(5);
/// The same for connections without an answer under way.
const NOD: Duration = Duration::from_millis(200);
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long to rest when the system has no more handles for connections.
const REST: Duration = Duration::from_millis(100);

/// A listener, the house behind it and the room in it.
pub(super) struct Door {
    pub(super) house: Arc<House>,
    pub(super) guests: Arc<Guests>,
    pub(super) tracker: TaskTracker,
    pub(super) stop: CancellationToken,
}

/// Takes a TCP address.
///
/// # Errors
/// It is taken, not ours, or needs a right that we lack.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // An address that was ours until just now is not taken.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Where connections come from.
pub(super) trait Entrance {
    /// What a connection is.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// The next connection, and whether it comes from another process; none: it was turned away.
    fn accept(&self) -> impl Future<Output = io::Result<Option<(Self::Stream, bool)>>> + Send;
}

impl Entrance for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<Option<(TcpStream, bool)>> {
        let (stream, _peer) = self.accept().await?;
        // An answer is written at once; waiting for more to send would only delay it.
        stream.set_nodelay(true)?;
        Ok(Some((stream, true)))
    }
}

/// Lets in the data folder's owner and root; others can only come here when the folder's rights
/// were changed (F141). A plugin's process runs as the same user and is not told apart yet.
impl Entrance for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<Option<(UnixStream, bool)>> {
        let (stream, _address) = self.accept().await?;
        let peer = stream.peer_cred()?;
        if peer.uid() != 0 && peer.uid() != rustix::process::geteuid().as_raw() {
            tracing::warn!(uid = peer.uid(), pid = ?peer.pid(), "another user was turned away");
            return Ok(None);
        }
        let outside = peer.pid() != i32::try_from(std::process::id()).ok();
        Ok(Some((stream, outside)))
    }
}

impl Door {
    /// Serves connections until the stop.
    pub(super) async fn attend(self, entrance: impl Entrance) {
        let stop = self.stop.clone();
        stop.run_until_cancelled(self.welcome(entrance)).await;
    }

    async fn welcome(&self, entrance: impl Entrance) {
        while let Some(place) = self.guests.place().await {
            match entrance.accept().await {
                Ok(Some((stream, outside))) => {
                    let stay = self.guests.admit(place, outside);
                    self.tracker.spawn(converse(Arc::clone(&self.house), stream, stay));
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }
}

async fn converse<S>(house: Arc<House>, stream: S, stay: Stay)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let guest = &stay.guest;
    let service = service_fn(|request: http::Request<Incoming>| {
        let serving = stay.serve();
        let house = &house;
        async move { Ok::<_, Infallible>(house.answer(request, serving).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Patient::new(stream, PATIENCE)), service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return note(ended),
        () = guest.dismissed() => connection.as_mut().graceful_shutdown(),
    }
    let mut ended = tokio::time::timeout(NOD, connection.as_mut()).await;
    if ended.is_err() && guest.is_busy() {
        ended = tokio::time::timeout(FAREWELL, connection).await;
    }
    match ended {
        Ok(ended) => note(ended),
        Err(_elapsed) => tracing::debug!("a connection was cut off at its farewell"),
    }
}

/// A connection that ends badly is the peer's business: a client went away, or sent no HTTP.
fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(error = %Chain(&error), "a connection ended early");
    }
}

struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(formatter, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
