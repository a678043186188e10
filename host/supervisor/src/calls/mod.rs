//! Typed calls to a plugin, one file per service of the contract.
//!
//! A short call is a function that answers; a long one returns [`Events`]. All take [`Bounds`] and
//! end in a [`CallError`] that says who is to blame: the plugin's own expected error, a
//! cancellation, a crash, silence, a broken contract. None ever waits without an end, and none
//! looks into what it carries.
//!
//! A process whose call did not end properly is remembered as unfit, so that a
//! [`crate::Supervisor`] does not lend it again.
//!
//! # Cancel safety
//! Dropping any of these futures, or [`Events`] before their end, cancels the call at the plugin, and
//! the process is unfit too: [`Events::done`] is for calls that have brought enough.

mod action;
mod bounds;
mod builder;
mod distributor;
mod error;
mod events;
mod importer;
mod plugin;
mod status;
mod unary;
mod unfinished;

pub use action::run;
pub use bounds::Bounds;
pub use builder::build;
pub use distributor::{client_config, publish, reissue, unpublish};
pub use error::CallError;
pub use events::Events;
pub use importer::{fetch, list, resolve, sync, upload};
pub use plugin::{
    attached, check, choices, describe, detached, hook, migrate, migrations, plan, ready,
};
