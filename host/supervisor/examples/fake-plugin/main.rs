//! A go-plugin plugin for the tests of the supervisor: key-value service, broker and multiplexing,
//! with as much left out or done wrongly as its arguments say. It knows nothing of wharf's contract.
//!
//! Arguments: `tcp`; `tls=FOLDER` static TLS ([`given`]); `banner=N` lines before the handshake;
//! `padded` base64; `mux=WORD` in the seventh field; `no-health`, `no-stdio`, `no-broker`,
//! `no-controller` leave a service out; `mute` never answers the two calls that a host opens first,
//! not even with headers; `deaf` ignores `Shutdown`, `slow` obeys half a second later without an
//! answer; `done=FILE` is written at an orderly end. What the key-value service does is in
//! [`services`].

mod given;
mod services;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kv::kv_server::KvServer;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use wharf_peer::{Bound, Broker, Incoming, Mux, Security, Sockets};
use wharf_proto::goplugin::grpc_broker_server::GrpcBrokerServer;
use wharf_proto::goplugin::grpc_controller_server::GrpcControllerServer;
use wharf_proto::goplugin::grpc_stdio_server::GrpcStdioServer;
use wharf_proto::handshake::{Environment, Line, Network, negotiate};
use wharf_proto::health::health_server::HealthServer;
use wharf_proto::tls::{self, Identity};

use services::{Controller, Healthy, Kv, Mute, Stdio};

/// The words of the command line.
struct Args(Vec<String>);

impl Args {
    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|arg| arg == word)
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().find_map(|arg| arg.strip_prefix(key)?.strip_prefix('='))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args(std::env::args().skip(1).collect());
    let environment = Environment::read(|name| {
        std::env::vars().find(|(key, _)| key == name).map(|(_, value)| value)
    });
    let identity = identity(args.has("padded"))?;
    let mut certificate = None;
    let security = match (args.value("tls"), &environment.client_certificate) {
        (Some(folder), _) => Some(given::security(folder.as_ref())?),
        (None, Some(pem)) => {
            certificate = Some(identity.der().to_vec());
            Some(Security::pinned(&identity, &tls::certificate_from_pem(pem)?)?)
        }
        (None, None) => None,
    };
    let sockets = sockets(&args, &environment);
    let bound = sockets.bind("plugin").await?;
    let app = negotiate(&[2, 3], &environment.versions).ok_or("no version")?;
    let line = Line {
        app,
        network: bound.address.network,
        address: bound.address.text.clone(),
        certificate,
        multiplexing: environment.multiplex,
    };
    say_hello(&args, &line)?;
    let multiplex = environment.multiplex == Some(true) && args.value("mux").is_none();
    serve(args, app, bound, sockets, security, multiplex).await?;
    Ok(ExitCode::SUCCESS)
}

/// One whose certificate needs padding in base64, if so wished.
fn identity(padded: bool) -> Result<Identity, tls::Error> {
    loop {
        let identity = Identity::generate()?;
        if !padded || !identity.der().len().is_multiple_of(3) {
            return Ok(identity);
        }
    }
}

fn sockets(args: &Args, environment: &Environment) -> Sockets {
    let network = if args.has("tcp") { Network::Tcp } else { Network::Unix };
    Sockets {
        network,
        folder: environment.socket_dir.clone().unwrap_or_else(std::env::temp_dir),
        group: environment.socket_group.as_ref().and_then(|group| group.parse().ok()),
        ports: (environment.min_port, environment.max_port),
        addresses: None,
    }
}

fn say_hello(args: &Args, line: &Line) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    let banner = args.value("banner").and_then(|lines| lines.parse().ok()).unwrap_or(0);
    for number in 0..banner {
        stdout.write_all(format!("banner {number} | of a library\n").as_bytes())?;
    }
    let mut text = line.to_string();
    if let (true, Some(der)) = (args.has("padded"), &line.certificate) {
        let fields: Vec<&str> = text.split('|').collect();
        text =
            format!("{}|{}", fields.get(..5).unwrap_or_default().join("|"), STANDARD.encode(der));
    }
    if let Some(word) = args.value("mux") {
        text = text.trim_end_matches("|true").to_owned() + "|" + word;
    }
    stdout.write_all(format!("{text}\n").as_bytes())?;
    stdout.flush()
}

async fn serve(
    args: Args,
    app: u32,
    bound: Bound,
    sockets: Sockets,
    security: Option<Security>,
    multiplex: bool,
) -> Result<(), Box<dyn Error>> {
    let mut mux = None;
    let mut session = None;
    // Held to the end, so that the socket's file is removed then.
    let mut kept = None;
    let incoming = if multiplex {
        let (shared, driver) = Mux::server(bound.listener.accept().await?);
        let incoming = shared.main(security.clone());
        kept = Some(bound);
        mux = Some(shared);
        session = Some(driver);
        incoming
    } else {
        Incoming::listening(bound, security.clone())
    };
    let (broker, stream) = Broker::new(sockets, security, mux);
    let stop = CancellationToken::new();
    let (output, chunks) = mpsc::channel(16);
    let kv = Kv::new(app, broker, output);
    let mut server = Server::builder().add_service(KvServer::new(kv));
    if !args.has("no-health") {
        server = server.add_service(HealthServer::new(Healthy));
    }
    if !args.has("no-stdio") {
        let stdio = Stdio::new(ReceiverStream::new(chunks), args.has("mute"));
        server = server.add_service(GrpcStdioServer::new(stdio));
    }
    if args.has("mute") {
        server = server.add_service(GrpcBrokerServer::new(Mute));
    } else if !args.has("no-broker") {
        server = server.add_service(stream.service());
    }
    if !args.has("no-controller") {
        let (deaf, slow) = (args.has("deaf"), args.has("slow"));
        let controller = Controller { stop: stop.clone(), deaf, slow };
        server = server.add_service(GrpcControllerServer::new(controller));
    }
    tokio::select! {
        served = server.serve_with_incoming(incoming) => served?,
        () = async { match session { Some(session) => session.await, None => std::future::pending().await } } => {}
        () = stop.cancelled() => {}
    }
    if args.has("slow") {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    drop(kept);
    if let Some(done) = args.value("done").map(PathBuf::from) {
        std::fs::write(done, "done")?;
    }
    Ok(())
}
