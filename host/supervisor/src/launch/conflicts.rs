//! Wishes that do not go together, found before anything is started.

use std::path::Path;

use super::Launch;
use super::builder::{Origin, is_bare};
use super::streams::Stdin;
use super::tls::Tls;

/// The first one, in words.
pub(super) fn find(launch: &Launch) -> Option<&'static str> {
    let of_this = match &launch.origin {
        Origin::Program(program) => of_a_start(launch, program),
        Origin::Running(_) => of_a_running_process(launch),
    };
    let heartbeat =
        launch.heartbeat.is_some_and(|(every, patience)| (every.min(patience)).is_zero());
    of_this.or(heartbeat.then_some("a heartbeat needs time between questions, and for an answer"))
}

fn of_a_start(launch: &Launch, program: &Path) -> Option<&'static str> {
    let runner = launch.runner.is_some();
    first([
        (program.as_os_str().is_empty(), "there is no program to start"),
        (
            launch.cookie.0.is_empty() || launch.cookie.1.is_empty(),
            "the magic cookie needs a key and a value; plugins refuse to run without",
        ),
        (launch.versions.is_empty(), "there is no application protocol version to agree on"),
        (
            runner && launch.checksum.is_some(),
            "the executable of a runner cannot be pinned; let the runner check it",
        ),
        (
            runner && launch.streams.stdin != Stdin::Null,
            "a runner's process cannot have the host's standard input",
        ),
        (
            launch.checksum.is_some() && is_bare(program),
            "an executable with a checksum must be given as a path",
        ),
    ])
}

fn of_a_running_process(launch: &Launch) -> Option<&'static str> {
    first([
        (launch.runner.is_some(), "a process is either reattached to or started by a runner"),
        (
            launch.checksum.is_some(),
            "the executable of a process that runs already cannot be pinned",
        ),
        (launch.wire.multiplex, "a process that runs already cannot be multiplexed"),
        (
            matches!(launch.wire.tls, Tls::Auto),
            "AutoMTLS needs a start of its own; reattach with Tls::Given or Tls::Off",
        ),
    ])
}

fn first<const N: usize>(wrongs: [(bool, &'static str); N]) -> Option<&'static str> {
    wrongs.into_iter().find_map(|(wrong, words)| wrong.then_some(words))
}
