//! Many connections through one socket: yamux, as go-plugin's gRPC broker multiplexing uses it.
//!
//! Every stream carries one HTTP/2 connection, inside TLS if there is TLS; the socket itself is in clear. Which server a
//! new stream belongs to is settled before it is opened, over the broker: a stream that was knocked for goes to the one
//! who accepts that id, any other one to the main server.
//!
//! Sources: the yamux specification; go-plugin's behaviour as a peer.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};
use tracing::{debug, warn};
use yamux::{Config, ConnectionError, Mode};

use crate::connection::{Connection, Security};
use crate::incoming::Incoming;

/// Streams at a time; each may have its initial window of 256 KiB.
const MAX_STREAMS: usize = 256;
const MAX_WINDOWS: usize = 256 << 20;
/// Measured against 16 KiB: large messages need a quarter of the frames.
const FRAME: usize = 64 << 10;
/// Streams that wait for their server.
const QUEUE: usize = 16;
/// For how long a stream may follow its knock.
const KNOCK_WINDOW: Duration = Duration::from_secs(5);
/// Knocks whose streams have not come yet.
const MAX_KNOCKS: usize = 64;

type Yamux = yamux::Connection<Compat<Connection>>;
type Opened = oneshot::Sender<Result<yamux::Stream, ConnectionError>>;

/// A multiplexed socket. Clones are handles on the same one; it lives as long as its [`Session`] is polled.
#[derive(Clone)]
pub struct Mux {
    opens: mpsc::Sender<Opened>,
    routes: Arc<Mutex<Routes>>,
    /// Held by the one who opens a stream, until the other side has seen it.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Drives a multiplexed socket to its end. Dropping it closes the socket.
#[must_use = "nothing moves through the socket unless this is polled"]
pub struct Session(Pin<Box<dyn Future<Output = ()> + Send>>);

/// Where streams of the other side go.
struct Routes {
    main: mpsc::Sender<Connection>,
    main_queue: Option<mpsc::Receiver<Connection>>,
    accepting: HashMap<u32, mpsc::Sender<Connection>>,
    knocks: VecDeque<(u32, Instant)>,
    ended: bool,
}

impl Mux {
    /// The host's end of a new socket.
    pub fn client(socket: Connection) -> (Self, Session) {
        Self::new(socket, Mode::Client)
    }

    /// The plugin's end of a new socket.
    pub fn server(socket: Connection) -> (Self, Session) {
        Self::new(socket, Mode::Server)
    }

    fn new(socket: Connection, mode: Mode) -> (Self, Session) {
        let mut config = Config::default();
        config
            .set_max_num_streams(MAX_STREAMS)
            .set_max_connection_receive_window(Some(MAX_WINDOWS))
            .set_split_send_size(FRAME);
        let (main, main_queue) = mpsc::channel(QUEUE);
        let routes = Arc::new(Mutex::new(Routes {
            main,
            main_queue: Some(main_queue),
            accepting: HashMap::new(),
            knocks: VecDeque::new(),
            ended: false,
        }));
        let (opens, wanted) = mpsc::channel(QUEUE);
        let session = drive(Yamux::new(socket.compat(), config, mode), wanted, Arc::clone(&routes));
        let mux = Self { opens, routes, turn: Arc::default() };
        (mux, Session(Box::pin(session)))
    }

    /// The streams that nobody knocked for: those of the main connection. Empty when it was taken before.
    pub fn main(&self, security: Option<Security>) -> Incoming {
        let queue = self.routes().main_queue.take();
        let queue = queue.unwrap_or_else(|| mpsc::channel(1).1);
        Incoming::queued(queue, None, security)
    }

    /// Opens a stream, in clear, once all those opened before have reached the other side.
    ///
    /// # Errors
    /// The socket is closed.
    pub async fn open(&self) -> io::Result<Connection> {
        let turn = self.turn().await;
        self.open_in(turn).await
    }

    /// Waits until nobody else is opening a stream.
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    pub(crate) async fn open_in(&self, turn: OwnedMutexGuard<()>) -> io::Result<Connection> {
        let (opened, stream) = oneshot::channel();
        self.opens.send(opened).await.map_err(|_gone| closed())?;
        let stream = stream.await.map_err(|_gone| closed())?.map_err(io::Error::other)?;
        Ok(Connection::new(Ordered { stream: stream.compat(), turn: Some(turn) }))
    }

    /// Takes streams for `id` from now on. `None`: somebody does already, or the socket is closed.
    pub(crate) fn accept(&self, id: u32) -> Option<(mpsc::Receiver<Connection>, Registration)> {
        let mut routes = self.routes();
        if routes.ended || routes.accepting.contains_key(&id) {
            return None;
        }
        let (streams, queue) = mpsc::channel(QUEUE);
        routes.accepting.insert(id, streams);
        Some((queue, Registration { routes: Arc::clone(&self.routes), id }))
    }

    /// The next stream of the other side belongs to `id`. False: nobody accepts it.
    pub(crate) fn knock(&self, id: u32) -> bool {
        let mut routes = self.routes();
        routes.forget_old_knocks();
        let good = routes.accepting.contains_key(&id) && routes.knocks.len() < MAX_KNOCKS;
        if good {
            routes.knocks.push_back((id, Instant::now()));
        }
        good
    }

    fn routes(&self) -> MutexGuard<'_, Routes> {
        lock(&self.routes)
    }
}

impl Routes {
    fn forget_old_knocks(&mut self) {
        self.knocks.retain(|(_, when)| when.elapsed() < KNOCK_WINDOW);
    }

    /// Never waits: a server that does not take its streams loses them, and holds up nobody else.
    fn deliver(&mut self, stream: yamux::Stream) {
        self.forget_old_knocks();
        let knock = self.knocks.pop_front();
        let server = match &knock {
            None => Some(&self.main),
            Some((id, _)) => self.accepting.get(id),
        };
        let stream = Connection::new(stream.compat());
        let taken = server.map(|server| server.try_send(stream));
        if !matches!(taken, Some(Ok(()))) {
            warn!(id = knock.map(|(id, _)| id), "nobody takes a multiplexed connection");
        }
    }

    /// Whoever waits for streams learns that there will be none.
    fn end(&mut self) {
        self.ended = true;
        self.accepting.clear();
        self.main = mpsc::channel(1).0;
    }
}

fn lock(routes: &Mutex<Routes>) -> MutexGuard<'_, Routes> {
    routes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the multiplexed socket is closed")
}

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mux").finish_non_exhaustive()
    }
}

/// Somebody takes streams for an id, until this is dropped.
pub(crate) struct Registration {
    routes: Arc<Mutex<Routes>>,
    id: u32,
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.routes).accepting.remove(&self.id);
    }
}

impl Future for Session {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Tells the routes of the end, however it comes.
struct Ending(Arc<Mutex<Routes>>);

impl Drop for Ending {
    fn drop(&mut self) {
        lock(&self.0).end();
    }
}

async fn drive(mut yamux: Yamux, mut wanted: mpsc::Receiver<Opened>, routes: Arc<Mutex<Routes>>) {
    let ending = Ending(routes);
    let mut next = None;
    let end = poll_fn(|cx| {
        open_wanted(&mut yamux, &mut wanted, &mut next, cx);
        loop {
            match yamux.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => lock(&ending.0).deliver(stream),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(error)),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    let error = end.await.map(|error| error.to_string());
    debug!(error, "the multiplexed socket has ended");
}

/// Opens what is asked for, as far as the session allows it now.
fn open_wanted(
    yamux: &mut Yamux,
    wanted: &mut mpsc::Receiver<Opened>,
    next: &mut Option<Opened>,
    cx: &mut Context<'_>,
) {
    loop {
        if next.is_none() {
            match wanted.poll_recv(cx) {
                Poll::Ready(Some(opened)) => *next = Some(opened),
                // Without handles nothing more is asked for; streams that exist go on.
                Poll::Ready(None) | Poll::Pending => return,
            }
        }
        let Poll::Ready(stream) = yamux.poll_new_outbound(cx) else { return };
        if let Some(opened) = next.take() {
            // A stream that nobody waits for any more is dropped, which resets it.
            opened.send(stream).ok();
        }
    }
}

/// A stream that lets nobody else open one before the other side has answered on it. The first bytes open it, and
/// streams are told apart by nothing but their order.
struct Ordered {
    stream: Compat<yamux::Stream>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl AsyncRead for Ordered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_ready() {
            self.turn = None;
        }
        read
    }
}

impl AsyncWrite for Ordered {
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;
    use tokio::task::JoinSet;
    use tokio_stream::StreamExt as _;

    use super::*;

    // P41
    #[tokio::test(start_paused = true)]
    async fn a_knock_that_no_stream_follows_is_forgotten() {
        let (near, far) = UnixStream::pair().unwrap();
        let ((host, session), (plugin, other)) =
            (Mux::client(near.into()), Mux::server(far.into()));
        let mut tasks = JoinSet::new();
        tasks.spawn(session);
        tasks.spawn(other);
        let (_queue, _registration) = plugin.accept(3).unwrap();
        assert!(plugin.knock(3));
        tokio::time::advance(KNOCK_WINDOW).await;
        let mut stream = host.open().await.unwrap();
        stream.write_all(b"main").await.unwrap();
        stream.flush().await.unwrap();
        assert!(plugin.main(None).next().await.unwrap().is_ok());
    }
}
