//! The services, each as small as it can be.
//!
//! `Importer.Sync` does what the repository's name says: `good`, `no-result`, `twice`, `after`, `error`, `silent`,
//! `unknown-event`, `big`, `exit-0`, `cut`, `status-CODE`, `after:MS` with a good end so much later, or one of
//! [`crate::faults`] after a first event; after `vanish` and `write:FILE` the call goes on to a good end.

use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Endpoint, Uri};
use tonic::{Code, Request, Response, Status};
use wharf_proto::goplugin::grpc_controller_server::GrpcController;
use wharf_proto::goplugin::grpc_stdio_server::GrpcStdio;
use wharf_proto::goplugin::{self, StdioData};
use wharf_proto::health::health_check_response::ServingStatus;
use wharf_proto::health::health_client::HealthClient;
use wharf_proto::health::health_server::Health;
use wharf_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use wharf_proto::tls::{self, Identity};
use wharf_proto::v1::event::Event;
use wharf_proto::v1::importer_server::Importer;
use wharf_proto::v1::plugin_server::Plugin;
use wharf_proto::v1::{self, DescribeResponse};

use crate::faults;

type Answer<T> = Result<Response<T>, Status>;
type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// All services at once.
pub(crate) struct Example {
    pub(crate) name: &'static str,
    /// Ends the process with status 0.
    pub(crate) stop: CancellationToken,
    /// `Shutdown` is answered and ignored.
    pub(crate) deaf: bool,
    pub(crate) sick: bool,
    pub(crate) cut: CancellationToken,
    pub(crate) host: Host,
}

/// How to reach the host's own services.
pub(crate) struct Host {
    /// Its socket is in this process' own folder.
    pub(crate) folder: PathBuf,
    pub(crate) identity: Identity,
    pub(crate) certificate: Vec<u8>,
}

fn result() -> Event {
    Event::Result(v1::Result { changed: true, ..v1::Result::default() })
}

fn progress(done: u64) -> Event {
    Event::Progress(v1::Progress { done, ..v1::Progress::default() })
}

fn messages(events: Vec<Event>) -> impl Stream<Item = Result<v1::Event, Status>> + Send {
    tokio_stream::iter(events.into_iter().map(|event| Ok(v1::Event { event: Some(event) })))
}

impl Example {
    fn fault(&self, how: &str) -> impl FnOnce() -> std::io::Result<()> + Send + use<> {
        let (how, folder) = (how.to_owned(), self.host.folder.clone());
        move || faults::commit(&how, &folder)
    }

    fn behave(&self, how: &str) -> Result<Messages<v1::Event>, Status> {
        let begun = messages(vec![progress(1)]);
        Ok(match how {
            "good" => Box::pin(messages(vec![progress(1), progress(2), result()])),
            "no-result" => Box::pin(begun),
            "twice" => Box::pin(messages(vec![result(), result()])),
            "after" => Box::pin(messages(vec![result(), progress(3)])),
            "error" => {
                let error = v1::Error { code: "source.unreachable".into(), ..v1::Error::default() };
                Box::pin(messages(vec![progress(1), Event::Error(error)]))
            }
            "silent" => Box::pin(begun.chain(tokio_stream::pending())),
            "unknown-event" => {
                let unknown = tokio_stream::once(Ok(v1::Event { event: None }));
                Box::pin(begun.chain(unknown).chain(messages(vec![result()])))
            }
            "big" => Box::pin(messages(vec![Event::Metadata("x".repeat(8 << 20)), result()])),
            "exit-0" => {
                let stop = self.stop.clone();
                Box::pin(begun.chain(later(move || stop.cancel())))
            }
            "killed" | "panic" | "abort" | "segfault" | "files" | "memory" | "large-file"
            | "busy" => Box::pin(begun.chain(later(self.fault(how)))),
            "vanish" => Box::pin(begun.chain(done(self.fault(how)))),
            other if other.starts_with("write:") => Box::pin(begun.chain(done(self.fault(how)))),
            "cut" => {
                let cut = self.cut.clone();
                Box::pin(begun.chain(later(move || cut.cancel())))
            }
            other if let Some(after) = other.strip_prefix("after:") => {
                let after = after.parse().map_err(|_none| Status::invalid_argument("a number?"))?;
                Box::pin(begun.chain(done_in(Duration::from_millis(after))))
            }
            other => {
                let code = other.strip_prefix("status-").and_then(|code| code.parse().ok());
                let code = code.map_or(Code::InvalidArgument, Code::from_i32);
                return Err(Status::new(code, format!("as asked: {other}")));
            }
        })
    }
}

/// Does something when what was sent before is asked for more, and says that all went well.
fn done(
    what: impl FnOnce() -> std::io::Result<()> + Send + 'static,
) -> impl Stream<Item = Result<v1::Event, Status>> + Send {
    futures_util::stream::once(async move {
        what().map_err(|error| Status::internal(error.to_string()))?;
        Ok(v1::Event { event: Some(result()) })
    })
}

/// Says a while later that all went well.
fn done_in(after: Duration) -> impl Stream<Item = Result<v1::Event, Status>> + Send {
    futures_util::stream::once(async move {
        tokio::time::sleep(after).await;
        Ok(v1::Event { event: Some(result()) })
    })
}

/// Does something a moment later, so that what was sent before has left, and then sends nothing
/// more.
fn later<T>(
    what: impl FnOnce() -> T + Send + 'static,
) -> impl Stream<Item = Result<v1::Event, Status>> + Send {
    futures_util::stream::once(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        what();
        std::future::pending().await
    })
}

/// What a test wants to know of this process: its open files and the names of its variables.
fn diagnostics() -> Vec<String> {
    let files = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten().map(|entry| {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        format!("fd {} {}", entry.file_name().to_string_lossy(), target.display())
    });
    let variables = std::env::vars().map(|(name, _)| format!("env {name}"));
    files.chain(variables).collect()
}

#[tonic::async_trait]
impl Plugin for Example {
    type MigrateStream = Messages<v1::Event>;

    async fn describe(&self, _: Request<v1::DescribeRequest>) -> Answer<DescribeResponse> {
        Ok(Response::new(DescribeResponse {
            name: self.name.into(),
            version: "1.0.0".into(),
            components: vec![v1::Component {
                id: "importer".into(),
                role: "importer".into(),
                operations: vec!["sync".into()],
                ..v1::Component::default()
            }],
            features: diagnostics(),
            ..DescribeResponse::default()
        }))
    }

    /// Ready if the host's own health service says so.
    async fn ready(&self, _: Request<v1::ReadyRequest>) -> Answer<v1::ReadyResponse> {
        let config = tls::client_config(&self.host.identity, &self.host.certificate)
            .map_err(|error| Status::internal(error.to_string()))?;
        let (socket, connector) = (self.host.folder.join("host.sock"), TlsConnector::from(config));
        let connect = tower::service_fn(move |_: Uri| {
            let (socket, connector) = (socket.clone(), connector.clone());
            async move {
                let stream = UnixStream::connect(socket).await?;
                connector.connect(tls::server_name(), stream).await.map(TokioIo::new)
            }
        });
        let channel = Endpoint::from_static("http://localhost")
            .connect_with_connector(connect)
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        HealthClient::new(channel).check(HealthCheckRequest::default()).await?;
        Ok(Response::new(v1::ReadyResponse::default()))
    }

    async fn check(&self, _: Request<v1::CheckRequest>) -> Answer<v1::CheckResponse> {
        std::future::pending().await
    }

    async fn choices(&self, _: Request<v1::ChoicesRequest>) -> Answer<v1::ChoicesResponse> {
        Err(Status::unimplemented(""))
    }

    async fn attached(&self, _: Request<v1::AttachedRequest>) -> Answer<v1::AttachedResponse> {
        Err(Status::unimplemented(""))
    }

    async fn detached(&self, _: Request<v1::DetachedRequest>) -> Answer<v1::DetachedResponse> {
        Err(Status::unimplemented(""))
    }

    async fn plan(&self, _: Request<v1::PlanRequest>) -> Answer<v1::PlanResponse> {
        Err(Status::unimplemented(""))
    }

    async fn hook(&self, _: Request<v1::HookRequest>) -> Answer<v1::HookResponse> {
        Err(Status::unimplemented(""))
    }

    async fn migrations(
        &self,
        _: Request<v1::MigrationsRequest>,
    ) -> Answer<v1::MigrationsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn migrate(&self, _: Request<v1::MigrateRequest>) -> Answer<Self::MigrateStream> {
        Err(Status::unimplemented(""))
    }
}

#[tonic::async_trait]
impl Importer for Example {
    type SyncStream = Messages<v1::Event>;
    type ListStream = Messages<v1::Event>;
    type FetchStream = Messages<v1::Event>;
    type UploadStream = Messages<v1::Event>;
    type ResolveStream = Messages<v1::Event>;

    async fn sync(&self, request: Request<v1::SyncRequest>) -> Answer<Self::SyncStream> {
        let attachment = request.into_inner().attachment.unwrap_or_default();
        self.behave(&attachment.repository).map(Response::new)
    }

    async fn list(&self, _: Request<v1::ListRequest>) -> Answer<Self::ListStream> {
        Err(Status::unimplemented(""))
    }

    async fn fetch(&self, _: Request<v1::FetchRequest>) -> Answer<Self::FetchStream> {
        Err(Status::unimplemented(""))
    }

    async fn upload(&self, _: Request<v1::UploadRequest>) -> Answer<Self::UploadStream> {
        Err(Status::unimplemented(""))
    }

    async fn resolve(&self, _: Request<v1::ResolveRequest>) -> Answer<Self::ResolveStream> {
        Err(Status::unimplemented(""))
    }
}

#[tonic::async_trait]
impl GrpcController for Example {
    async fn shutdown(&self, _: Request<goplugin::Empty>) -> Answer<goplugin::Empty> {
        if !self.deaf {
            self.stop.cancel();
        }
        Ok(Response::new(goplugin::Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for Example {
    type StreamStdioStream = Messages<StdioData>;

    async fn stream_stdio(&self, _: Request<()>) -> Answer<Self::StreamStdioStream> {
        let chunk = StdioData {
            channel: goplugin::stdio_data::Channel::Stdout.into(),
            data: b"[INFO] printed by the plugin\n".to_vec(),
        };
        let silence = tokio_stream::pending();
        Ok(Response::new(Box::pin(tokio_stream::once(Ok(chunk)).chain(silence))))
    }
}

#[tonic::async_trait]
impl Health for Example {
    type WatchStream = Messages<HealthCheckResponse>;

    async fn check(&self, _: Request<HealthCheckRequest>) -> Answer<HealthCheckResponse> {
        let status = if self.sick { ServingStatus::NotServing } else { ServingStatus::Serving };
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Answer<HealthListResponse> {
        Err(Status::unimplemented(""))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Answer<Self::WatchStream> {
        Err(Status::unimplemented(""))
    }
}
