//! What every plugin answers: who it is, whether settings are good, whether it lives, and the orderly stop.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;
use tokio_stream::Stream;
use tonic::{Request, Response, Status, async_trait};
use wharf_proto::goplugin::Empty;
use wharf_proto::goplugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use wharf_proto::health::health_check_response::ServingStatus;
use wharf_proto::health::health_server::{self, HealthServer};
use wharf_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use wharf_proto::v1::plugin_server::{Plugin, PluginServer};
use wharf_proto::v1::{self, Event};

use crate::fault;
use crate::serve::House;

/// A stream of answers.
pub(crate) type Answer<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

const MANIFEST: &str = include_str!("plugin.json");

/// Service Plugin.
pub(crate) struct Answers(Arc<House>);

impl Answers {
    pub(crate) fn service(house: &Arc<House>) -> PluginServer<Self> {
        PluginServer::new(Self(Arc::clone(house)))
    }

    fn describe(&self) -> v1::DescribeResponse {
        let manifest: Value = serde_json::from_str(MANIFEST).expect("the manifest is JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let texts = |value: &Value| {
            value.as_array().map(|list| list.iter().map(text).collect()).unwrap_or_default()
        };
        let components = manifest["components"].as_array().cloned().unwrap_or_default();
        let version = match self.0.mode.as_str() {
            // F25: another version than the manifest says.
            "other-version" => "9.9.9".to_owned(),
            _ => text(&manifest["version"]),
        };
        v1::DescribeResponse {
            name: text(&manifest["name"]),
            version,
            components: components
                .iter()
                .map(|component| v1::Component {
                    id: text(&component["id"]),
                    role: text(&component["role"]),
                    profile: text(&component["profile"]),
                    operations: texts(&component["operations"]),
                    types: texts(&component["content_types"]),
                })
                .collect(),
            types: vec!["odd".to_owned()],
            features: Vec::new(),
        }
    }
}

#[async_trait]
impl Plugin for Answers {
    type MigrateStream = Answer<Event>;

    async fn describe(
        &self,
        _request: Request<v1::DescribeRequest>,
    ) -> Result<Response<v1::DescribeResponse>, Status> {
        Ok(Response::new(self.describe()))
    }

    async fn ready(
        &self,
        request: Request<v1::ReadyRequest>,
    ) -> Result<Response<v1::ReadyResponse>, Status> {
        let settings = request.into_inner().instance.unwrap_or_default().settings;
        let settings: Option<Value> = serde_json::from_str(&settings).ok();
        if self.0.mode == "fragile" && !settings.as_ref().is_some_and(Value::is_object) {
            fault::strike(&self.0, "crash", 1);
        }
        let wordless = settings.is_some_and(|settings| settings["fault"] == "wordless");
        let reasons = if wordless { vec![v1::FieldProblem::default()] } else { Vec::new() };
        Ok(Response::new(v1::ReadyResponse { reasons }))
    }

    async fn check(
        &self,
        _request: Request<v1::CheckRequest>,
    ) -> Result<Response<v1::CheckResponse>, Status> {
        Ok(Response::new(v1::CheckResponse::default()))
    }

    async fn choices(
        &self,
        _request: Request<v1::ChoicesRequest>,
    ) -> Result<Response<v1::ChoicesResponse>, Status> {
        Err(Status::unimplemented("no choices"))
    }

    async fn attached(
        &self,
        _request: Request<v1::AttachedRequest>,
    ) -> Result<Response<v1::AttachedResponse>, Status> {
        Ok(Response::new(v1::AttachedResponse {}))
    }

    async fn detached(
        &self,
        _request: Request<v1::DetachedRequest>,
    ) -> Result<Response<v1::DetachedResponse>, Status> {
        Ok(Response::new(v1::DetachedResponse {}))
    }

    async fn plan(
        &self,
        _request: Request<v1::PlanRequest>,
    ) -> Result<Response<v1::PlanResponse>, Status> {
        Err(Status::unimplemented("one job, as asked"))
    }

    async fn hook(
        &self,
        _request: Request<v1::HookRequest>,
    ) -> Result<Response<v1::HookResponse>, Status> {
        match self.0.mode.as_str() {
            "undecided" => Ok(Response::new(v1::HookResponse::default())),
            "fuse" => {
                let _burns = Fuse(Arc::clone(&self.0));
                std::future::pending().await
            }
            _ => Err(Status::unimplemented("no hooks")),
        }
    }

    async fn migrations(
        &self,
        _request: Request<v1::MigrationsRequest>,
    ) -> Result<Response<v1::MigrationsResponse>, Status> {
        Ok(Response::new(v1::MigrationsResponse::default()))
    }

    async fn migrate(
        &self,
        _request: Request<v1::MigrateRequest>,
    ) -> Result<Response<Self::MigrateStream>, Status> {
        Err(Status::unimplemented("no migrations"))
    }
}

/// Whoever drops it ends the process.
struct Fuse(Arc<House>);

impl Drop for Fuse {
    fn drop(&mut self) {
        fault::strike(&self.0, "crash", 1);
    }
}

/// go-plugin's orderly stop.
pub(crate) struct Control(Arc<House>);

impl Control {
    pub(crate) fn service(house: &Arc<House>) -> GrpcControllerServer<Self> {
        GrpcControllerServer::new(Self(Arc::clone(house)))
    }
}

#[async_trait]
impl GrpcController for Control {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        if !self.0.stubborn.load(Ordering::SeqCst) {
            self.0.stop.cancel();
        }
        Ok(Response::new(Empty {}))
    }
}

/// The health service.
pub(crate) struct Health(Arc<House>);

impl Health {
    pub(crate) fn service(house: &Arc<House>) -> HealthServer<Self> {
        HealthServer::new(Self(Arc::clone(house)))
    }
}

#[async_trait]
impl health_server::Health for Health {
    type WatchStream = Answer<HealthCheckResponse>;

    async fn check(
        &self,
        _request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let status = match self.0.mode.as_str() {
            // F23.
            "not-serving" => ServingStatus::NotServing,
            _ => ServingStatus::Serving,
        };
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }

    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("ask with Check"))
    }

    async fn watch(
        &self,
        _request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("ask with Check"))
    }
}
