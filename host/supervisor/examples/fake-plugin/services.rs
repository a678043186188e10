//! The services. `Kv.Get` does what its key says, word by word:
//!
//! `version` the application protocol version; `pid`; `exe` the link of `/proc/self/exe`; `env NAME`;
//! `stdin` the first line of standard input; `big N` so many bytes; `never` no answer; `crash`;
//! `dial ID` dials the broker and passes on what is behind; `accept` accepts a new id, `accept-in MS`
//! a while later, and both answer the id at once; `drop` gives up all accepted ids.
//!
//! `Kv.Put` sends its value over the stdio service, on the channel whose number is the key.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kv::kv_client::KvClient;
use kv::kv_server::KvServer;
use kv::{GetRequest, GetResponse, PutRequest, PutResponse};
use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};
use wharf_peer::{Broker, Serving};
use wharf_proto::goplugin::grpc_broker_server::GrpcBroker;
use wharf_proto::goplugin::grpc_controller_server::GrpcController;
use wharf_proto::goplugin::grpc_stdio_server::GrpcStdio;
use wharf_proto::goplugin::{ConnInfo, Empty, StdioData};
use wharf_proto::health::health_check_response::ServingStatus;
use wharf_proto::health::health_server::Health;
use wharf_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};

type Answer<T> = Result<Response<T>, Status>;
type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

pub(crate) struct Kv {
    version: u32,
    broker: Broker,
    output: mpsc::Sender<StdioData>,
    accepted: Arc<Mutex<Vec<Serving>>>,
    late: Mutex<JoinSet<()>>,
}

impl Kv {
    pub(crate) fn new(version: u32, broker: Broker, output: mpsc::Sender<StdioData>) -> Self {
        let (accepted, late) = (Arc::default(), Mutex::default());
        Self { version, broker, output, accepted, late }
    }

    async fn answer(&self, key: &str) -> Result<Vec<u8>, Status> {
        let (what, rest) = key.split_once(' ').unwrap_or((key, ""));
        let number = || rest.parse().map_err(|_none| Status::invalid_argument("a number?"));
        Ok(match what {
            "version" => self.version.to_string().into(),
            "pid" => std::process::id().to_string().into(),
            "exe" => std::fs::read_link("/proc/self/exe")?.display().to_string().into(),
            "env" => {
                let found = std::env::vars().find(|(name, _)| name == rest);
                found.ok_or_else(|| Status::not_found(rest))?.1.into()
            }
            "stdin" => {
                let read = || std::io::stdin().lines().next().transpose();
                let line = tokio::task::spawn_blocking(read).await.map_err(internal)?;
                line?.unwrap_or_default().into()
            }
            "big" => vec![b'x'; usize::try_from(number()?).map_err(internal)?],
            "never" => std::future::pending().await,
            "crash" => {
                kill_process(getpid(), Signal::KILL).map_err(internal)?;
                std::future::pending().await
            }
            "dial" => self.dial(u32::try_from(number()?).map_err(internal)?).await?,
            "accept" => self.accept(Duration::ZERO).await?,
            "accept-in" => self.accept(Duration::from_millis(number()?)).await?,
            "drop" => {
                self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clear();
                Vec::new()
            }
            other => return Err(Status::not_found(other)),
        })
    }

    async fn dial(&self, id: u32) -> Result<Vec<u8>, Status> {
        let channel = self.broker.dial(id).await.map_err(internal)?;
        let request = GetRequest { key: "who".to_owned() };
        Ok(KvClient::new(channel).get(request).await?.into_inner().value)
    }

    async fn accept(&self, after: Duration) -> Result<Vec<u8>, Status> {
        let id = self.broker.next_id();
        let routes = Routes::new(KvServer::new(Brokered));
        if after.is_zero() {
            let serving = self.broker.serve(id, routes).await.map_err(internal)?;
            self.accepted.lock().unwrap_or_else(PoisonError::into_inner).push(serving);
        } else {
            let (broker, accepted) = (self.broker.clone(), Arc::clone(&self.accepted));
            let later = async move {
                tokio::time::sleep(after).await;
                if let Ok(serving) = broker.serve(id, routes).await {
                    accepted.lock().unwrap_or_else(PoisonError::into_inner).push(serving);
                }
            };
            self.late.lock().unwrap_or_else(PoisonError::into_inner).spawn(later);
        }
        Ok(id.to_string().into())
    }
}

fn internal(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}

#[tonic::async_trait]
impl kv::kv_server::Kv for Kv {
    async fn get(&self, request: Request<GetRequest>) -> Answer<GetResponse> {
        let value = self.answer(&request.into_inner().key).await?;
        Ok(Response::new(GetResponse { value }))
    }

    async fn put(&self, request: Request<PutRequest>) -> Answer<PutResponse> {
        let PutRequest { key, value } = request.into_inner();
        let channel = key.parse().map_err(internal)?;
        for piece in value.chunks(1024) {
            let chunk = StdioData { channel, data: piece.to_vec() };
            self.output.send(chunk).await.map_err(internal)?;
        }
        Ok(Response::new(PutResponse {}))
    }
}

/// What is behind an accepted id.
struct Brokered;

#[tonic::async_trait]
impl kv::kv_server::Kv for Brokered {
    async fn get(&self, _: Request<GetRequest>) -> Answer<GetResponse> {
        Ok(Response::new(GetResponse { value: b"the plugin".to_vec() }))
    }

    async fn put(&self, _: Request<PutRequest>) -> Answer<PutResponse> {
        Err(Status::unimplemented(""))
    }
}

pub(crate) struct Controller {
    pub(crate) stop: CancellationToken,
    pub(crate) deaf: bool,
    pub(crate) slow: bool,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Answer<Empty> {
        if !self.deaf {
            self.stop.cancel();
        }
        if self.slow {
            std::future::pending::<()>().await;
        }
        Ok(Response::new(Empty {}))
    }
}

pub(crate) struct Stdio {
    chunks: Mutex<Option<ReceiverStream<StdioData>>>,
    mute: bool,
}

impl Stdio {
    pub(crate) fn new(chunks: ReceiverStream<StdioData>, mute: bool) -> Self {
        Self { chunks: Mutex::new(Some(chunks)), mute }
    }
}

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Messages<StdioData>;

    async fn stream_stdio(&self, _: Request<()>) -> Answer<Self::StreamStdioStream> {
        if self.mute {
            std::future::pending::<()>().await;
        }
        let chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner).take();
        let chunks = chunks.ok_or_else(|| Status::already_exists("once only"))?;
        Ok(Response::new(Box::pin(chunks.map(Ok))))
    }
}

/// A broker without a word.
pub(crate) struct Mute;

#[tonic::async_trait]
impl GrpcBroker for Mute {
    type StartStreamStream = Messages<ConnInfo>;

    async fn start_stream(
        &self,
        _: Request<Streaming<ConnInfo>>,
    ) -> Answer<Self::StartStreamStream> {
        std::future::pending().await
    }
}

pub(crate) struct Healthy;

#[tonic::async_trait]
impl Health for Healthy {
    type WatchStream = Messages<HealthCheckResponse>;

    async fn check(&self, _: Request<HealthCheckRequest>) -> Answer<HealthCheckResponse> {
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Answer<Self::WatchStream> {
        Err(Status::unimplemented(""))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Answer<HealthListResponse> {
        Err(Status::unimplemented(""))
    }
}
