//! go-plugin's broker: further gRPC connections between host and plugin, in either direction, each under a number.
//!
//! One side accepts a number, tells it to the other in a message of the application, and the other dials it. Where
//! that is, the broker says on a stream of its own ([`stream`]): either by announcing a new socket ([`slots`]), or, on
//! a multiplexed socket, by an answer to a knock. A number is always to be read as "dial this at the sender".

mod dialling;
mod numbers;
mod serving;
mod slots;
mod stream;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Channel;
use wharf_proto::goplugin::ConnInfo;
use wharf_proto::goplugin::conn_info::Knock;

pub(crate) use numbers::Number;
pub use serving::Serving;
pub use stream::{BrokerService, BrokerStream};

use crate::connection::Security;
use crate::incoming::Incoming;
use crate::listen::{Address, ListenError, Sockets};
use crate::mux::Mux;
use numbers::Numbers;
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
    /// Those that this side accepts.
    accepting: Numbers,
    outgoing: mpsc::Sender<ConnInfo>,
    slots: Slots,
    /// The knock that waits for its answer; there is one at a time.
    knocking: Mutex<Option<Knocking>>,
    closed: CancellationToken,
}

struct Knocking {
    id: u32,
    /// How many streams [`Mux::owe`] counted before. `Err`: why not.
    answered: oneshot::Sender<Result<usize, String>>,
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
            accepting: Numbers::default(),
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
        let number = shared.accepting.take(id).ok_or(BrokerError::InUse { id })?;
        let security = shared.security.clone();
        if let Some(mux) = &shared.mux {
            let (queue, registration) = mux.accept(id).ok_or(BrokerError::Closed)?;
            return Ok(Incoming::queued(queue, Some(registration), security).numbered(number));
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
        Ok(Incoming::listening(bound, security).numbered(number))
    }

    /// Accepts `id` and serves `routes` there until the result is stopped or dropped, or the broker is closed.
    ///
    /// # Errors
    /// As [`Broker::accept`].
    pub async fn serve(&self, id: u32, routes: impl Into<Routes>) -> Result<Serving, BrokerError> {
        let routes = routes.into();
        let incoming = self.accept(id).await?;
        Ok(Serving::start(incoming, routes, self.0.closed.child_token()))
    }

    /// Connects to what the other side accepts under `id`, which it may do up to 5 s before or after. A channel that
    /// loses its connection makes a new one by itself.
    ///
    /// # Errors
    /// `Timeout`, `Closed`, `Refused`, `Connect`.
    ///
    /// # Cancel safety
    /// A dial that is given up disturbs no other one.
    pub async fn dial(&self, id: u32) -> Result<Channel, BrokerError> {
        dialling::dial(&self.0, id).await
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
        let Some(mux) = &self.mux else { return };
        let mut knocking = self.knocking.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = knocking.take_if(|knocking| knocking.id == id);
        let good = error.is_empty();
        let answer = if good { Ok(mux.owed()) } else { Err(error) };
        let told = waiting.is_some_and(|waiting| waiting.answered.send(answer).is_ok());
        if good && !told {
            mux.owe();
        }
    }
}

fn knock(id: u32, ack: bool, error: String) -> ConnInfo {
    let knock = Some(Knock { knock: true, ack, error });
    ConnInfo { service_id: id, knock, ..ConnInfo::default() }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("closed", &self.0.closed.is_cancelled())
            .finish_non_exhaustive()
    }
}
