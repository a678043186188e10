//! go-plugin's broker: further gRPC connections between host and plugin, in either direction, each under a number.
//!
//! One side accepts a number, tells it to the other in a message of the application, and the other dials it. Where
//! that is, the broker says on a stream of its own ([`stream`]): either by announcing a new socket ([`slots`]), or, on
//! a multiplexed socket, by an answer to a knock. A number is always to be read as "dial this at the sender".

mod serving;
mod slots;
mod stream;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Channel;
use wharf_proto::goplugin::ConnInfo;
use wharf_proto::goplugin::conn_info::Knock;
use wharf_proto::handshake::Network;

pub use serving::Serving;
pub use stream::{BrokerService, BrokerStream};

use crate::connection::{Connection, Security};
use crate::incoming::Incoming;
use crate::listen::{Address, ListenError, Sockets};
use crate::mux::Mux;
use slots::Slots;

/// How far apart an announcement and the dial may be, and what a knock's answer may take; go-plugin's.
const WINDOW: Duration = Duration::from_secs(5);
/// Messages that wait for the stream.
const OUTGOING: usize = 64;

/// Makes and takes brokered connections. Clones are handles on the same broker.
#[derive(Clone)]
pub struct Broker(Arc<Shared>);

/// Why there is no brokered connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The other side did not announce it, or did not answer the knock.
    #[error(
        "the other side said nothing about brokered connection {id} within {WINDOW:?}; it must accept the number at most that long before or after it is dialled"
    )]
    Timeout {
        /// The connection's number.
        id: u32,
    },
    /// The broker's stream has ended, most often together with the other side.
    #[error(
        "the broker is closed: the connection to the other side has ended, or it offers no broker"
    )]
    Closed,
    /// The other side does not accept the number, or its address is not dialled.
    #[error("brokered connection {id} was refused: {reason}")]
    Refused {
        /// The connection's number.
        id: u32,
        /// What it says, or which rule it broke.
        reason: String,
    },
    /// The number is being accepted already.
    #[error(
        "brokered connection {id} is being accepted already; use `next_id` for every connection"
    )]
    InUse {
        /// The connection's number.
        id: u32,
    },
    /// No listener can be made.
    #[error("brokered connection {id} cannot be accepted: {source}")]
    Listen {
        /// The connection's number.
        id: u32,
        /// What went wrong.
        source: ListenError,
    },
    /// The other side accepts it, and cannot be reached.
    #[error("brokered connection {id} cannot be made: {source}")]
    Connect {
        /// The connection's number.
        id: u32,
        /// What went wrong.
        source: io::Error,
    },
}

/// What handles and stream have in common.
struct Shared {
    sockets: Sockets,
    security: Option<Security>,
    mux: Option<Mux>,
    last_id: AtomicU32,
    outgoing: mpsc::Sender<ConnInfo>,
    slots: Slots,
    /// The knock that waits for its answer; there is one at a time.
    knocking: Mutex<Option<Knocking>>,
    closed: CancellationToken,
}

struct Knocking {
    id: u32,
    /// `Err`: why not.
    answered: oneshot::Sender<Result<(), String>>,
}

impl Broker {
    /// A broker and its end of the stream. Listeners are made in `sockets` with the TLS of the main connection, or
    /// streams of `mux` are used for both directions.
    pub fn new(
        sockets: Sockets,
        security: Option<Security>,
        mux: Option<Mux>,
    ) -> (Self, BrokerStream) {
        let (outgoing, messages) = mpsc::channel(OUTGOING);
        let shared = Arc::new(Shared {
            sockets,
            security,
            mux,
            last_id: AtomicU32::new(0),
            outgoing,
            slots: Slots::default(),
            knocking: Mutex::new(None),
            closed: CancellationToken::new(),
        });
        (Self(Arc::clone(&shared)), BrokerStream::new(shared, messages))
    }

    /// A number that this side has not given before, from 1. The other side counts on its own.
    pub fn next_id(&self) -> u32 {
        self.0.last_id.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Accepts `id` from now on, until the result is dropped, and tells the other side where.
    ///
    /// # Errors
    /// `Closed`, `InUse`, `Listen`; `Timeout` when there is no stream to announce it on.
    pub async fn accept(&self, id: u32) -> Result<Incoming, BrokerError> {
        let shared = &self.0;
        if shared.closed.is_cancelled() {
            return Err(BrokerError::Closed);
        }
        let security = shared.security.clone();
        if let Some(mux) = &shared.mux {
            let (queue, registration) = mux.accept(id).ok_or(BrokerError::InUse { id })?;
            return Ok(Incoming::queued(queue, Some(registration), security));
        }
        let bound = shared.sockets.bind("broker-").await;
        let bound = bound.map_err(|source| BrokerError::Listen { id, source })?;
        let mut address = bound.address.clone();
        if let Some(addresses) = &shared.sockets.addresses {
            let told = addresses.announcing(address);
            address = told.map_err(|reason| BrokerError::Refused { id, reason })?;
        }
        let Address { network, text } = address;
        let announcement =
            ConnInfo { service_id: id, network: network.to_string(), address: text, knock: None };
        shared.send(id, announcement, Instant::now() + WINDOW).await?;
        Ok(Incoming::listening(bound, security))
    }

    /// Accepts `id` and serves `routes` there until the result is stopped or dropped, or the broker is closed.
    ///
    /// # Errors
    /// As [`Broker::accept`].
    pub async fn serve(&self, id: u32, routes: Routes) -> Result<Serving, BrokerError> {
        let incoming = self.accept(id).await?;
        Ok(Serving::start(incoming, routes, self.0.closed.child_token()))
    }

    /// Connects to what the other side accepts under `id`, which it may do up to 5 s before or after. A channel that
    /// loses its connection makes a new one by itself.
    ///
    /// # Errors
    /// `Timeout`, `Closed`, `Refused`, `Connect`.
    pub async fn dial(&self, id: u32) -> Result<Channel, BrokerError> {
        let deadline = Instant::now() + WINDOW;
        let failed = |source| BrokerError::Connect { id, source };
        if self.0.mux.is_some() {
            let first = self.0.dial_mux(id, deadline).await?;
            let shared = Arc::clone(&self.0);
            let again = move || {
                let shared = Arc::clone(&shared);
                async move {
                    let dialled = shared.dial_mux(id, Instant::now() + WINDOW).await;
                    dialled.map_err(io::Error::other)
                }
            };
            return open(first, again).await.map_err(failed);
        }
        let address = self.0.announced(id, deadline).await?;
        let again = {
            let shared = Arc::clone(&self.0);
            move || {
                let (shared, address) = (Arc::clone(&shared), address.clone());
                async move { shared.connect(&address).await }
            }
        };
        let first = again().await.map_err(failed)?;
        open(first, again).await.map_err(failed)
    }
}

async fn open<F, C>(first: Connection, again: F) -> io::Result<Channel>
where
    F: Fn() -> C + Clone + Send + Sync + 'static,
    C: Future<Output = io::Result<Connection>> + Send + 'static,
{
    match timeout(WINDOW, crate::channel(first, again)).await {
        Ok(opened) => opened.map_err(io::Error::other),
        Err(_elapsed) => Err(silent()),
    }
}

impl Shared {
    async fn send(&self, id: u32, message: ConnInfo, deadline: Instant) -> Result<(), BrokerError> {
        tokio::select! {
            biased;
            () = self.closed.cancelled() => Err(BrokerError::Closed),
            sent = timeout_at(deadline, self.outgoing.send(message)) => match sent {
                Ok(sent) => sent.map_err(|_gone| BrokerError::Closed),
                Err(_elapsed) => Err(BrokerError::Timeout { id }),
            },
        }
    }

    /// What the other side says about `id`, in its words made ours.
    async fn announced(&self, id: u32, deadline: Instant) -> Result<Address, BrokerError> {
        let told = tokio::select! {
            biased;
            () = self.closed.cancelled() => return Err(BrokerError::Closed),
            told = timeout_at(deadline, self.slots.take(id)) => told,
        };
        let address = told.map_err(|_elapsed| BrokerError::Timeout { id })?;
        match &self.sockets.addresses {
            None => Ok(address),
            Some(rule) => {
                rule.announced(address).map_err(|reason| BrokerError::Refused { id, reason })
            }
        }
    }

    async fn connect(&self, address: &Address) -> io::Result<Connection> {
        let connected = async {
            let socket: Connection = match address.network {
                Network::Unix => tokio::net::UnixStream::connect(&address.text).await?.into(),
                Network::Tcp => {
                    let stream = tokio::net::TcpStream::connect(&address.text).await?;
                    stream.set_nodelay(true)?;
                    stream.into()
                }
            };
            socket.into_client(self.security.as_ref()).await
        };
        timeout(WINDOW, connected).await.unwrap_or_else(|_elapsed| Err(silent()))
    }

    async fn dial_mux(&self, id: u32, deadline: Instant) -> Result<Connection, BrokerError> {
        let mux = self.mux.as_ref().ok_or(BrokerError::Closed)?;
        let failed = |source| BrokerError::Connect { id, source };
        let turn = timeout_at(deadline, mux.turn()).await;
        let turn = turn.map_err(|_elapsed| BrokerError::Timeout { id })?;
        self.knock(id, deadline).await?;
        let dialled = async {
            let stream = mux.open_in(turn).await?;
            stream.into_client(self.security.as_ref()).await
        };
        let dialled = timeout(WINDOW, dialled).await.unwrap_or_else(|_elapsed| Err(silent()));
        dialled.map_err(failed)
    }

    /// Asks whether `id` is accepted. Only its caller, who holds the turn, may do so.
    async fn knock(&self, id: u32, deadline: Instant) -> Result<(), BrokerError> {
        let (answered, answer) = oneshot::channel();
        *self.knocking.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Knocking { id, answered });
        self.send(id, knock(id, false, String::new()), deadline).await?;
        let answer = tokio::select! {
            biased;
            () = self.closed.cancelled() => return Err(BrokerError::Closed),
            answer = timeout_at(deadline, answer) => answer,
        };
        match answer {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(reason))) => Err(BrokerError::Refused { id, reason }),
            Ok(Err(_gone)) => Err(BrokerError::Closed),
            Err(_elapsed) => Err(BrokerError::Timeout { id }),
        }
    }

    /// Takes a message of the other side; the answer that it wants, if any.
    fn received(&self, message: ConnInfo) -> Option<ConnInfo> {
        let id = message.service_id;
        match message.knock {
            Some(answer) if answer.ack => {
                self.knock_answered(id, answer.error);
                None
            }
            Some(asked) => asked.knock.then(|| self.knocked(id)),
            None => {
                self.slots.put(id, &message.network, message.address);
                None
            }
        }
    }

    fn knocked(&self, id: u32) -> ConnInfo {
        let accepted = self.mux.as_ref().is_some_and(|mux| mux.knock(id));
        let error = if accepted { String::new() } else { format!("no listener for id {id}") };
        knock(id, true, error)
    }

    fn knock_answered(&self, id: u32, error: String) {
        let mut knocking = self.knocking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(knocking) = knocking.take_if(|knocking| knocking.id == id) {
            // If nobody waits, whoever knocked has given up.
            knocking.answered.send(if error.is_empty() { Ok(()) } else { Err(error) }).ok();
        }
    }
}

fn knock(id: u32, ack: bool, error: String) -> ConnInfo {
    let knock = Some(Knock { knock: true, ack, error });
    ConnInfo { service_id: id, knock, ..ConnInfo::default() }
}

fn silent() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the other side does not shake hands")
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("closed", &self.0.closed.is_cancelled())
            .finish_non_exhaustive()
    }
}
