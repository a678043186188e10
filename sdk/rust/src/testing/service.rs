//! Service `Host` over a fake host: every call that a plugin can make, from memory.

use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::BytesMut;
use futures_util::{Stream, StreamExt, stream};
use tonic::{Request, Response, Status, Streaming, async_trait};
use wharf_proto::v1::host_server::Host;
use wharf_proto::{MAX_BATCH, v1};

use super::downloads::Downloads;
use super::host::{Doing, FakeHost};
use super::{signer, units};

/// The service over a fake host.
pub(super) struct Service {
    host: FakeHost,
    work: PathBuf,
    downloads: Downloads,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answered<T> = Result<Response<T>, Status>;

impl Service {
    pub(super) fn new(host: FakeHost, work: &Path) -> Self {
        Self { host, work: work.to_owned(), downloads: Downloads::new(work.to_owned()) }
    }

    /// Refuses a call that does not carry a job's token, and one that this host does not offer.
    fn admit<T>(&self, request: Request<T>, call: &str) -> Result<T, Status> {
        if request.metadata().get(wharf_proto::TOKEN_HEADER).is_none() {
            return Err(Status::unauthenticated("no token"));
        }
        if !self.host.offers(call) {
            return Err(Status::unimplemented(format!("this fake host is without {call}")));
        }
        Ok(request.into_inner())
    }

    /// Notes something, and gives its number.
    fn note(&self, doing: Doing) -> u64 {
        let mut kept = self.host.kept();
        kept.doings.push(doing);
        u64::try_from(kept.doings.len()).unwrap_or(u64::MAX)
    }

    fn did(&self, number: u64) -> Option<Doing> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.host.kept().doings.get(place).cloned()
    }
}

fn all<T: Send + 'static>(answers: Vec<Result<T, Status>>) -> Response<Answers<T>> {
    Response::new(stream::iter(answers).boxed())
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
        let query = self.admit(request, "QueryUnits")?;
        Ok(all(units::pages(&self.host, &query).into_iter().map(Ok).collect()))
    }

    async fn get_units(&self, request: Request<v1::GetUnitsRequest>) -> Answered<v1::Units> {
        let named = self.admit(request, "GetUnits")?.units;
        units::named(&self.host, &named).map(Response::new)
    }

    async fn save_units(
        &self,
        request: Request<Streaming<v1::Units>>,
    ) -> Answered<Self::SaveUnitsStream> {
        let mut messages = self.admit(request, "SaveUnits")?;
        let mut answers = Vec::new();
        while let Some(message) = messages.message().await? {
            let units = message.units.into_iter().map(|unit| self.host.save(unit)).collect();
            answers.push(Ok(v1::SavedUnits { units }));
        }
        Ok(all(answers))
    }

    async fn download(
        &self,
        request: Request<v1::DownloadRequest>,
    ) -> Answered<Self::DownloadStream> {
        let items = self.admit(request, "Download")?.items;
        let answer = |(index, item)| {
            Ok(v1::Downloaded { index, ..self.downloads.answer(&self.host, item)? })
        };
        Ok(all((0..).zip(&items).map(answer).collect()))
    }

    async fn get_secret(
        &self,
        request: Request<v1::GetSecretRequest>,
    ) -> Answered<v1::GetSecretResponse> {
        let name = self.admit(request, "GetSecret")?.name;
        let value = self.host.secret_of(&name);
        let value = value.ok_or_else(|| Status::not_found(format!("no secret {name:?}")))?.to_vec();
        Ok(Response::new(v1::GetSecretResponse { value }))
    }

    async fn get_settings(
        &self,
        request: Request<v1::GetSettingsRequest>,
    ) -> Answered<v1::GetSettingsResponse> {
        self.admit(request, "GetSettings")?;
        Ok(Response::new(v1::GetSettingsResponse { settings: self.host.settings_text() }))
    }

    async fn get_state(
        &self,
        request: Request<v1::GetStateRequest>,
    ) -> Answered<v1::GetStateResponse> {
        let request = self.admit(request, "GetState")?;
        let key = format!("{}/{}", request.scope, request.key);
        let (revision, value) = self.host.kept().state.get(&key).cloned().unwrap_or_default();
        Ok(Response::new(v1::GetStateResponse { revision, value }))
    }

    async fn put_state(
        &self,
        request: Request<v1::PutStateRequest>,
    ) -> Answered<v1::PutStateResponse> {
        let request = self.admit(request, "PutState")?;
        let mut kept = self.host.kept();
        let key = format!("{}/{}", request.scope, request.key);
        let (current, value) = kept.state.entry(key).or_default();
        if *current != request.revision {
            return Err(Status::aborted(format!("the state has revision {current}")));
        }
        *current += 1;
        *value = request.value;
        Ok(Response::new(v1::PutStateResponse { revision: *current }))
    }

    async fn has_artifacts(
        &self,
        request: Request<v1::HasArtifactsRequest>,
    ) -> Answered<v1::HasArtifactsResponse> {
        let digests = self.admit(request, "HasArtifacts")?.digests;
        let present = digests.iter().map(|digest| self.host.artifact(digest).is_some()).collect();
        Ok(Response::new(v1::HasArtifactsResponse { present }))
    }

    async fn open_artifact(
        &self,
        request: Request<v1::OpenArtifactRequest>,
    ) -> Answered<Self::OpenArtifactStream> {
        let v1::OpenArtifactRequest { digest, offset } = self.admit(request, "OpenArtifact")?;
        let bytes = self.host.artifact(&digest);
        let bytes = bytes.ok_or_else(|| Status::not_found(format!("no artifact {digest}")))?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        Ok(all(vec![Ok(v1::ArtifactChunk { data: bytes.slice(offset..) })]))
    }

    async fn put_artifact(
        &self,
        request: Request<Streaming<v1::ArtifactChunk>>,
    ) -> Answered<v1::PutArtifactResponse> {
        let mut pieces = self.admit(request, "PutArtifact")?;
        let mut bytes = BytesMut::new();
        while let Some(piece) = pieces.message().await? {
            bytes.extend_from_slice(&piece.data);
        }
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let digest = self.host.store(bytes.freeze());
        Ok(Response::new(v1::PutArtifactResponse { digest, size }))
    }

    async fn spawn_job(
        &self,
        request: Request<v1::SpawnJobRequest>,
    ) -> Answered<v1::SpawnJobResponse> {
        let job = self.admit(request, "SpawnJob")?.job.unwrap_or_default();
        Ok(Response::new(v1::SpawnJobResponse { job: self.note(Doing::SpawnJob(job)) }))
    }

    async fn wait_job(
        &self,
        request: Request<v1::WaitJobRequest>,
    ) -> Answered<v1::WaitJobResponse> {
        let number = self.admit(request, "WaitJob")?.job;
        let Some(Doing::SpawnJob(_)) = self.did(number) else {
            return Err(Status::not_found(format!("no job {number}")));
        };
        let state = "succeeded".to_owned();
        Ok(Response::new(v1::WaitJobResponse { state, ..v1::WaitJobResponse::default() }))
    }

    async fn acquire(&self, request: Request<v1::AcquireRequest>) -> Answered<v1::AcquireResponse> {
        let request = self.admit(request, "Acquire")?;
        Ok(Response::new(v1::AcquireResponse { grant: self.note(Doing::Acquire(request)) }))
    }

    async fn release(&self, request: Request<v1::ReleaseRequest>) -> Answered<()> {
        let grant = self.admit(request, "Release")?.grant;
        let Some(Doing::Acquire(_)) = self.did(grant) else {
            return Err(Status::not_found(format!("no grant {grant}")));
        };
        self.note(Doing::Release(grant));
        Ok(Response::new(()))
    }

    async fn contribute(&self, request: Request<v1::ContributeRequest>) -> Answered<()> {
        let request = self.admit(request, "Contribute")?;
        self.note(Doing::Contribute(request));
        Ok(Response::new(()))
    }

    async fn sign(&self, request: Request<v1::SignRequest>) -> Answered<v1::SignResponse> {
        let request = self.admit(request, "Sign")?;
        signer::sign(self.host.signs_with(), request, &self.work)
    }

    async fn emit(&self, request: Request<v1::EmitRequest>) -> Answered<()> {
        let request = self.admit(request, "Emit")?;
        self.note(Doing::Emit(request));
        Ok(Response::new(()))
    }

    async fn watch_items(&self, request: Request<()>) -> Answered<Self::WatchItemsStream> {
        self.admit(request, "WatchItems")?;
        let added = |unit: v1::Unit| v1::Item {
            key: unit.key,
            outcome: v1::Outcome::Added.into(),
            error: None,
        };
        let items: Vec<_> = self.host.units().into_iter().map(added).collect();
        let messages = items.chunks(MAX_BATCH).map(|items| Ok(v1::Items { items: items.to_vec() }));
        Ok(all(messages.collect()))
    }

    /// Says nothing: the harness cancels calls as gRPC does.
    async fn watch_cancel(&self, request: Request<()>) -> Answered<Self::WatchCancelStream> {
        self.admit(request, "WatchCancel")?;
        Ok(Response::new(stream::pending().boxed()))
    }
}
