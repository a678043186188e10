//! Real processes: shell scripts for what goes wrong before a plugin serves, the example
//! `supervised-plugin` for what goes wrong afterwards. Numbers F are those of the fault catalogue,
//! H those of the go-plugin conformance list.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

mod calls;
mod handshake;
mod life;
mod pool;
mod support;
mod tree;
