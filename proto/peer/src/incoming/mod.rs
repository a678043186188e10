//! Connections as they come in, each with its TLS handshake on its own, so that a silent caller keeps nobody waiting.
//! There are only so many of them at a time; and whoever serves them can end them all ([`Held`]).

mod held;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::broker::Number;
use crate::connection::{Connection, Security};
use crate::listen::Bound;
use crate::mux::Registration;
use held::{Held, Place};

/// Connections at a time, those in their TLS handshake among them. More wait until one of them ends.
const CONNECTIONS: usize = 64;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after a failed accept: the system is out of something and needs time.
const BREATH: Duration = Duration::from_millis(50);

/// All connections that come in and prove themselves, at most 64 at a time; for tonic's `serve_with_incoming`. Dropping it
/// closes the listener and removes its socket.
pub struct Incoming {
    connections: Pin<Box<dyn Stream<Item = io::Result<Connection>> + Send>>,
    cut: CancellationToken,
    /// Given back when nothing is left of what has it.
    _number: Option<Number>,
}

impl Incoming {
    /// Those of a listener.
    pub fn listening(bound: Bound, security: Option<Security>) -> Self {
        Self::of(Source::Socket(bound), security)
    }

    /// Those of a multiplexed socket; they end with it.
    pub(crate) fn queued(
        queue: mpsc::Receiver<Connection>,
        registration: Option<Registration>,
        security: Option<Security>,
    ) -> Self {
        Self::of(Source::Queue { queue, _registration: registration }, security)
    }

    fn of(source: Source, security: Option<Security>) -> Self {
        let (places, cut) = (Arc::new(Semaphore::new(CONNECTIONS)), CancellationToken::new());
        let greeting = JoinSet::new();
        let accepting = Accepting { source, security, places, cut: cut.clone(), greeting };
        let connections = stream::unfold(accepting, async |mut accepting| {
            accepting.next().await.map(|connection| (Ok(connection), accepting))
        });
        Self { connections: connections.boxed(), cut, _number: None }
    }

    pub(crate) fn numbered(self, number: Number) -> Self {
        Self { _number: Some(number), ..self }
    }

    /// Ends all connections when it is cancelled, and tonic's tasks with them, which nobody owns.
    pub(crate) fn cut(&self) -> CancellationToken {
        self.cut.clone()
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connections.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}

enum Source {
    Socket(Bound),
    Queue {
        queue: mpsc::Receiver<Connection>,
        /// Takes the queue off the multiplexer's list.
        _registration: Option<Registration>,
    },
}

impl Source {
    /// `None`: there will be no more.
    async fn accept(&mut self) -> Option<Connection> {
        match self {
            Self::Queue { queue, .. } => queue.recv().await,
            Self::Socket(bound) => loop {
                match bound.listener.accept().await {
                    Ok(connection) => return Some(connection),
                    Err(error) => {
                        warn!(%error, "cannot accept a connection");
                        sleep(BREATH).await;
                    }
                }
            },
        }
    }
}

struct Accepting {
    source: Source,
    security: Option<Security>,
    places: Arc<Semaphore>,
    cut: CancellationToken,
    greeting: JoinSet<Option<Connection>>,
}

impl Accepting {
    async fn next(&mut self) -> Option<Connection> {
        loop {
            tokio::select! {
                accepted = accept(&mut self.source, &self.places) => {
                    let (connection, place) = accepted?;
                    let connection = Held::hold(connection, place, &self.cut);
                    match &self.security {
                        None => return Some(connection),
                        Some(security) => {
                            self.greeting.spawn(greet(connection, security.clone()));
                        }
                    }
                }
                Some(greeted) = self.greeting.join_next() => if let Ok(Some(connection)) = greeted {
                    return Some(connection);
                },
            }
        }
    }
}

/// The next one, once there is a place for it. `None`: there will be no more.
async fn accept(source: &mut Source, places: &Arc<Semaphore>) -> Option<(Connection, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    Some((source.accept().await?, place))
}

async fn greet(connection: Connection, security: Security) -> Option<Connection> {
    match timeout(HANDSHAKE_TIMEOUT, connection.into_server(Some(&security))).await {
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) => {
            warn!(%error, "refused a caller that is not the expected one");
            None
        }
        Err(_elapsed) => {
            warn!("gave up on a caller that stayed silent");
            None
        }
    }
}
