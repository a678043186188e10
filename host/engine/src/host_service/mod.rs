//! Service `Host`: what plugins may ask while a job runs. Every call shows a token (`grants`); its rights end with the
//! job. What nothing needs yet answers UNIMPLEMENTED.
//!
//! Never decides how a job ends: a refused or failed call is an answer to the plugin.

mod artifacts;
mod claims;
mod download;
mod grants;
mod secret;
mod sign;
mod state;
mod units;

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use wharf_proto::v1;
use wharf_proto::v1::host_server::{Host, HostServer};
use wharf_store::Store;

use crate::claims::Claims;
use crate::fetch::Fetcher;
use crate::problem::{Class, Problem};
use crate::secrets::Secrets;
use crate::signing::Keys;
use crate::unit_types::Types;

pub(crate) use grants::{Grants, Only, Rights};

/// The calls that this host offers, as plugins are told of them.
pub(crate) const FEATURES: &[&str] = &[
    "host.QueryUnits",
    "host.HasArtifacts",
    "host.OpenArtifact",
    "host.Download",
    "host.GetSecret",
    "host.GetState",
    "host.PutState",
    "host.GetSettings",
    "host.Acquire",
    "host.Release",
    "host.Sign",
    "host.WatchCancel",
];

/// The service, to be served on each plugin process's own socket.
pub(crate) fn routes(
    grants: Grants,
    (store, fetcher, keys, secrets): (Store, Fetcher, Keys, Secrets),
    (types, claims): (Arc<Types>, Arc<Claims>),
) -> Routes {
    let parts = HostService { grants, store, fetcher, keys, secrets, types, claims };
    Routes::new(HostServer::new(parts))
}

struct HostService {
    grants: Grants,
    store: Store,
    fetcher: Fetcher,
    keys: Keys,
    secrets: Secrets,
    types: Arc<Types>,
    claims: Arc<Claims>,
}

impl HostService {
    fn rights<T>(&self, request: &Request<T>) -> Result<Arc<Rights>, Status> {
        let rights = self.any_rights(request)?;
        if rights.job == 0 {
            return Err(Status::permission_denied(
                "outside of jobs there are secrets and settings only",
            ));
        }
        Ok(rights)
    }

    /// Those of a check of settings too, which is no job.
    fn any_rights<T>(&self, request: &Request<T>) -> Result<Arc<Rights>, Status> {
        self.grants.check(request.metadata(), request.extensions())
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A problem as a plain gRPC status, for authors without an SDK.
fn status(problem: &Problem) -> Status {
    let code = match (problem.class, problem.code.split('.').next().unwrap_or_default()) {
        (Class::Cancelled, _) => tonic::Code::Cancelled,
        (_, "not_found") => tonic::Code::NotFound,
        (_, "policy") => tonic::Code::PermissionDenied,
        (_, "limit") => tonic::Code::ResourceExhausted,
        (_, "conflict") => tonic::Code::Aborted,
        (Class::Usage, _) => tonic::Code::InvalidArgument,
        (Class::Operation, _) => tonic::Code::Unavailable,
        (Class::Fault, _) => tonic::Code::Internal,
    };
    Status::new(code, format!("{}: {}", problem.code, problem.message))
}

fn stored(error: wharf_store::Error) -> Status {
    status(&Problem::from(error))
}

fn not_offered(call: &str) -> Status {
    Status::unimplemented(format!("this host does not offer Host.{call}"))
}

#[tonic::async_trait]
impl Host for HostService {
    type QueryUnitsStream = Answers<v1::Units>;
    type SaveUnitsStream = Answers<v1::SavedUnits>;
    type OpenArtifactStream = Answers<v1::ArtifactChunk>;
    type DownloadStream = Answers<v1::Downloaded>;
    type WatchItemsStream = Answers<v1::Items>;
    type WatchCancelStream = Answers<v1::CancelRequested>;

    async fn query_units(
        &self,
        request: Request<v1::QueryUnitsRequest>,
    ) -> Result<Response<Self::QueryUnitsStream>, Status> {
        let rights = self.rights(&request)?;
        let names = Arc::new(self.types.numbers());
        units::query(self.store.clone(), names, &rights, request.into_inner()).await
    }

    async fn has_artifacts(
        &self,
        request: Request<v1::HasArtifactsRequest>,
    ) -> Result<Response<v1::HasArtifactsResponse>, Status> {
        self.rights(&request)?;
        artifacts::has(&self.store, request.into_inner()).await
    }

    async fn open_artifact(
        &self,
        request: Request<v1::OpenArtifactRequest>,
    ) -> Result<Response<Self::OpenArtifactStream>, Status> {
        let rights = self.rights(&request)?;
        artifacts::open(&self.store, &rights, request.into_inner()).await
    }

    async fn download(
        &self,
        request: Request<v1::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let rights = self.rights(&request)?;
        download::download(self.fetcher.clone(), rights, request.into_inner())
    }

    async fn get_state(
        &self,
        request: Request<v1::GetStateRequest>,
    ) -> Result<Response<v1::GetStateResponse>, Status> {
        let rights = self.rights(&request)?;
        state::get(&self.store, &rights, request.into_inner()).await
    }

    async fn put_state(
        &self,
        request: Request<v1::PutStateRequest>,
    ) -> Result<Response<v1::PutStateResponse>, Status> {
        let rights = self.rights(&request)?;
        state::put(&self.store, &rights, request.into_inner()).await
    }

    async fn get_settings(
        &self,
        request: Request<v1::GetSettingsRequest>,
    ) -> Result<Response<v1::GetSettingsResponse>, Status> {
        let settings = self.any_rights(&request)?.settings.clone();
        Ok(Response::new(v1::GetSettingsResponse { settings }))
    }

    async fn watch_cancel(
        &self,
        request: Request<()>,
    ) -> Result<Response<Self::WatchCancelStream>, Status> {
        let cancel = self.rights(&request)?.cancel.clone();
        let told = futures_util::stream::once(async move {
            cancel.cancelled().await;
            Ok(v1::CancelRequested { grace_ms: 0, reason: "a stop was asked for".to_owned() })
        });
        Ok(Response::new(Box::pin(told)))
    }

    async fn get_units(
        &self,
        _request: Request<v1::GetUnitsRequest>,
    ) -> Result<Response<v1::Units>, Status> {
        Err(not_offered("GetUnits"))
    }

    async fn save_units(
        &self,
        _request: Request<tonic::Streaming<v1::Units>>,
    ) -> Result<Response<Self::SaveUnitsStream>, Status> {
        Err(not_offered("SaveUnits"))
    }

    async fn put_artifact(
        &self,
        _request: Request<tonic::Streaming<v1::ArtifactChunk>>,
    ) -> Result<Response<v1::PutArtifactResponse>, Status> {
        Err(not_offered("PutArtifact"))
    }

    async fn get_secret(
        &self,
        request: Request<v1::GetSecretRequest>,
    ) -> Result<Response<v1::GetSecretResponse>, Status> {
        let rights = self.any_rights(&request)?;
        secret::get(&self.secrets, &rights, request.into_inner()).await
    }

    async fn spawn_job(
        &self,
        _request: Request<v1::SpawnJobRequest>,
    ) -> Result<Response<v1::SpawnJobResponse>, Status> {
        Err(not_offered("SpawnJob"))
    }

    async fn wait_job(
        &self,
        _request: Request<v1::WaitJobRequest>,
    ) -> Result<Response<v1::WaitJobResponse>, Status> {
        Err(not_offered("WaitJob"))
    }

    async fn acquire(
        &self,
        request: Request<v1::AcquireRequest>,
    ) -> Result<Response<v1::AcquireResponse>, Status> {
        let rights = self.rights(&request)?;
        claims::acquire(&self.claims, &rights, request.into_inner()).await
    }

    async fn release(&self, request: Request<v1::ReleaseRequest>) -> Result<Response<()>, Status> {
        let rights = self.rights(&request)?;
        claims::release(&self.claims, &rights, request.into_inner().grant)
    }

    async fn contribute(
        &self,
        _request: Request<v1::ContributeRequest>,
    ) -> Result<Response<()>, Status> {
        Err(not_offered("Contribute"))
    }

    async fn sign(
        &self,
        request: Request<v1::SignRequest>,
    ) -> Result<Response<v1::SignResponse>, Status> {
        let rights = self.rights(&request)?;
        sign::sign(&self.keys, &rights, request.into_inner()).await
    }

    async fn emit(&self, _request: Request<v1::EmitRequest>) -> Result<Response<()>, Status> {
        Err(not_offered("Emit"))
    }

    async fn watch_items(
        &self,
        _request: Request<()>,
    ) -> Result<Response<Self::WatchItemsStream>, Status> {
        Err(not_offered("WatchItems"))
    }
}
