//! Two ends of one main connection, with brokers, in one process.

use std::path::Path;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::service::Routes;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status, Streaming, async_trait};
use wharf_peer::{Broker, BrokerStream, Connection, Mux, Security, Sockets, channel};
use wharf_proto::handshake::Network;
use wharf_proto::health::health_client::HealthClient;
use wharf_proto::health::health_server::{Health, HealthServer};
use wharf_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use wharf_proto::tls::Identity;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A service that says, as a status, which server answered.
pub(crate) struct Named(pub(crate) i32);

#[async_trait]
impl Health for Named {
    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: self.0 }))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("list"))
    }

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let first = stream::iter([Ok(HealthCheckResponse { status: self.0 })]);
        Ok(Response::new(first.chain(stream::pending()).boxed()))
    }
}

pub(crate) fn named(number: i32) -> Routes {
    Routes::new(HealthServer::new(Named(number)))
}

/// Which server answers on this channel.
pub(crate) async fn who(channel: Channel) -> Result<i32, Status> {
    let asked = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    asked.map(|answer| answer.into_inner().status)
}

/// A call that never ends, once it has begun.
pub(crate) async fn endless(channel: Channel) -> Streaming<HealthCheckResponse> {
    let watched = HealthClient::new(channel).watch(HealthCheckRequest::default()).await;
    let mut stream = watched.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    stream
}

/// A host and a plugin whose brokers talk to each other.
pub(crate) struct Pair {
    pub(crate) host: Broker,
    pub(crate) plugin: Broker,
    pub(crate) main: Channel,
    /// The host's end of the one socket, if there is only one.
    pub(crate) mux: Option<Mux>,
    pub(crate) folder: TempDir,
    /// The main connection and all that hangs on it; dropping it is the end of the plugin.
    pub(crate) tasks: JoinSet<()>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) tls: bool,
    pub(crate) mux: bool,
    pub(crate) network: Network,
}

pub(crate) fn kinds(mux: bool) -> Vec<Kind> {
    let kind = |tls, network| Kind { tls, mux, network };
    vec![kind(false, Network::Unix), kind(true, Network::Unix), kind(true, Network::Tcp)]
}

pub(crate) fn sockets(folder: &Path, network: Network) -> Sockets {
    Sockets { network, folder: folder.to_owned(), group: None, ports: (0, 0), addresses: None }
}

fn securities() -> (Security, Security) {
    let (host, plugin) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let ours = Security::pinned(&host, plugin.der()).unwrap();
    (ours, Security::pinned(&plugin, host.der()).unwrap())
}

/// The main server is number 0.
pub(crate) async fn pair(kind: Kind) -> Pair {
    let (mut pair, stream) = pair_without_stream(kind).await;
    pair.tasks.spawn(stream.run(pair.main.clone()));
    pair
}

/// The host's broker has not called yet.
pub(crate) async fn pair_without_stream(kind: Kind) -> (Pair, BrokerStream) {
    let folder = tempfile::tempdir().unwrap();
    let (host_tls, plugin_tls) =
        kind.tls.then(securities).map_or((None, None), |(host, plugin)| (Some(host), Some(plugin)));
    let path = folder.path().join("main");
    let listener = UnixListener::bind(&path).unwrap();
    let near: Connection = UnixStream::connect(&path).await.unwrap().into();
    let far: Connection = listener.accept().await.unwrap().0.into();
    std::fs::remove_file(&path).unwrap();
    let mut tasks = JoinSet::new();
    let (mut host_mux, mut plugin_mux) = (None, None);
    let (near, incoming) = if kind.mux {
        let (host, session) = Mux::client(near);
        tasks.spawn(session);
        let (plugin, session) = Mux::server(far);
        tasks.spawn(session);
        let streams = plugin.main(plugin_tls.clone()).boxed();
        plugin_mux = Some(plugin);
        (host_mux.insert(host).open().await.unwrap(), streams)
    } else {
        let tls = plugin_tls.clone();
        let one = stream::once(async move { far.into_server(tls.as_ref()).await });
        (near, one.chain(stream::pending()).boxed())
    };
    let sockets = sockets(folder.path(), kind.network);
    let (host, host_stream) = Broker::new(sockets.clone(), host_tls.clone(), host_mux.clone());
    let (plugin, plugin_stream) = Broker::new(sockets, plugin_tls, plugin_mux);
    let routes = named(0).add_service(plugin_stream.service());
    tasks.spawn(async move {
        Server::builder().add_routes(routes).serve_with_incoming(incoming).await.unwrap();
    });
    let first = near.into_client(host_tls.as_ref()).await.unwrap();
    let main = channel(first, no_second).await.unwrap();
    (Pair { host, plugin, main, mux: host_mux, folder, tasks }, host_stream)
}

async fn no_second() -> std::io::Result<Connection> {
    Err(std::io::ErrorKind::ConnectionRefused.into())
}

impl Pair {
    pub(crate) fn sockets(&self) -> usize {
        std::fs::read_dir(self.folder.path()).unwrap().count()
    }

    /// Waits until no socket file is left.
    pub(crate) async fn clean(&self) {
        let clean = async {
            while self.sockets() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, clean).await.expect("socket files stay");
    }
}
