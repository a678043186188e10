//! The hello plugin as a process, driven by hand as a go-plugin host would: handshake, TLS, health, stop.
//! P-numbers are those of the conformance list.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod calls;
mod child;
mod start;
mod stop;
