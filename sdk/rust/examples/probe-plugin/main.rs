//! The plugin that tests of the process start: a service that uses everything around it. Its arguments say what it is
//! made of, in any order: `versions=1,2`, `tcp`, `threads=2`, `stderr`, `no-mux`, `trace`, `early`, `tls=FOLDER`,
//! `ended=FILE`, `grace=MILLISECONDS`, `panic`, `debug`, `no-cookie`, `no-version`, `kind`.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod probe {
    include!("gen/probe.v1.rs");
}
mod service;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use wharf_proto::tls::Identity;
use wharf_sdk::Level;
use wharf_sdk::goplugin::{Mux, Security, Server, routes};

use probe::probe_server::ProbeServer;
use service::{Ended, Probe};

const DESCRIPTORS: &[u8] = include_bytes!("gen/probe.v1.bin");

struct Arguments(Vec<String>);

impl Arguments {
    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|it| it == word)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments(std::env::args().skip(1).collect());
    if arguments.value("kind").is_some() || arguments.has("kind") {
        let kind =
            |name: &'static str| move || server(&Arguments(vec![format!("versions={name}")]));
        return Mux::new().kind("kind=1", kind("1")).kind("kind=2", kind("2")).serve();
    }
    let server = server(&arguments);
    if arguments.has("early") {
        early();
    }
    if arguments.has("async") {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(async { server.serve() });
    }
    if arguments.has("locked") {
        std::thread::spawn(|| {
            let _kept = std::io::stdout().lock();
            loop {
                std::thread::park();
            }
        });
    }
    if arguments.has("late") {
        let code = server.serve();
        late();
        return code;
    }
    if arguments.has("debug") { server.debug() } else { server.serve() }
}

#[expect(clippy::print_stdout, reason = "what libraries do that know of no handshake")]
fn early() {
    println!("1|1|unix|/tmp/this-is-no-handshake|grpc|");
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "what a program says after all")]
fn late() {
    println!("one more thing");
    eprintln!("and another");
}

fn server(arguments: &Arguments) -> Server {
    let cookie = if arguments.has("no-cookie") { "" } else { "a value for tests" };
    let key = if arguments.has("no-key") { "" } else { "PROBE_PLUGIN" };
    let mut server = Server::new(key, cookie)
        .reflection(DESCRIPTORS)
        .capture_stderr(arguments.has("stderr"))
        .multiplexing(!arguments.has("no-mux"))
        .log_level(if arguments.has("trace") { Level::TRACE } else { Level::DEBUG })
        .log_caller(arguments.has("trace"));
    if arguments.has("tcp") {
        server = server.tcp();
    }
    if let Some(threads) = arguments.value("threads") {
        server = server.threads(threads.parse().expect("a number"));
    }
    if let Some(grace) = arguments.value("grace") {
        server = server.grace(Duration::from_millis(grace.parse().expect("a number")));
    }
    if let Some(folder) = arguments.value("tls") {
        server = server.tls(own_tls(Path::new(folder)));
    }
    if arguments.has("no-version") {
        return server;
    }
    let versions = arguments.value("versions").unwrap_or("1");
    versions.split(',').map(|it| it.parse().expect("a number")).fold(server, |server, version| {
        let ended = arguments.value("ended").map(|path| Ended(PathBuf::from(path)));
        let panics = arguments.has("panic");
        server.version(version, move |context| {
            assert!(!panics, "a panic while the services are made");
            routes![ProbeServer::new(Probe::new(context, ended))]
        })
    })
}

/// The host's certificate lies in the folder already; the plugin's is put beside it.
fn own_tls(folder: &Path) -> Security {
    let identity = Identity::generate().expect("an identity");
    fs::write(folder.join("plugin.der"), identity.der()).expect("the folder can be written");
    let host = fs::read(folder.join("host.der")).expect("the host's certificate");
    Security::pinned(&identity, &host).expect("both are good")
}
