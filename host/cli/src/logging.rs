//! Log lines of the program itself, on standard error.
//!
//! A server logs its life from `info` on; a command keeps quiet about everything that its own
//! messages and the job's log say already.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::{Command, Global};
use crate::environment::Environment;

/// Starts logging for this process.
pub(crate) fn start(environment: &Environment, command: &Command, global: &Global) {
    let level = match (command, global.quiet, global.verbose) {
        (_, true, _) => "error",
        (Command::Serve(_), _, 0) => "info",
        (Command::Serve(_), _, 1) | (_, _, 2) => "debug",
        (_, _, 0) => "off",
        (_, _, 1) => "warn",
        _ => "trace",
    };
    let wanted = environment.log.as_deref();
    let filter = wanted.and_then(|wanted| EnvFilter::try_new(wanted).ok());
    let colour = std::io::stderr().is_terminal()
        && anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new(level)))
        .with_writer(std::io::stderr)
        // It would be told by eprintln!, which panics when nobody reads standard error, in whatever thread it is.
        .log_internal_errors(false)
        .with_ansi(colour)
        .with_target(false)
        .try_init();
    // Only a test that runs in one process with others finds a subscriber in place already.
    let _in_place = started;
}
