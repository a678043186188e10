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

pub mod calls;
mod catalog;
mod connect;
mod error;
mod exit;
mod launch;
mod lifecycle;
mod text;

pub use calls::{Bounds, CallError, Events};
pub use catalog::{
    Catalog, Component, Conflict, Context, Hook, HookFilter, Installed, Legacy, Limits, Maintainer,
    Manifest, Migration, Protocol, Requires, Role, Root, RootKind, SearchPath, TypeFile,
};
pub use connect::{Handshake, PeerProcess, Process, StopStep, Stopped};
pub use error::Error;
pub use exit::{ByHost, Exit};
pub use launch::{
    EnvPolicy, Guardian, Launch, LogLine, SocketPolicy, guardian_main, standard_runtime_dir,
};
pub use lifecycle::{Config, Lease, PluginState, State, Supervisor};
