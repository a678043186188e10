//! Everything a wharf plugin in Rust needs: role traits, a context for each call, one [`Plugin::serve`], and a test
//! harness without a process. And everything that a plugin of any other go-plugin host needs: [`goplugin`].
//!
//! A plugin is a program that wharf starts. It announces a private socket with one line on standard output and
//! answers calls there, over mutual TLS, until it is told to stop. None of that is the author's business:
//!
//! ```no_run
//! use std::process::ExitCode;
//! use wharf_sdk::{Component, Context, Done, Error, Importer, Plugin, SyncRequest, Unit, async_trait};
//!
//! struct Greetings;
//! impl Component for Greetings {}
//!
//! #[async_trait]
//! impl Importer for Greetings {
//!     async fn sync(&self, _: SyncRequest, context: &Context) -> Result<Done, Error> {
//!         context.unit(Unit::new("greeting").key_json(r#"{"text":"hello"}"#)).await?;
//!         Ok(Done::changed().announced(1))
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     Plugin::new(include_str!("../examples/hello/plugin.json"))
//!         .importer("importer", Greetings)
//!         .serve()
//! }
//! ```
//!
//! The way through: [`role`-traits](Importer) say what an author writes; [`Context`] what a running call can tell
//! the host and ask of it; [`Unit`], [`File`], [`PublishedFile`] what goes over; [`testing`] how to try it all;
//! [`tool`] runs other programs for a call; [`goplugin`] is what is underneath, of use alone.
//! A plugin never opens the host's database and never learns a path outside its job.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod context;
mod error;
pub mod goplugin;
mod host;
mod model;
mod role;
mod serve;
pub mod testing;
mod text;
pub mod tool;

pub use context::{Ask, Context, HookContext, Outcome, Progress, Staging};
pub use error::{Class, Error, Scope};
pub use host::{
    Artifact, Claim, Download, Downloaded, Downloads, Grant, JobEnd, Query, SavedUnit, SignForm,
    Signed, State, StateScope, Stored, UnitPages, WatchedItem, WatchedItems,
};
pub use model::{
    Attachment, Contribution, Done, File, FileInfo, Instance, Job, Keep, ListedItem, ListedPath,
    PathError, PublishedFile, SecretName, Unit, UnitRef,
};
pub use role::{
    Action, After, Before, BuildRequest, Builder, Check, CheckScope, Checked, Choice, ClientConfig,
    ClientConfigRequest, Component, Distributor, FetchRequest, Hooks, Importer, LastSync,
    ListRequest, Migration, Migrations, Mode, Plan, Policy, Publication, PublishRequest,
    ReissueRequest, ResolveRequest, RunRequest, Stage, Step, SyncRequest, Target, TestMode,
    UnpublishRequest, UploadRequest,
};
pub use serve::Plugin;
pub use text::{is_misleading, printable};

/// For the methods of the role traits: `#[async_trait] impl Importer for ...`.
pub use tonic::async_trait;
/// Levels of log lines.
pub use tracing::Level;
/// The messages as they are on the wire. Authors rarely need them: tests do, and the rarer events.
pub use wharf_proto::v1 as wire;
