//! The four roles as traits, what every component answers besides, and the requests they are called with.
//!
//! An author implements one role trait per component and only the methods that the manifest's `operations`
//! name: every other method answers "not offered". Methods run on the plugin's runtime; long blocking work
//! belongs into `tokio::task::spawn_blocking`, or heartbeats go unanswered.

mod action;
mod builder;
mod component;
mod distributor;
mod hooks;
mod importer;
mod migrations;

pub use action::{Action, RunRequest};
pub use builder::{BuildRequest, Builder, Target};
pub use component::{Check, Checked, Choice, Component, Plan};
pub use distributor::{
    ClientConfig, ClientConfigRequest, Distributor, Publication, PublishRequest, ReissueRequest,
    UnpublishRequest,
};
pub(crate) use hooks::hooked;
pub use hooks::{After, Before, Hooks, Step};
pub use importer::{
    FetchRequest, Importer, LastSync, ListRequest, ResolveRequest, SyncRequest, UploadRequest,
};

pub use migrations::{Migration, Migrations};
pub use wharf_proto::v1::{CheckScope, Mode, Policy, Stage, TestMode};
