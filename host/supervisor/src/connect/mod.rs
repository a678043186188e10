//! From a handshake line to a process that answers: the socket is checked and dialled ([`dial`]),
//! TLS pins the plugin's certificate, HTTP/2 runs inside ([`channel`]), health is asked for
//! ([`health`]). [`process`] is the handle that callers hold; [`host_services`] serves what the
//! plugin may ask of the host, [`heartbeat`] and [`stdio`] run beside it, [`stop`] ends it.
//!
//! It never falls back to plain text, and never waits without a deadline.

pub(crate) mod channel;
pub(crate) mod dial;
pub(crate) mod health;
mod heartbeat;
mod host_services;
mod process;
mod stdio;
mod stop;

pub(crate) use host_services::HostServices;
pub use host_services::PeerProcess;
pub use process::{Handshake, Process};
pub(crate) use process::{Parts, Shared, Taint};
pub(crate) use stop::StopTimes;
pub use stop::{StopStep, Stopped};
