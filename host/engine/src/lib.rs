//! The engine: the only place where plugins and the store meet.
//!
//! [`Engine::open`] gives a handle. Repositories and attachments are made and changed at once; a sync or a publish
//! becomes a job (`jobs`) that follows one readable path (`sync`, `publish`, `builds`, `pushes`, `migrations`). Plugins parse formats; the engine moves
//! bytes (`fetch`), asks the store what is new, and commits versions and publications under a lease. What a plugin
//! may ask meanwhile is in `host_service`, and the keys that it may have used are in `signing`; the secrets that settings name are in `secrets`. Who is told how a job goes is in `callbacks`. Messages of the contract end in `convert`. Whose definitions of types count is
//! decided in `unit_types`.
//!
//! Never starts a process itself, knows no HTTP server, and prints nothing.
//!
//! A program of one's own that syncs and publishes with it is `examples/embed.rs`:
//!
//! ```no_run
#![doc = include_str!("../examples/embed.rs")]
//! ```

mod builds;
mod callbacks;
mod claims;
mod clock;
mod config;
mod content;
mod convert;
mod edit;
mod engine;
mod error;
pub mod fetch;
#[doc(hidden)]
pub mod fuzzing;
mod gc;
mod history;
mod hooks;
mod host_service;
mod imports;
mod instances;
mod jobs;
mod labels;
mod migrations;
mod plugins;
pub mod problem;
mod publish;
mod pushes;
mod repositories;
mod runs;
mod schedules;
mod secrets;
mod signing;
mod staging;
mod sync;
mod unit_types;
mod units;
mod upload;
mod verify;

pub use builds::{BuildFrom, BuildOptions, Building, ComponentTargets, TargetView};
pub use callbacks::{Callback, Config as CallbackConfig, Document as CallbackDocument};
pub use clock::Clock;
pub use config::Config;
pub use content::{Body, Content, FileContent, RemoteFile};
pub use edit::{CopyOptions, RemoveOptions, RollbackOptions};
pub use engine::Engine;
pub use error::Error;
pub use gc::GcOptions;
pub use history::{HistoryFilter, RepositoryPage};
pub use imports::{ImportImage, ImportOf};
pub use instances::settings::{ImporterSettings, Mode, OnFileError, Policy};
pub use instances::{CheckReport, InstanceView};
pub use jobs::view::{
    Asker, BroughtUnit, ItemReport, JobResult, JobState, JobView, MigrationReport, PluginProcess,
    Progress, Subject, WarningReport,
};
pub use migrations::{MigrateOptions, PendingMigration};
pub use plugins::{ComponentView, PluginView};
pub use problem::{Class, Problem};
pub use publish::{ClientConfig, ClientFile, PublishOptions, Resolution};
pub use pushes::PushOptions;
pub use repositories::{AttachmentView, DiffPage, RepositoryView, VersionView};
pub use schedules::ScheduleRequest;
pub use secrets::{KeptIn, SecretPlace, SecretView, SecretsConfig};
pub use signing::{KeyAlgorithm, KeyView, NewKey};
pub use sync::SyncOptions;
pub use unit_types::{CheckedType, TypeForm, TypeView, check_types};
pub use units::{FieldWish, FoundView, Selection, UnitPage, UnitSearchOptions, UnitView, Wish};
pub use upload::{
    ImportFile, ImportOptions, Limits as UploadLimits, NewToken, UploadOptions, UploadView,
};
pub use verify::VerifyOptions;
/// The right to a data folder: whoever opens an engine holds it, from before until after.
pub use wharf_store::Claim;
/// What an embedder's `main` needs of the supervisor.
pub use wharf_supervisor::{Guardian, SearchPath, guardian_main, standard_runtime_dir};
