//! The calls of service `Host`, each answered by the script of the job that its token names.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tonic::{Code, Request, Response, Status, Streaming, async_trait};
use wharf_proto::v1;
use wharf_proto::v1::host_server::Host;
use wharf_proto::{MAX_BATCH, TOKEN_HEADER};

use super::{Desk, Held, Job, Script, downloads, lock, query};

/// One piece of an artifact.
const CHUNK: usize = 64 << 10;

pub(super) struct Service(pub(super) Arc<Desk>);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answered<T> = Result<Response<T>, Status>;

impl Service {
    fn job<T>(&self, request: &Request<T>, call: &'static str) -> Result<Arc<Job>, Status> {
        let token = request.metadata().get(TOKEN_HEADER).and_then(|token| token.to_str().ok());
        let job = self
            .0
            .job(token, call)
            .ok_or_else(|| Status::unauthenticated("the token is not good, or its job is over"))?;
        match job.script {
            Script::Refuse(Code::Unimplemented) => not_offered(call),
            Script::Refuse(code) => {
                Err(Status::new(code, format!("Host.{call} is refused by wharf plugin verify")))
            }
            _ => Ok(job),
        }
    }
}

fn not_offered<T>(call: &str) -> Result<T, Status> {
    Err(Status::unimplemented(format!("this host does not offer Host.{call}")))
}

/// An answer that does not come as long as the plugin waits.
fn never<T: Send + 'static>(job: &Arc<Job>) -> Answers<T> {
    let held = Held::new(job);
    let wait = async move {
        let _held = held;
        std::future::pending::<Result<T, Status>>().await
    };
    Box::pin(stream::once(wait))
}

fn answers<T: Send + 'static>(all: Vec<T>) -> Answers<T> {
    stream::iter(all.into_iter().map(Ok)).boxed()
}

#[async_trait]
impl Host for Service {
    type QueryUnitsStream = Answers<v1::Units>;
    type SaveUnitsStream = Answers<v1::SavedUnits>;
    type OpenArtifactStream = Answers<v1::ArtifactChunk>;
    type DownloadStream = Answers<v1::Downloaded>;
    type WatchItemsStream = Answers<v1::Items>;
    type WatchCancelStream = Answers<v1::CancelRequested>;

    async fn query_units(
        &self,
        request: Request<v1::QueryUnitsRequest>,
    ) -> Answered<Self::QueryUnitsStream> {
        let job = self.job(&request, "QueryUnits")?;
        if job.script == Script::Hold {
            return Ok(Response::new(never(&job)));
        }
        let query = request.into_inner();
        if !query.fields.is_empty() {
            return Err(Status::unimplemented("this host sends whole units; leave `fields` empty"));
        }
        Ok(Response::new(answers(query::pages(&job.stock.units, &query))))
    }

    async fn download(
        &self,
        request: Request<v1::DownloadRequest>,
    ) -> Answered<Self::DownloadStream> {
        let job = self.job(&request, "Download")?;
        if job.script == Script::Hold {
            return Ok(Response::new(never(&job)));
        }
        let items = request.into_inner().items;
        if items.len() > MAX_BATCH {
            return Err(Status::invalid_argument("at most 1,000 items in one call"));
        }
        let one =
            move |(item, index): (v1::Download, u32)| Ok(downloads::download(&job, &item, index));
        Ok(Response::new(stream::iter(items.into_iter().zip(0..).map(one)).boxed()))
    }

    async fn has_artifacts(
        &self,
        request: Request<v1::HasArtifactsRequest>,
    ) -> Answered<v1::HasArtifactsResponse> {
        let job = self.job(&request, "HasArtifacts")?;
        let digests = request.into_inner().digests;
        let present = digests.iter().map(|digest| job.stock.file(digest).is_some()).collect();
        Ok(Response::new(v1::HasArtifactsResponse { present }))
    }

    async fn open_artifact(
        &self,
        request: Request<v1::OpenArtifactRequest>,
    ) -> Answered<Self::OpenArtifactStream> {
        let job = self.job(&request, "OpenArtifact")?;
        let v1::OpenArtifactRequest { digest, offset } = request.into_inner();
        let bytes = job.stock.file(&digest);
        let bytes = bytes.ok_or_else(|| Status::not_found(format!("no artifact {digest}")))?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = bytes.get(offset..).unwrap_or_default();
        let chunk = |bytes: &[u8]| v1::ArtifactChunk { data: Bytes::copy_from_slice(bytes) };
        Ok(Response::new(answers(rest.chunks(CHUNK).map(chunk).collect())))
    }

    async fn get_state(
        &self,
        request: Request<v1::GetStateRequest>,
    ) -> Answered<v1::GetStateResponse> {
        let job = self.job(&request, "GetState")?;
        let key = request.into_inner().key;
        let (revision, value) = lock(&job.state).get(&key).cloned().unwrap_or_default();
        Ok(Response::new(v1::GetStateResponse { revision, value }))
    }

    async fn put_state(
        &self,
        request: Request<v1::PutStateRequest>,
    ) -> Answered<v1::PutStateResponse> {
        let job = self.job(&request, "PutState")?;
        let request = request.into_inner();
        let mut state = lock(&job.state);
        let (revision, value) = state.entry(request.key).or_default();
        if *revision != request.revision {
            return Err(Status::aborted(format!("the state has revision {revision}")));
        }
        *revision += 1;
        *value = request.value;
        Ok(Response::new(v1::PutStateResponse { revision: *revision }))
    }

    async fn get_settings(
        &self,
        request: Request<v1::GetSettingsRequest>,
    ) -> Answered<v1::GetSettingsResponse> {
        let settings = self.job(&request, "GetSettings")?.sample.settings_text();
        Ok(Response::new(v1::GetSettingsResponse { settings }))
    }

    async fn watch_cancel(&self, request: Request<()>) -> Answered<Self::WatchCancelStream> {
        let cancel = self.job(&request, "WatchCancel")?.cancel.clone();
        let told = stream::once(async move {
            cancel.cancelled().await;
            Ok(v1::CancelRequested { grace_ms: 0, reason: "a stop was asked for".to_owned() })
        });
        Ok(Response::new(Box::pin(told)))
    }

    async fn get_units(&self, request: Request<v1::GetUnitsRequest>) -> Answered<v1::Units> {
        self.job(&request, "GetUnits")?;
        not_offered("GetUnits")
    }

    async fn save_units(
        &self,
        request: Request<Streaming<v1::Units>>,
    ) -> Answered<Self::SaveUnitsStream> {
        self.job(&request, "SaveUnits")?;
        not_offered("SaveUnits")
    }

    async fn put_artifact(
        &self,
        request: Request<Streaming<v1::ArtifactChunk>>,
    ) -> Answered<v1::PutArtifactResponse> {
        self.job(&request, "PutArtifact")?;
        not_offered("PutArtifact")
    }

    async fn get_secret(
        &self,
        request: Request<v1::GetSecretRequest>,
    ) -> Answered<v1::GetSecretResponse> {
        let job = self.job(&request, "GetSecret")?;
        if job.script == Script::Hold {
            let _held = Held::new(&job);
            return std::future::pending().await;
        }
        let name = request.into_inner().name;
        let value = job.sample.secrets.get(&name).cloned();
        let value = value.ok_or_else(|| {
            Status::permission_denied(format!("the settings name no secret {name:?}"))
        })?;
        Ok(Response::new(v1::GetSecretResponse { value: value.into() }))
    }

    async fn spawn_job(
        &self,
        request: Request<v1::SpawnJobRequest>,
    ) -> Answered<v1::SpawnJobResponse> {
        self.job(&request, "SpawnJob")?;
        not_offered("SpawnJob")
    }

    async fn wait_job(
        &self,
        request: Request<v1::WaitJobRequest>,
    ) -> Answered<v1::WaitJobResponse> {
        self.job(&request, "WaitJob")?;
        not_offered("WaitJob")
    }

    async fn acquire(&self, request: Request<v1::AcquireRequest>) -> Answered<v1::AcquireResponse> {
        self.job(&request, "Acquire")?;
        not_offered("Acquire")
    }

    async fn release(&self, request: Request<v1::ReleaseRequest>) -> Answered<()> {
        self.job(&request, "Release")?;
        not_offered("Release")
    }

    async fn contribute(&self, request: Request<v1::ContributeRequest>) -> Answered<()> {
        self.job(&request, "Contribute")?;
        not_offered("Contribute")
    }

    async fn sign(&self, request: Request<v1::SignRequest>) -> Answered<v1::SignResponse> {
        self.job(&request, "Sign")?;
        not_offered("Sign")
    }

    async fn emit(&self, request: Request<v1::EmitRequest>) -> Answered<()> {
        self.job(&request, "Emit")?;
        not_offered("Emit")
    }

    async fn watch_items(&self, request: Request<()>) -> Answered<Self::WatchItemsStream> {
        self.job(&request, "WatchItems")?;
        not_offered("WatchItems")
    }
}
