//! A plugin's life: from the certificate to the last word. The same under a host, under a debugger and in a test; what
//! differs is in [`Life`].
//!
//! The order matters: listener, services, the announcement, calls. With one socket for everything the services come
//! after the announcement, because the broker that they are handed needs the socket that the host then opens.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server as Transport;
use wharf_peer::{
    Address, Bound, Broker, BrokerStream, CONNECTION_WINDOW, Connection, Incoming, Mux,
    STREAM_WINDOW, Security, Sockets,
};
use wharf_proto::handshake::{Environment, negotiate};
use wharf_proto::tls::{Identity, certificate_from_pem};

use super::calls::Ends;
use super::server::{Make, Settings};
use super::set::Services;
use super::sockets::sockets;
use super::stdio::{Buffer, Printed};
use super::stop::{Reason, Watch};
use super::{Context, Server, StartError, services};

/// What each of these gets at the end: last events of calls, last output, open connections.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(150);

/// What is around a plugin.
pub(super) struct Life<W, A> {
    pub(super) server: Server,
    /// What the host wants.
    pub(super) environment: Environment,
    /// What ends it besides its controller; begins to watch when it is called.
    pub(super) watch: W,
    /// What the stdio service hands out; without it, the service is silent.
    pub(super) printed: Option<Arc<Buffer>>,
    /// Tells the world, and begins to capture what is printed.
    pub(super) announce: A,
    /// Ends it in order.
    pub(super) stop: CancellationToken,
    /// Ends it at once.
    pub(super) hurry: CancellationToken,
}

/// What the world is told.
pub(super) struct Announcement {
    pub(super) app: u32,
    pub(super) address: Address,
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) multiplexing: Option<bool>,
}

/// Mutual TLS, and the certificate to be told.
struct Tls {
    security: Option<Security>,
    certificate: Option<Vec<u8>>,
}

impl Tls {
    fn set_up(settings: &Settings, environment: &Environment) -> Result<Self, StartError> {
        if let Some(own) = &settings.tls {
            return Ok(Self { security: Some(own.clone()), certificate: None });
        }
        let Some(pem) = &environment.client_certificate else {
            return Ok(Self { security: None, certificate: None });
        };
        let failed = |source| StartError::Tls { source };
        let host =
            certificate_from_pem(pem).map_err(|source| StartError::HostCertificate { source })?;
        let identity = Identity::generate().map_err(failed)?;
        let security = Security::pinned(&identity, &host).map_err(failed)?;
        Ok(Self { security: Some(security), certificate: Some(identity.der().to_vec()) })
    }
}

pub(super) async fn live<W, A>(life: Life<W, A>) -> Result<(), StartError>
where
    W: FnOnce() -> Result<Watch, StartError>,
    A: FnOnce(Announcement) -> Result<Option<Printed>, StartError>,
{
    let Life { server, environment, watch, printed, announce, stop, hurry } = life;
    let Server { mut versions, settings, .. } = server;
    let own: Vec<u32> = versions.keys().copied().collect();
    let app = negotiate(&own, &environment.versions).ok_or(StartError::NoVersion)?;
    let services = versions.remove(&app).ok_or(StartError::NoVersion)?;

    let watch = watch()?;
    let tls = Tls::set_up(&settings, &environment)?;
    // Held to the end: the folder goes with it.
    let (sockets, _folder) = sockets(&environment, settings.network)?;
    let bound = sockets.bind("plugin-").await?;
    let ends = Ends { stop, ..Ends::default() };
    let multiplexed = environment.multiplex == Some(true) && settings.multiplexing;
    let announcement = Announcement {
        app,
        address: bound.address.clone(),
        certificate: tls.certificate,
        multiplexing: environment.multiplex.map(|_asked| multiplexed),
    };
    let maker = Maker { app, services, sockets, security: tls.security, ends: ends.clone() };
    let mut watching = pin!(watch.until_stop(&ends.stop));
    // Owns what drives a multiplexed socket, and drops it with the rest.
    let mut session = JoinSet::new();
    let (Made { incoming, services, stream }, capturing) = if multiplexed {
        let capturing = announce(announcement)?;
        let socket = tokio::select! {
            socket = only_connection(bound) => socket,
            reason = &mut watching => {
                finish(capturing).await;
                return never_connected(reason);
            }
        };
        (maker.multiplexed(socket, &mut session), capturing)
    } else {
        let made = maker.listening(bound);
        (made, announce(announcement)?)
    };
    let routes = services::add(services, &ends, stream, printed, settings.descriptors);
    let serving = serve(routes, incoming, &ends);
    let ending = end(watching, &ends, settings.grace, capturing);
    tokio::select! {
        served = until_both(serving, ending, &ends.stop) => served,
        () = hurry.cancelled() => Ok(()),
    }
}

/// Makes the author's services and where their connections come from.
struct Maker {
    app: u32,
    services: Make,
    sockets: Sockets,
    security: Option<Security>,
    ends: Ends,
}

struct Made {
    incoming: Incoming,
    services: Services,
    stream: BrokerStream,
}

impl Maker {
    fn listening(self, bound: Bound) -> Made {
        let incoming = Incoming::listening(bound, self.security.clone());
        self.make(incoming, None)
    }

    fn multiplexed(self, socket: Connection, session: &mut JoinSet<()>) -> Made {
        let (mux, drive) = Mux::server(socket);
        session.spawn(drive);
        let incoming = mux.main(self.security.clone());
        self.make(incoming, Some(mux))
    }

    fn make(self, incoming: Incoming, mux: Option<Mux>) -> Made {
        let Self { app, services, sockets, security, ends } = self;
        let (broker, stream) = Broker::new(sockets, security.clone(), mux);
        let (stop, tasks) = (ends.stop, ends.calls);
        let services = services(Context { version: app, broker, security, stop, tasks });
        Made { incoming, services, stream }
    }
}

/// The one connection of a multiplexed socket; nobody else can connect afterwards, and the socket's file is gone. It
/// may come as late as it likes.
async fn only_connection(bound: Bound) -> Connection {
    loop {
        match bound.listener.accept().await {
            Ok(connection) => return connection,
            Err(error) => {
                tracing::warn!(%error, "cannot accept the connection");
                tokio::time::sleep(LAST_WORDS).await;
            }
        }
    }
}

fn never_connected(reason: Reason) -> Result<(), StartError> {
    match reason {
        Reason::Asked => Ok(()),
        Reason::Orphaned => Err(StartError::NeverConnected),
    }
}

fn serve(
    routes: Routes,
    incoming: Incoming,
    ends: &Ends,
) -> impl Future<Output = Result<(), tonic::transport::Error>> + use<> {
    Transport::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .layer(ends.clone())
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, ends.stop.clone().cancelled_owned())
}

/// The end in order: calls end, then what is printed, then everything else.
async fn end(
    watching: impl Future<Output = Reason>,
    ends: &Ends,
    grace: Duration,
    printed: Option<Printed>,
) {
    watching.await;
    ends.calls.close();
    // Calls that use up their grace time have a last event to send.
    drop(timeout(grace + LAST_WORDS, ends.calls.wait()).await);
    ends.cut.cancel();
    finish(printed).await;
    ends.over.cancel();
}

async fn finish(printed: Option<Printed>) {
    if let Some(mut printed) = printed {
        drop(timeout(LAST_WORDS, printed.finish()).await);
    }
}

/// Whoever is done first waits for the other; connections get [`LAST_WORDS`] to close.
async fn until_both(
    serving: impl Future<Output = Result<(), tonic::transport::Error>>,
    ending: impl Future<Output = ()>,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    let (mut serving, mut ending) = (pin!(serving), pin!(ending));
    let served = tokio::select! {
        served = &mut serving => {
            stop.cancel();
            ending.await;
            served
        }
        () = &mut ending => timeout(LAST_WORDS, serving).await.unwrap_or(Ok(())),
    };
    served.map_err(|source| StartError::Serve { source })
}
