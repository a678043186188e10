//! Processes by plugin: lent, reused, restarted with patience, ended together.
//!
//! [`Supervisor::lease`] lends a process of a plugin, an idle one or a new one; [`Lease`] gives it
//! back when dropped. [`pool`] is the book-keeping, without a process in sight; [`backoff`] decides
//! when a plugin that fails is tried again, [`idle`] stops what nobody uses, [`recycle`] what was
//! used long enough. One lock guards all books and is never held while something is awaited.

mod backoff;
mod config;
mod idle;
mod lease;
mod pool;
mod recycle;
mod supervisor;
mod verify;

pub use config::Config;
pub use lease::Lease;
pub use pool::{PluginState, State};
pub use supervisor::Supervisor;
