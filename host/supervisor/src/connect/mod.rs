//! From a handshake line to a process that answers: the address is judged ([`rules`]) and reached
//! ([`dial`]), TLS and HTTP/2 run inside ([`channel`]), health is asked for ([`health`]).
//! [`process`] is the handle that callers hold, made in [`parts`]; [`host_services`] serves what the plugin may ask of
//! the host, [`heartbeat`] and [`stdio`] run beside it, [`stop`] ends it. [`reattach`] describes a
//! plugin to another host, which then holds it as [`attached`]; [`private`] says whether it may be
//! dialled without TLS.
//!
//! It never falls back to plain text, and never waits without a deadline.

mod attached;
pub(crate) mod channel;
pub(crate) mod dial;
pub(crate) mod health;
mod heartbeat;
mod host_services;
mod parts;
mod private;
mod process;
mod reattach;
pub(crate) mod rules;
mod shared;
mod stdio;
mod stop;

pub(crate) use attached::Attached;
pub(crate) use host_services::HostSocket;
pub use host_services::PeerProcess;
pub(crate) use parts::Parts;
pub use process::{Handshake, Process};
pub use reattach::Reattach;
pub use rules::SocketPolicy;
pub(crate) use shared::{Shared, Taint};
pub(crate) use stop::StopTimes;
pub use stop::{StopStep, Stopped};
