//! Both sides of wharf against real peers. Every test begins with what it covers of `conformance.txt`.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends by a panic, and starts programs as a user does"
)]

mod broker;
mod calls;
mod ends;
mod faults;
mod hosts;
mod languages;
mod logs;
mod matrix;
mod mux;
mod output;
mod probe;
mod reattach;
mod support;
mod tls;
mod tls_kinds;
