//! The handshake, the TLS socket, and the process's life until it is told to stop.

use std::env;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::Connected;
use wharf_proto::handshake::{Environment, Line, Network, negotiate};
use wharf_proto::tls::{self, Identity};
use wharf_proto::{COOKIE_KEY, COOKIE_VALUE};

use crate::answers::{Answers, Control, Health};
use crate::distributor::Distributor;
use crate::importer::Importer;

/// What all services of the process share.
pub(crate) struct House {
    /// Fires when the process is to end.
    pub(crate) stop: CancellationToken,
    /// Doubles of the accepted sockets, to cut them while the process lives on.
    pub(crate) sockets: Mutex<Vec<OwnedFd>>,
    /// Neither Shutdown nor SIGTERM ends the process any more.
    pub(crate) stubborn: std::sync::atomic::AtomicBool,
    /// Calls of Fetch that broke off, or went on from there.
    pub(crate) asked: std::sync::atomic::AtomicU32,
    /// The value of `MISBEHAVE`.
    pub(crate) mode: String,
}

/// Serves until told to stop.
pub(crate) fn run() -> ExitCode {
    if env::var(COOKIE_KEY).as_deref() != Ok(COOKIE_VALUE) {
        if env::var("MISBEHAVE").as_deref() != Ok("mute") {
            eprintln_line("This is a plugin for tests; wharf starts it, it is of no use alone.");
        }
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime needs only memory and threads");
    runtime.block_on(serve());
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

async fn serve() {
    let environment = Environment::read(|name| env::var(name).ok());
    let house = Arc::new(House {
        stop: CancellationToken::new(),
        sockets: Mutex::default(),
        stubborn: false.into(),
        asked: 0.into(),
        mode: env::var("MISBEHAVE").unwrap_or_default(),
    });
    let identity = Identity::generate().expect("a key pair");
    let host = environment.client_certificate.as_deref().expect("the host asks for TLS");
    let host = tls::certificate_from_pem(host).expect("the host's certificate is PEM");
    let config = tls::server_config(&identity, &host).expect("a TLS configuration");
    let folder = environment.socket_dir.clone().unwrap_or_else(env::temp_dir);
    // Before the line: whoever read it may send a signal at once.
    let signals = Signals::catch(&house.mode);
    let listener = announce(&house, &environment, &identity, &folder.join("misbehave.sock"));
    let acceptor = TlsAcceptor::from(config);
    let sockets = Arc::clone(&house);
    let incoming = UnixListenerStream::new(listener).filter_map(move |socket| {
        let (acceptor, house) = (acceptor.clone(), Arc::clone(&sockets));
        async move {
            let socket = socket.ok()?;
            let double = socket.as_fd().try_clone_to_owned().ok()?;
            house.sockets.lock().ok()?.push(double);
            Some(Ok::<_, std::io::Error>(Io(acceptor.accept(socket).await.ok()?)))
        }
    });
    let server = Server::builder()
        .add_service(Health::service(&house))
        .add_service(Control::service(&house))
        .add_service(Answers::service(&house))
        .add_service(Importer::service(&house))
        .add_service(Distributor::service(&house));
    let (stop, mode) = (house.stop.clone(), house.mode.clone());
    let mut incoming = Box::pin(incoming);
    let ended = server
        .serve_with_incoming_shutdown(incoming.as_mut(), async move {
            signals.ended(&stop, &mode).await;
        })
        .await;
    if let Err(error) = ended {
        eprintln_line(&format!("the server ended: {error}"));
    }
}

/// Binds, then prints the handshake line: a host dials as soon as it has read it.
fn announce(
    house: &House,
    environment: &Environment,
    identity: &Identity,
    path: &Path,
) -> UnixListener {
    let listener = StdListener::bind(path).expect("the socket folder is ours");
    listener.set_nonblocking(true).expect("a socket can be made non-blocking");
    let shown = match house.mode.as_str() {
        // F21: a certificate that belongs to another key.
        "other-key" => Identity::generate().expect("a key pair").der().to_vec(),
        _ => identity.der().to_vec(),
    };
    let line = Line {
        app: negotiate(&[1], &environment.versions).unwrap_or(1),
        network: Network::Unix,
        address: path.display().to_string(),
        certificate: Some(shown),
        multiplexing: environment.multiplex.map(|_asked| false),
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).expect("the host reads");
    UnixListener::from_std(listener).expect("inside a runtime")
}

/// The signals that the process handles.
struct Signals {
    terminate: Signal,
    /// Caught, so that it does nothing: it is meant for the host.
    _interrupt: Option<Signal>,
}

impl Signals {
    fn catch(mode: &str) -> Self {
        let catch = |kind| signal(kind).expect("the signal can be caught");
        Self {
            terminate: catch(SignalKind::terminate()),
            _interrupt: (mode != "interruptible").then(|| catch(SignalKind::interrupt())),
        }
    }

    async fn ended(mut self, stop: &CancellationToken, mode: &str) {
        tokio::select! {
            () = stop.cancelled() => {}
            _ = self.terminate.recv() => stop.cancel(),
            () = orphaned(), if mode != "orphan" => std::process::exit(0),
        }
    }
}

/// Whoever started it is gone.
async fn orphaned() {
    let parent = rustix::process::getppid();
    while rustix::process::getppid() == parent {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// A line on standard error, whatever became of standard error.
pub(crate) fn eprintln_line(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nobody may be reading any more; there is no one left to tell.
    drop(writeln!(stderr, "{text}"));
}

/// An accepted connection, in the form that tonic serves.
struct Io(TlsStream<UnixStream>);

impl Connected for Io {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
