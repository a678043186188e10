//! Real peers from outside on the other side: the Go library, grpcio, grpc-js, plugins out of Debian.
//!
//! Support for the tests in `tests/peers`. `tests/interop/build` makes the peers; [`Program`] is one of their
//! plugins, [`GoHost`] one of their hosts; [`Calls`] is what wharf's host asks of any plugin here, [`Peer`] what wharf's
//! plugin answers. A [`World`] is the private corner of a test and checks that nothing is left in it.
//!
//! Never part of a product; nothing here leaves the machine.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that cannot set up its world ends by a panic, and starts programs as a user does"
)]

mod calls;
pub mod conformance;
mod go_host;
mod line;
mod places;
pub mod processes;
mod program;
mod service;
mod world;

pub use calls::{Calls, Outcome};
pub use go_host::{GoHost, HostRun, Library, StepResult};
pub use line::Spoken;
pub use places::{has, own_binary};
pub use program::{Program, python};
pub use service::{Peer, routes, server};
pub use world::World;

/// The service of the tests. Source: `tests/interop/proto/interop.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod v1 {
    include!("../proto/gen/interop.v1.rs");

    /// The encoded descriptors of this package, for reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("../proto/gen/interop.v1.bin");
}

/// The cookie of the Go programs and of wharf's plugin here.
pub const COOKIE: (&str, &str) = ("INTEROP_PLUGIN", "a plugin of the interop tests");
