//! A plugin without an SDK, for the tests of the supervisor: it serves what every plugin serves,
//! over mutual TLS, and misbehaves on request.
//!
//! Arguments: `fork` leaves children behind, `deaf` ignores `Shutdown`, `stubborn` ignores
//! `SIGTERM` too, `noisy` writes megabytes to both of its outputs, `sick` says `NOT_SERVING`,
//! `unhealthy` has no health service, `other-key` serves with another certificate than it prints,
//! `other-name` calls itself something else, `other-socket` listens outside its folder. How a call
//! of `Importer.Sync` goes is named by its repository: see [`services`].

mod faults;
mod services;
mod stream;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use wharf_proto::goplugin::grpc_controller_server::GrpcControllerServer;
use wharf_proto::goplugin::grpc_stdio_server::GrpcStdioServer;
use wharf_proto::handshake::{Environment, Line, Network, negotiate};
use wharf_proto::health::health_server::HealthServer;
use wharf_proto::tls::{self, Identity};
use wharf_proto::v1::importer_server::ImporterServer;
use wharf_proto::v1::plugin_server::PluginServer;

use services::{Example, Host};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let asked = |word: &str| args.iter().any(|arg| arg == word);
    let environment = Environment::read(|name| {
        std::env::vars().find(|(key, _)| key == name).map(|(_, value)| value)
    });
    let folder = environment.socket_dir.clone().ok_or("no folder for the socket")?;
    let pem = environment.client_certificate.clone().ok_or("no certificate of the host")?;
    let host_certificate = tls::certificate_from_pem(&pem)?;
    let identity = Identity::generate()?;
    let other = Identity::generate()?;
    let shown = if asked("other-key") { other.der() } else { identity.der() }.to_vec();

    let socket = if asked("other-socket") { elsewhere() } else { folder.join("plugin.sock") };
    let listener = UnixListener::bind(&socket)?;
    let config = tls::server_config(&identity, &host_certificate)?;
    let cut = CancellationToken::new();
    let (sender, connections) = tokio::sync::mpsc::channel(1);
    let accept = stream::accept(listener, config, cut.clone(), sender);
    if asked("fork") {
        faults::leave_children_behind()?;
    }

    let stop = CancellationToken::new();
    let host = Host { folder, identity, certificate: host_certificate };
    let name = if asked("other-name") { "somebody-else" } else { "example" };
    let example = Arc::new(Example {
        name,
        stop: stop.clone(),
        deaf: asked("deaf") || asked("stubborn"),
        sick: asked("sick"),
        cut,
        host,
    });
    let mut server = Server::builder()
        .add_service(PluginServer::from_arc(Arc::clone(&example)))
        .add_service(ImporterServer::from_arc(Arc::clone(&example)))
        .add_service(GrpcControllerServer::from_arc(Arc::clone(&example)))
        .add_service(GrpcStdioServer::from_arc(Arc::clone(&example)));
    if !asked("unhealthy") {
        server = server.add_service(HealthServer::from_arc(example));
    }
    let serve = server.serve_with_incoming(ReceiverStream::new(connections));

    let line = Line {
        app: negotiate(&[1], &environment.versions).ok_or("no version")?,
        network: Network::Unix,
        address: socket.display().to_string(),
        certificate: Some(shown),
        multiplexing: None,
    };
    let mut stdout = std::io::stdout();
    stdout.write_all(format!("{line}\n").as_bytes())?;
    stdout.flush()?;
    if asked("noisy") {
        make_noise()?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        served = serve => { served?; Ok(ExitCode::SUCCESS) }
        () = accept => Ok(ExitCode::SUCCESS),
        () = stop.cancelled() => Ok(ExitCode::SUCCESS),
        _ = terminate.recv(), if !asked("stubborn") => Ok(ExitCode::from(143)),
    }
}

/// A socket where the host does not look for one: beside the folder that holds all private ones.
fn elsewhere() -> PathBuf {
    let own = std::env::temp_dir();
    let beside = own.ancestors().nth(2).unwrap_or(&own);
    beside.join(format!("elsewhere-{}.sock", std::process::id()))
}

/// A megabyte in one line on standard output; on standard error lines, escapes, bytes that are no
/// text, and a line without an end.
fn make_noise() -> std::io::Result<()> {
    let megabyte = vec![b'x'; 1 << 20];
    std::io::stdout().write_all(&megabyte)?;
    let mut stderr = std::io::stderr();
    for n in 0..20_000 {
        stderr.write_all(format!("noise {n}\n").as_bytes())?;
    }
    stderr.write_all(b"\x1b[31mred \xff\xfe\n")?;
    stderr.write_all(&megabyte)
}
