//! Plugins as processes, driven by hand as a go-plugin host would: handshake, TLS, services, broker, output, stop.
//! P-numbers are those of the conformance list.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod broker;
mod calls;
mod child;
mod logs;
mod mux;
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod probe {
    include!("../../examples/probe-plugin/gen/probe.v1.rs");
}
mod roles;
mod services;
mod start;
mod stdio;
mod stop;
mod tls;
