//! Real processes: shell scripts for what goes wrong before a plugin serves, the example
//! `supervised-plugin` for what goes wrong afterwards. Numbers F are those of the fault catalogue,
//! H those of the go-plugin conformance list.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

mod attach;
mod broker;
mod calls;
mod crashes;
mod ends;
mod fake;
mod handshake;
mod idle;
mod life;
mod limits;
mod logs;
mod many;
mod orphans;
mod pinned;
mod placed;
mod pool;
mod raw;
mod recycle;
mod runner;
mod starts;
mod streams;
mod support;
mod taint;
mod transport;
mod tree;
mod waits;
mod wire;
