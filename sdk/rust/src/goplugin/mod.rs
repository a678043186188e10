//! Any gRPC service as a go-plugin plugin: a program that some host starts, talks to over a private socket, and stops.
//!
//! The host may be written with the Go library, with wharf's supervisor, or with anything else that speaks the
//! protocol; a plugin cannot tell and need not know. What an author brings are tonic services, one set for each
//! version of the application's own protocol. The rest is here: handshake, mutual TLS, health, reflection, orderly
//! stop, further connections in both directions ([`Broker`]), many connections in one socket, what is printed, logs.
//!
//! ```no_run
//! use wharf_sdk::goplugin::{Server, routes};
//! # use wharf_sdk::wire::action_server::{Action, ActionServer};
//! # struct Greeter;
//! # #[wharf_sdk::async_trait]
//! # impl Action for Greeter {
//! #     type RunStream = tokio_stream::Empty<Result<wharf_sdk::wire::Event, tonic::Status>>;
//! #     async fn run(&self, _: tonic::Request<wharf_sdk::wire::RunRequest>)
//! #         -> Result<tonic::Response<Self::RunStream>, tonic::Status> { Err(tonic::Status::unimplemented("")) }
//! # }
//! # type GreeterServer<T> = ActionServer<T>;
//!
//! fn main() -> std::process::ExitCode {
//!     Server::new("GREETER_PLUGIN", "a value that host and plugin agree on")
//!         .version(1, |_context| routes![GreeterServer::new(Greeter)])
//!         .serve()
//! }
//! ```
//!
//! The way through: [`Server`] collects; `edge` looks at the environment once and prints the one line; `life` goes
//! from the socket to the end, with `services` around the author's own; `stdio` carries what is printed. The same life
//! is lived in a test ([`Server::test`]) and under a debugger ([`Server::debug`]).
//!
//! Never knows what the services are about. wharf's own roles are services like any other: see [`crate::Plugin`].

mod calls;
mod context;
mod edge;
mod error;
mod kinds;
mod life;
mod logging;
mod panics;
mod reattach;
mod running;
mod server;
mod services;
mod set;
mod sockets;
mod stdio;
mod stop;

pub use context::Context;
pub use error::StartError;
pub use kinds::Mux;
pub use reattach::Reattach;
pub use running::Running;
pub use server::Server;
pub use set::Services;

/// See [`routes!`](crate::routes).
pub use crate::routes;
/// Services put together by hand.
pub use tonic::service::Routes;
/// TLS that the author brings, for [`Server::tls`].
pub use wharf_peer::Security;
/// Further connections in either direction, and what can go wrong with them.
pub use wharf_peer::{Broker, BrokerError, Incoming, Serving};

pub(crate) use edge::{exit, reserve_if_launched};
pub(crate) use server::GRACE;
use stdio::reserve;

/// The largest message that services made with [`routes!`](crate::routes) take: 64 MiB. tonic's own limit is 4 MiB,
/// and go-plugin hosts may send more. Larger things are better streamed.
pub const MAX_MESSAGE: usize = 64 << 20;

/// A set of services ([`Services`](crate::goplugin::Services)), each taking messages of up to [`MAX_MESSAGE`](crate::goplugin::MAX_MESSAGE):
/// `routes![KvServer::new(kv), AdminServer::new(admin)]`.
///
/// Where another limit is wanted, or none of these servers are generated ones, `Routes` does it by hand.
#[macro_export]
macro_rules! routes {
    ($first:expr $(, $more:expr)* $(,)?) => {
        $crate::goplugin::Services::default()
            .with($first.max_decoding_message_size($crate::goplugin::MAX_MESSAGE))
            $(.with($more.max_decoding_message_size($crate::goplugin::MAX_MESSAGE)))*
    };
}
