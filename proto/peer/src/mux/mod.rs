//! Many connections through one socket: yamux, as go-plugin's gRPC broker multiplexing uses it.
//!
//! Every stream carries one HTTP/2 connection, inside TLS if there is TLS; the socket itself is in clear. Which server a
//! new stream belongs to is settled before it is opened, over the broker: a stream that was knocked for goes to the one
//! who accepts that id ([`routes`]), any other one to the plugin's main server. Streams are told apart by nothing but
//! their order, so they are opened one after the other ([`Ordered`]).
//!
//! Sources: the yamux specification; go-plugin's behaviour as a peer.

mod ordered;
mod routes;

use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};
use tracing::debug;
use yamux::{Config, ConnectionError, Mode};

pub(crate) use routes::Registration;

use crate::connection::{Connection, Security};
use crate::incoming::Incoming;
use ordered::Ordered;
use routes::{Ending, Routes};

/// Streams at a time; each may have its initial window of 256 KiB.
const MAX_STREAMS: usize = 256;
const MAX_WINDOWS: usize = 256 << 20;
/// Measured against 16 KiB: large messages need a quarter of the frames.
const FRAME: usize = 64 << 10;
/// Streams that wait for their server, or to be opened.
const QUEUE: usize = 16;

type Yamux = yamux::Connection<Compat<Connection>>;
type Opened = oneshot::Sender<Result<yamux::Stream, ConnectionError>>;
type Job = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Who holds it may open a stream.
pub(crate) type Turn = OwnedMutexGuard<()>;

/// A multiplexed socket. Clones are handles on the same one; it lives as long as its [`Session`] is polled.
#[derive(Clone)]
pub struct Mux {
    opens: mpsc::Sender<Opened>,
    jobs: mpsc::Sender<Job>,
    routes: Arc<Mutex<Routes>>,
    /// Held by the one who opens a stream, until the other side has seen it.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Streams that the other side waits for and nobody here wants any more.
    owed: Arc<AtomicUsize>,
}

/// Drives a multiplexed socket to its end. Dropping it closes the socket.
#[must_use = "nothing moves through the socket unless this is polled"]
pub struct Session(Job);

impl Mux {
    /// The host's end of a new socket.
    pub fn client(socket: Connection) -> (Self, Session) {
        Self::new(socket, Mode::Client, Routes::default())
    }

    /// The plugin's end of a new socket.
    pub fn server(socket: Connection) -> (Self, Session) {
        Self::new(socket, Mode::Server, Routes::with_main())
    }

    fn new(socket: Connection, mode: Mode, routes: Routes) -> (Self, Session) {
        let mut config = Config::default();
        config
            .set_max_num_streams(MAX_STREAMS)
            .set_max_connection_receive_window(Some(MAX_WINDOWS))
            .set_split_send_size(FRAME);
        let routes = Arc::new(Mutex::new(routes));
        let (opens, wanted) = mpsc::channel(QUEUE);
        let (jobs, work) = mpsc::channel(1);
        let yamux = Yamux::new(socket.compat(), config, mode);
        let session = drive(yamux, wanted, work, Arc::clone(&routes));
        let mux = Self { opens, jobs, routes, turn: Arc::default(), owed: Arc::default() };
        (mux, Session(Box::pin(session)))
    }

    /// The streams that nobody knocked for: those of the plugin's main connection. Empty at the host's end, and when it
    /// was taken before.
    pub fn main(&self, security: Option<Security>) -> Incoming {
        let queue = routes::lock(&self.routes).take_main();
        Incoming::queued(queue, None, security)
    }

    /// Opens a stream, in clear, once all those opened before have reached the other side.
    ///
    /// # Errors
    /// The socket is closed.
    ///
    /// # Cancel safety
    /// Nothing is opened, or it is closed at once.
    pub async fn open(&self) -> io::Result<Connection> {
        let turn = self.turn().await;
        self.settle(self.owed()).await?;
        self.open_in(turn).await
    }

    /// Waits until nobody else is opening a stream.
    pub(crate) async fn turn(&self) -> Turn {
        Arc::clone(&self.turn).lock_owned().await
    }

    pub(crate) async fn open_in(&self, turn: Turn) -> io::Result<Connection> {
        Ok(Connection::new(Ordered::new(self.open_now().await?, turn)))
    }

    /// The other side learns of the stream now, and not with its first bytes: they may never come.
    async fn open_now(&self) -> io::Result<yamux::Stream> {
        let (opened, stream) = oneshot::channel();
        self.opens.send(opened).await.map_err(|_gone| closed())?;
        let mut stream = stream.await.map_err(|_gone| closed())?.map_err(io::Error::other)?;
        poll_fn(|cx| ordered::send_empty(&mut stream, cx)).await?;
        Ok(stream)
    }

    /// Runs what must not end with whoever wants it, as a part of the session; one at a time, by the holder of the turn.
    pub(crate) async fn run(
        &self,
        job: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        self.jobs.send(Box::pin(job)).await.map_err(|_gone| closed())
    }

    /// The other side has said yes to a knock that was given up: it takes the next stream for what was knocked for.
    pub(crate) fn owe(&self) {
        let more = |owed| (owed < QUEUE).then_some(owed + 1);
        // One that answers more often than it was asked gets no more for it.
        self.owed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok();
    }

    pub(crate) fn owed(&self) -> usize {
        self.owed.load(Ordering::Relaxed)
    }

    /// Opens and closes that many of the streams that are owed. Only the holder of the turn may do so.
    pub(crate) async fn settle(&self, owed: usize) -> io::Result<()> {
        for _ in 0..owed {
            drop(self.open_now().await?);
            self.owed.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Takes streams for `id` from now on. `None`: somebody does already, or the socket is closed.
    pub(crate) fn accept(&self, id: u32) -> Option<(mpsc::Receiver<Connection>, Registration)> {
        let queue = routes::lock(&self.routes).accept(id)?;
        Some((queue, Registration::new(Arc::clone(&self.routes), id)))
    }

    /// The next stream of the other side belongs to `id`. False: nobody accepts it.
    pub(crate) fn knock(&self, id: u32) -> bool {
        routes::lock(&self.routes).knock(id)
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the multiplexed socket is closed")
}

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mux").finish_non_exhaustive()
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

async fn drive(
    mut yamux: Yamux,
    mut wanted: mpsc::Receiver<Opened>,
    jobs: mpsc::Receiver<Job>,
    routes: Arc<Mutex<Routes>>,
) {
    let ending = Ending(routes);
    let mut next = None;
    let streams = poll_fn(|cx| {
        open_wanted(&mut yamux, &mut wanted, &mut next, cx);
        loop {
            match yamux.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => routes::lock(&ending.0).deliver(stream, cx),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(error)),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    let error = tokio::select! {
        biased;
        error = streams => error.map(|error| error.to_string()),
        () = work(jobs) => None,
    };
    debug!(error, "the multiplexed socket has ended");
}

async fn work(mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.recv().await {
        job.await;
    }
    // Without handles nothing more is to be done; streams that exist go on.
    pending::<()>().await;
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
                Poll::Ready(None) | Poll::Pending => return,
            }
        }
        let Poll::Ready(stream) = yamux.poll_new_outbound(cx) else { return };
        if let Some(opened) = next.take() {
            // A stream that nobody waits for any more is dropped before the other side learns of it.
            opened.send(stream).ok();
        }
    }
}
