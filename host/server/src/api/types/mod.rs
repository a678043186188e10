//! The JSON that travels over the HTTP API, in both directions.
//!
//! These types are the server's own: no stored row and no wire message of a plugin leaves the
//! house through them unchanged, so either side may move without the other. They hold no logic
//! beyond small questions about themselves. A client ignores fields that it does not know; the
//! server refuses unknown fields in a request body, because a misspelt option that is silently
//! dropped does the wrong thing quietly.
//!
//! Times are milliseconds since 1970-01-01 UTC (`*_ms`), sizes are bytes, and every optional
//! field is left out when it has nothing to say.

mod build;
mod callback;
mod client_config;
mod edit;
mod history;
mod instance;
mod job;
mod key;
mod plugin;
mod problem;
mod repository;
mod schedule;
mod secret;
mod status;
mod unit;
mod upload;

pub use build::{
    BuildRequest, BuildTemplate, Building, ImportImageRequest, PushRequest, Target, TargetComponent,
};
pub use callback::{
    Callback, CallbackData, CallbackEvent, CallbackRequest, Delivery, DeliveryState,
};
pub use client_config::{ClientConfig, ClientFile};
pub use edit::{
    ChangeRepository, CopyRequest, GcRequest, RemoveRequest, RollbackRequest, VerifyRequest,
};
pub use history::{RepositoryPage, Run};
pub use instance::{ChangeInstance, CheckReport, CreateInstance, Instance, SettingProblem};
pub use job::{
    Item, Job, JobList, JobPlugin, JobResult, JobState, JobSubject, LogLine, LogPage,
    MigrationReport, Outcome, Progress, Warning,
};
pub use key::{CreateKey, Key, KeyAlgorithm};
pub use plugin::{Component, MigrateRequest, PendingMigration, Plugin, TypeInfo};
pub use problem::{Class, Problem, ProblemDocument};
pub use repository::{
    Attachment, Change, CreateRepository, DiffEntry, DiffPage, LastRun, PublicationInfo,
    PublishRequest, PutAttachment, Repository, Resolution, SyncRequest, Version,
};
pub use schedule::{CreateSchedule, Schedule};
pub use secret::{KeptIn, PutSecret, Secret, SecretKept};
pub use status::{Health, Status};
pub use unit::{FieldWish, FoundUnit, Holding, Selection, Unit, UnitFile, UnitPage, UnitSearch};
pub use upload::{Brought, CreateToken, CreateUpload, ImportRequest, ImportUpload, Token, Upload};
