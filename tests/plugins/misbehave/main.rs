//! A plugin that breaks the contract on request: one switch per fault, read from the attachment's setting `fault`
//! (faults of calls) or from the variable `MISBEHAVE` of the manifest (faults of the process).
//!
//! Written against the bare contract (`wharf-proto` and tonic), because the SDK makes most of these faults
//! impossible. Without a switch it is a plain, correct plugin. Never used outside tests.
//!
//! The way through it: `serve` does the handshake, `answers` is service Plugin and the orderly stop, `importer` and
//! `distributor` are the two roles, `fault` is what goes wrong, `chatter` what is said too often.
#![allow(
    clippy::disallowed_methods,
    clippy::exit,
    clippy::print_stdout,
    clippy::panic,
    reason = "a plugin's edge: reads its environment, prints its handshake, starts children, ends at once"
)]

mod answers;
mod chatter;
mod distributor;
mod fault;
mod importer;
mod made_up;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("daemonise") => fault::daemonise(),
        Some("linger") => fault::linger(),
        _ => serve::run(),
    }
}
