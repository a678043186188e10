//! Black-box cases for any wharf plugin, in any language: what a host relies on, one case for each.
//!
//! [`Subject`] is the plugin under test, [`verify`] runs the cases that [`Wishes`] choose and answers a
//! [`Report`], which [`junit`] turns into what build servers read. The kit plays the host itself: it starts the
//! executable through the supervisor, makes the calls of the contract, and serves `Host` with scripted answers. It
//! needs no server and no data folder, and fetches nothing from a network.
//!
//! [`Testbed`] is something else that authors need: an [`upstream`] that misbehaves.
//!
//! The way through it: `subject` reads manifest and samples, `bench` starts processes, `desk` is service `Host`,
//! `operation` makes one call and `watch` holds its events against the contract; `cases` is the list, a file per
//! group. Never judges by a plugin's source, and never starts what it was not pointed to.

mod bench;
mod cases;
mod contract;
mod desk;
mod error;
mod junit;
mod operation;
mod orphan;
mod raw;
mod recipe;
mod report;
mod sample;
mod subject;
mod testbed;
mod types;
mod units;
pub mod upstream;
mod verdict;
mod verify;
mod watch;

pub use cases::{About, list};
pub use error::Error;
pub use junit::junit;
pub use report::{Level, Outcome, Report, Row, Totals};
pub use sample::Given;
pub use subject::{Subject, plugin_in, plugin_of};
pub use testbed::Testbed;
pub use verify::{Wishes, verify};
