//! The plugin of wharf's SDK that Go hosts start: the tests' service in several versions.
//!
//! Arguments: `versions=1,2`, `cleanup=FILE` (written when `main` ends in order), `debug` (serves without a host),
//! `tcp`, `no-mux`, `capture-stderr`.

use std::process::ExitCode;

use wharf_interop::v1::FILE_DESCRIPTOR_SET;
use wharf_interop::{COOKIE, Peer};
use wharf_sdk::goplugin::{Server, routes};

fn main() -> ExitCode {
    let mut server = Server::new(COOKIE.0, COOKIE.1)
        .reflection(FILE_DESCRIPTOR_SET)
        .log_level(tracing::Level::TRACE);
    let (mut versions, mut cleanup, mut debug) = (vec![1], None, false);
    for argument in std::env::args().skip(1) {
        match argument.split_once('=').unwrap_or((&argument, "")) {
            ("versions", numbers) => {
                versions = numbers.split(',').filter_map(|number| number.parse().ok()).collect();
            }
            ("cleanup", file) => cleanup = Some(file.to_owned()),
            ("debug", _) => debug = true,
            ("tcp", _) => server = server.tcp(),
            ("no-mux", _) => server = server.multiplexing(false),
            ("capture-stderr", _) => server = server.capture_stderr(true),
            _ => return ExitCode::from(2),
        }
    }
    for version in versions {
        server = server.version(version, move |context| {
            routes![wharf_interop::server(Peer::new(version, context.broker()))]
        });
    }
    let code = if debug { server.debug() } else { server.serve() };
    let cleaned = cleanup.map_or(Ok(()), |file| std::fs::write(file, "cleaned up\n"));
    if cleaned.is_err() { ExitCode::FAILURE } else { code }
}
