//! The edge: the only place of the SDK that reads the environment and writes standard output.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustls::{ClientConfig, ServerConfig};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Server;
use wharf_proto::goplugin::grpc_broker_server::GrpcBrokerServer;
use wharf_proto::goplugin::grpc_controller_server::GrpcControllerServer;
use wharf_proto::goplugin::grpc_stdio_server::GrpcStdioServer;
use wharf_proto::handshake::{Environment, Line, Network, negotiate};
use wharf_proto::health::health_server::HealthServer;
use wharf_proto::tls::{Identity, certificate_from_pem, client_config, server_config};
use wharf_proto::{APP_PROTOCOL_VERSIONS, COOKIE_KEY, COOKIE_VALUE};

use super::accept::connections;
use super::goplugin::{Broker, Controller, Stdio};
use super::health::Health;
use super::listen::Socket;
use super::stop::Watch;
use super::{Checked, Plugin, StartError, logging, panics, routes};
use crate::context::Calls;
use crate::host::Dialer;

const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 2 << 20;
/// What open connections get to close after the last call's grace.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Reads a variable of the environment; one that is not text counts as not set.
#[expect(clippy::disallowed_methods, reason = "this is the edge: read once, handed in from here")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Says on standard error why the plugin does not start.
pub(crate) fn complain(error: &StartError) {
    // Nobody to tell when standard error is gone; the exit status says it too.
    drop(std::io::stderr().write_all(format!("{error}\n").as_bytes()));
}

/// The life of a plugin.
pub(crate) fn serve(plugin: Plugin) -> Result<(), StartError> {
    let plugin = plugin.check()?;
    if variable(COOKIE_KEY).as_deref() != Some(COOKIE_VALUE) {
        let name = plugin.registry.name().to_owned();
        let version = plugin.registry.version().to_owned();
        return Err(StartError::NotLaunched { name, version });
    }
    panics::report();
    logging::start(plugin.log_level);
    let environment = Environment::read(variable);
    let runtime = runtime(plugin.threads)?;
    let served = runtime.block_on(run(&plugin, &environment));
    // Blocking work that did not end in its grace time must not hold up the end of the process.
    runtime.shutdown_background();
    served
}

fn runtime(threads: usize) -> Result<Runtime, StartError> {
    let mut builder = match threads {
        0 | 1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let built = builder.worker_threads(threads.max(1)).enable_all().build();
    built.map_err(|source| StartError::System { what: "runtime", source })
}

/// What mutual TLS needs on both ways: the plugin's certificate for the line, and both configurations.
struct Tls {
    certificate: Vec<u8>,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Tls {
    fn set_up(host_pem: &str) -> Result<Self, StartError> {
        let host = certificate_from_pem(host_pem)
            .map_err(|source| StartError::HostCertificate { source })?;
        let failed = |source| StartError::Tls { source };
        let identity = Identity::generate().map_err(failed)?;
        Ok(Self {
            certificate: identity.der().to_vec(),
            server: server_config(&identity, &host).map_err(failed)?,
            client: client_config(&identity, &host).map_err(failed)?,
        })
    }
}

async fn run(plugin: &Checked, environment: &Environment) -> Result<(), StartError> {
    let watch = Watch::begin()?;
    let tls = environment.client_certificate.as_deref().map(Tls::set_up).transpose()?;
    let (socket, listener) = Socket::bind(environment)?;
    announce(&line(environment, &socket, tls.as_ref())?)?;

    let stop = CancellationToken::new();
    let calls = Calls {
        tasks: TaskTracker::new(),
        stop: stop.clone(),
        grace: plugin.grace,
        dialer: Dialer::socket(tls.as_ref().map(|tls| Arc::clone(&tls.client))),
    };
    let incoming = connections(listener, tls.map(|tls| tls.server));
    let routes = routes(Arc::clone(&plugin.registry), calls.clone())
        .add_service(HealthServer::new(Health { stop: stop.clone() }))
        .add_service(GrpcControllerServer::new(Controller { stop: stop.clone() }))
        .add_service(GrpcStdioServer::new(Stdio { stop: stop.clone() }))
        .add_service(GrpcBrokerServer::new(Broker {
            stop: stop.clone(),
            taken: AtomicBool::new(false),
        }));
    let serving = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
    let long_enough = async {
        watch.until_stop(&stop).await;
        calls.tasks.close();
        drop(tokio::time::timeout(plugin.grace + LAST_WORDS, calls.tasks.wait()).await);
        tokio::time::sleep(LAST_WORDS).await;
    };
    let served = tokio::select! {
        served = serving => served.map_err(|source| StartError::Serve { source }),
        () = long_enough => Ok(()),
    };
    drop(socket);
    served
}

fn line(environment: &Environment, socket: &Socket, tls: Option<&Tls>) -> Result<Line, StartError> {
    let path = socket.path();
    let address = path.to_str().ok_or_else(|| StartError::Socket {
        path: path.to_owned(),
        source: std::io::Error::other("the path is not UTF-8, which the handshake needs"),
    })?;
    let app = negotiate(APP_PROTOCOL_VERSIONS, &environment.versions).unwrap_or(1);
    Ok(Line {
        app,
        network: Network::Unix,
        address: address.to_owned(),
        certificate: tls.map(|tls| tls.certificate.clone()),
        multiplexing: environment.multiplex.map(|_| false),
    })
}

/// The one line on standard output.
fn announce(line: &Line) -> Result<(), StartError> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|source| StartError::Handshake { source })
}
