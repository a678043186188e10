//! Plugin processes and calls to them. Of use alone as a host library for go-plugin plugins.
//!
//! A plugin is a child process that prints one handshake line and then serves gRPC on a private
//! socket. This crate finds plugins ([`Catalog`]), starts and ends their processes ([`Launch`],
//! [`Process`]), lends them out ([`Supervisor`]) and makes typed calls ([`calls`]). Whatever
//! happens to a plugin ends in an [`Error`] or a [`CallError`] with the evidence, and leaves
//! nothing behind, even when the host is killed.
//!
//! It knows no repository and no job, and never looks into what it carries.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use wharf_supervisor::{Bounds, Launch, calls};
//!
//! let process = Launch::new("./wharf-plugin-hello").start().await?;
//! let bounds = Bounds::new(Duration::from_secs(10));
//! let who = calls::describe(&process, Default::default(), &bounds).await?;
//! assert_eq!(who.name, "hello");
//! process.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Every other plugin of go-plugin is hosted in the same way, with its own cookie, its own versions
//! and the clients that were generated for it:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use kv::{PutRequest, kv_client::KvClient};
//! use wharf_supervisor::{EnvPolicy, Launch, Tls};
//!
//! let process = Launch::new("./kv-go-grpc")
//!     .cookie("BASIC_PLUGIN", "hello")
//!     .versions(&[1, 2])
//!     .env(EnvPolicy::Inherit)
//!     .tls(Tls::Off)
//!     .start()
//!     .await?;
//! let mut client = match process.handshake().app_version {
//!     1 => KvClient::new(process.channel()),
//!     _ => KvClient::new(process.channel()).max_decoding_message_size(64 << 20),
//! };
//! client.put(PutRequest { key: "a".into(), value: b"b".to_vec() }).await?;
//! process.stop().await;
//! # Ok(())
//! # }
//! ```

pub mod calls;
mod catalog;
mod connect;
mod error;
mod exit;
#[doc(hidden)]
pub mod fuzzing;
mod launch;
mod lifecycle;
mod patience;
mod text;
mod time;

pub use calls::{Bounds, CallError, Events};
pub use catalog::{
    Broken, Catalog, Component, Conflict, Context, Hook, HookFilter, Installed, Legacy, Maintainer,
    Manifest, ManifestLimits, Migration, Protocol, Requires, Role, Root, RootKind, SearchPath,
    Site, Trust, TypeFile, check_name,
};
pub use connect::{Handshake, PeerProcess, Process, Reattach, SocketPolicy, StopStep, Stopped};
pub use error::Error;
pub use exit::{ByHost, Exit, Reached};
pub use launch::{
    Checksum, EnvPolicy, Guardian, Launch, Limits, LogLine, Mask, Pipe, Runner, Running, Spec,
    Stdin, Tls, discover, guardian_main, remove_lent, standard_runtime_dir,
};
pub use lifecycle::{Config, Lease, PluginState, State, Supervisor};
pub use wharf_peer::{
    Address, Broker, BrokerError, Connection, Incoming, ListenError, Security, Serving,
};
pub use wharf_proto::handshake::Network;
pub use wharf_proto::tls::Identity;
