//! The edge: the only place of the SDK that reads the environment and the arguments, and that writes to standard output
//! and standard error on its own account.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::sync::CancellationToken;
use wharf_proto::handshake::{Environment, Line, parse_versions};

use super::life::{self, Announcement, LAST_WORDS, Life};
use super::logging::{self, Journal};
use super::stdio::Printed;
use super::stop::Watch;
use super::{Reattach, Server, StartError, panics, reserve};

/// Reads a variable of the environment; one that is not text counts as not set.
#[expect(clippy::disallowed_methods, reason = "this is the edge: read once, handed in from here")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The program's arguments, without its name.
pub(super) fn arguments() -> Vec<String> {
    std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect()
}

/// Whether the environment holds the cookie. A variable that is not set is an empty one.
pub(super) fn is_launched((key, value): &(String, String)) -> bool {
    !key.is_empty() && !value.is_empty() && variable(key).as_ref() == Some(value)
}

/// Keeps standard output back, if a host that sets this cookie started the program.
pub(crate) fn reserve_if_launched(cookie_key: &str, cookie_value: &str) {
    if is_launched(&(cookie_key.to_owned(), cookie_value.to_owned())) {
        reserve::standard_output();
    }
}

/// The status of a program that did what it should, or said why not.
pub(crate) fn exit(served: Result<(), impl Display>) -> ExitCode {
    let Err(error) = served else { return ExitCode::SUCCESS };
    // Nobody to tell when standard error is gone; the exit status says it too.
    drop(std::io::stderr().write_all(format!("{error}\n").as_bytes()));
    ExitCode::FAILURE
}

/// A plugin's life under a host.
pub(super) fn serve(server: Server) -> Result<(), StartError> {
    server.check_cookie()?;
    if !is_launched(&server.cookie) {
        return Err(StartError::NotLaunched { text: server.by_hand });
    }
    reserve::standard_output();
    let journal = prepare(&server)?;
    report_versions(&journal);
    let mut printed = Printed::new(journal);
    let buffer = printed.buffer();
    let capture_stderr = server.settings.capture_stderr;
    live(server, |server| Life {
        environment: Environment::read(variable),
        watch: Watch::host,
        printed: Some(buffer),
        announce: |announcement: Announcement| {
            reserve::announce(&format!("{}\n", line(announcement)))?;
            let captured = printed.capture(capture_stderr);
            captured.map_err(StartError::system("pipe for what is printed"))?;
            Ok(Some(printed))
        },
        stop: CancellationToken::new(),
        hurry: CancellationToken::new(),
        server,
    })
}

/// A plugin's life under a debugger.
pub(super) fn debug(server: Server) -> Result<(), StartError> {
    prepare(&server)?;
    live(server, |server| Life {
        environment: Environment {
            client_certificate: None,
            multiplex: None,
            ..Environment::read(variable)
        },
        watch: Watch::hand,
        printed: None,
        announce: |announcement: Announcement| {
            let description = Reattach::new(announcement.app, &announcement.address);
            let written = reserve::print(&format!("{description}\n"));
            written.map_err(|source| StartError::Handshake { source })?;
            Ok(None)
        },
        stop: CancellationToken::new(),
        hurry: CancellationToken::new(),
        server,
    })
}

fn prepare(server: &Server) -> Result<Journal, StartError> {
    let journal = Journal::open()?;
    panics::report(journal.clone());
    logging::start(journal.clone(), server.settings.log_level, server.settings.log_caller);
    Ok(journal)
}

/// The words are go-plugin's.
fn report_versions(journal: &Journal) {
    let offered = variable("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
    for item in parse_versions(&offered).1 {
        journal.write(&format!("server sent invalid plugin version {item:?}\n"));
    }
}

fn live<W, A>(server: Server, life: impl FnOnce(Server) -> Life<W, A>) -> Result<(), StartError>
where
    W: FnOnce() -> Result<Watch, StartError>,
    A: FnOnce(Announcement) -> Result<Option<Printed>, StartError>,
{
    if Handle::try_current().is_ok() {
        return Err(StartError::Async);
    }
    let runtime = runtime(server.settings.threads)?;
    let served = runtime.block_on(life::live(life(server)));
    // Blocking work that did not end in its grace time must not hold up the end of the process.
    runtime.shutdown_timeout(LAST_WORDS);
    served
}

pub(super) fn runtime(threads: usize) -> Result<Runtime, StartError> {
    let mut builder = match threads {
        0 | 1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let built = builder.worker_threads(threads.max(1)).enable_all().build();
    built.map_err(StartError::system("runtime"))
}

fn line(announcement: Announcement) -> Line {
    let Announcement { app, address, certificate, multiplexing } = announcement;
    let (network, address) = (address.network, address.text);
    Line { app, network, address, certificate, multiplexing }
}
