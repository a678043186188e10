//! Support for tests that need more than one crate: a host to test, upstream servers that misbehave on request, trees
//! of files, and a look at the processes of the machine.
//!
//! Never used by the product. The way through it: a test makes a [`Tree`], serves it with an [`Upstream`], and runs the
//! program `wharf` of this build in a [`TestHost`], whose `finish` checks that nothing was left behind. What the
//! program must always hold is in [`invariants`]. All of it blocks: a test is one thread that waits with deadlines.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot set up its world ends by a panic, and starts programs as a user does"
)]

pub mod apache;
pub mod apt;
pub mod authority;
pub mod daemon;
pub mod debian;
pub mod gate;
pub mod gpg;
pub mod http;
pub mod invariants;
pub mod keyring;
pub mod moodle;
pub mod nginx;
pub mod ordinary;
pub mod processes;
pub mod providers;
pub mod python;
pub mod random;
pub mod receiver;
pub mod relay;
pub mod samba;
pub mod share;
pub mod tree;
pub mod upload;
pub mod upstream;
pub mod wait;
pub mod wharf;
pub mod wsgidav;

pub use receiver::{Receiver, Reply};
pub use tree::Tree;
pub use upstream::{Trick, Upstream};
pub use wharf::{Run, TestHost};
