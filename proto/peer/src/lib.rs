//! What both ends of a go-plugin connection share: sockets and TLS ([`Connection`], [`Listener`]), channels
//! ([`channel`]), further connections in either direction ([`Broker`]), and all of them through one socket ([`Mux`]).
//!
//! Who is host and who is plugin makes no difference here but in two places: the host opens the broker's stream
//! ([`BrokerStream::run`]), the plugin serves it ([`BrokerStream::service`]); and the host is the multiplexer's client
//! ([`Mux::client`]), the plugin its server ([`Mux::server`]).
//!
//! Never starts a process, reads the environment or prints.

mod broker;
mod channel;
mod connection;
mod dial;
mod incoming;
mod listen;
mod mux;

pub use broker::{Broker, BrokerError, BrokerService, BrokerStream, Serving};
pub use channel::{CONNECTION_WINDOW, STREAM_WINDOW, channel};
pub use connection::{Connection, Security};
pub use dial::{DialError, DialRules, dial};
pub use incoming::Incoming;
pub use listen::{Address, Addresses, Bound, ListenError, Listener, MAX_SOCKET_PATH, Sockets};
pub use mux::{Mux, Session};
