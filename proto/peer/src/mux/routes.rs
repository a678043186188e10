//! Where streams of the other side go.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::compat::FuturesAsyncReadCompatExt as _;
use tracing::warn;

use super::{QUEUE, ordered};
use crate::connection::Connection;

/// For how long a stream may follow its knock.
const KNOCK_WINDOW: Duration = Duration::from_secs(5);
/// Knocks whose streams have not come yet.
const MAX_KNOCKS: usize = 64;

#[derive(Default)]
pub(super) struct Routes {
    /// For streams that nobody knocked for. `None`: there is no server for them.
    main: Option<mpsc::Sender<Connection>>,
    main_queue: Option<mpsc::Receiver<Connection>>,
    accepting: HashMap<u32, mpsc::Sender<Connection>>,
    knocks: VecDeque<(u32, Instant)>,
    ended: bool,
}

impl Routes {
    /// Those of a plugin, whose main server may come later than the first stream.
    pub(super) fn with_main() -> Self {
        let (main, main_queue) = mpsc::channel(QUEUE);
        Self { main: Some(main), main_queue: Some(main_queue), ..Self::default() }
    }

    pub(super) fn take_main(&mut self) -> mpsc::Receiver<Connection> {
        self.main_queue.take().unwrap_or_else(|| mpsc::channel(1).1)
    }

    pub(super) fn accept(&mut self, id: u32) -> Option<mpsc::Receiver<Connection>> {
        if self.ended || self.accepting.contains_key(&id) {
            return None;
        }
        let (streams, queue) = mpsc::channel(QUEUE);
        self.accepting.insert(id, streams);
        Some(queue)
    }

    pub(super) fn knock(&mut self, id: u32) -> bool {
        self.forget_old_knocks();
        let good = self.accepting.contains_key(&id) && self.knocks.len() < MAX_KNOCKS;
        if good {
            self.knocks.push_back((id, Instant::now()));
        }
        good
    }

    fn forget_old_knocks(&mut self) {
        self.knocks.retain(|(_, when)| when.elapsed() < KNOCK_WINDOW);
    }

    /// Never waits: a server that does not take its streams loses them, and holds up nobody else. So the other side is
    /// told that a stream was taken, whether or not its server does anything yet.
    pub(super) fn deliver(&mut self, mut stream: yamux::Stream, cx: &mut Context<'_>) {
        self.forget_old_knocks();
        let id = self.knocks.pop_front().map(|(id, _)| id);
        let server = match &id {
            None => self.main.as_ref(),
            Some(id) => self.accepting.get(id),
        };
        let Some(Ok(place)) = server.map(mpsc::Sender::try_reserve) else {
            warn!(id, "nobody takes a multiplexed connection");
            return;
        };
        // A new stream has room for it; and if its session has just ended, whoever reads it learns that.
        drop(ordered::send_empty(&mut stream, cx));
        place.send(Connection::new(stream.compat()));
    }

    /// Whoever waits for streams learns that there will be none.
    fn end(&mut self) {
        self.ended = true;
        self.accepting.clear();
        self.main = None;
    }
}

pub(super) fn lock(routes: &Mutex<Routes>) -> MutexGuard<'_, Routes> {
    routes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the routes of the end, however it comes.
pub(super) struct Ending(pub(super) Arc<Mutex<Routes>>);

impl Drop for Ending {
    fn drop(&mut self) {
        lock(&self.0).end();
    }
}

/// Somebody takes streams for an id, until this is dropped.
pub(crate) struct Registration {
    routes: Arc<Mutex<Routes>>,
    id: u32,
}

impl Registration {
    pub(super) fn new(routes: Arc<Mutex<Routes>>, id: u32) -> Self {
        Self { routes, id }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.routes).accepting.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::UnixStream;
    use tokio::task::JoinSet;
    use tokio_stream::StreamExt as _;

    use super::super::{Mux, Session};
    use super::*;

    fn pair(tasks: &mut JoinSet<()>) -> (Mux, Mux) {
        let (near, far) = UnixStream::pair().unwrap();
        let (host, session): (Mux, Session) = Mux::client(near.into());
        tasks.spawn(session);
        let (plugin, session) = Mux::server(far.into());
        tasks.spawn(session);
        (host, plugin)
    }

    // P41
    #[tokio::test(start_paused = true)]
    async fn a_knock_that_no_stream_follows_is_forgotten() {
        let mut tasks = JoinSet::new();
        let (host, plugin) = pair(&mut tasks);
        let (_queue, _registration) = plugin.accept(3).unwrap();
        assert!(plugin.knock(3));
        tokio::time::advance(KNOCK_WINDOW).await;
        let _stream = host.open().await.unwrap();
        assert!(plugin.main(None).next().await.unwrap().is_ok());
    }

    // P40, X6
    #[tokio::test]
    async fn the_host_refuses_streams_that_it_has_not_said_yes_to() {
        let mut tasks = JoinSet::new();
        let (host, plugin) = pair(&mut tasks);
        for _ in 0..3 * QUEUE {
            let mut stream = plugin.open().await.unwrap();
            assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "closed at once");
        }
        assert!(host.main(None).next().await.is_none());
    }

    // X6
    #[tokio::test]
    async fn a_flood_of_knocks_is_bounded() {
        let mut tasks = JoinSet::new();
        let (_host, plugin) = pair(&mut tasks);
        let (_queue, _registration) = plugin.accept(3).unwrap();
        let good = (0..1_000).filter(|_| plugin.knock(3)).count();
        assert_eq!((good, lock(&plugin.routes).knocks.len()), (MAX_KNOCKS, MAX_KNOCKS));
    }
}
