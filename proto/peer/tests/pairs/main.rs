//! Host's and plugin's ends of this crate against each other, over real sockets. Real peers of other make are under
//! `tests/interop`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

mod announced;
mod hostile;
mod knocked;
mod support;
