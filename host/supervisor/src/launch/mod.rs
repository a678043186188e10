//! Starts plugin processes, or takes hold of one that runs. Nothing else in the project does.
//!
//! [`builder`] gathers what a caller wants, with [`wire`] and [`streams`]; [`conflicts`] finds what
//! does not go together. [`start`] makes the [`place`] with its private [`folder`] (below [`parent`])
//! and the [`environment`], and starts the process: under a guardian ([`guardian`], [`tree`]), from a
//! pinned executable if so wished ([`checksum`]), or by a [`runner`]. [`trial`] lets it prove itself:
//! [`handshake`], [`tls`], a first answer.
//! [`attach`] takes hold of a plugin that somebody else started. [`hold`] is what all of them come
//! to; then [`crate::connect`] takes over. What a plugin writes is drained by [`output`] from its
//! first byte on, and [`diagnose`] finds words for what went wrong.
//!
//! A start that fails or is dropped leaves nothing behind.

mod attach;
mod begin;
mod builder;
mod checksum;
mod conflicts;
mod diagnose;
mod discover;
mod environment;
pub(crate) mod folder;
mod group;
pub(crate) mod guardian;
mod handshake;
pub(crate) mod hold;
pub(crate) mod lent;
mod limits;
mod memory;
pub(crate) mod output;
mod parent;
mod place;
mod remove;
mod runner;
mod start;
mod streams;
mod tls;
pub(crate) mod tree;
mod trial;
mod wire;

pub use builder::Launch;
pub(crate) use builder::{GRACE, START_TIMEOUT};
pub use checksum::Checksum;
pub use discover::discover;
pub use environment::EnvPolicy;
pub use guardian::{Guardian, guardian_main};
pub use lent::remove_lent;
pub use limits::Limits;
pub use output::{LogLine, Mask};
pub use parent::standard_runtime_dir;
pub use runner::{Pipe, Runner, Running, Spec};
pub use streams::Stdin;
pub(crate) use streams::Synced;
pub use tls::Tls;
pub(crate) use wire::MAX_MESSAGE_BYTES;
