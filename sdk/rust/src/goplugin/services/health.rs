//! The standard health service: `plugin`, which go-plugin asks for, and the empty name serve; others are unknown.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, async_trait};
use wharf_proto::health::health_check_response::ServingStatus;
use wharf_proto::health::health_server::Health as Service;
use wharf_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};

/// Answers as long as the plugin runs.
pub(super) struct Health {
    pub(super) stop: CancellationToken,
}

const SERVICES: [&str; 2] = ["", "plugin"];

impl Health {
    fn status(&self, service: &str) -> ServingStatus {
        match service {
            _ if !SERVICES.contains(&service) => ServingStatus::ServiceUnknown,
            _ if self.stop.is_cancelled() => ServingStatus::NotServing,
            _ => ServingStatus::Serving,
        }
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[async_trait]
impl Service for Health {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.status(&request.get_ref().service) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("unknown service")),
            status => Ok(Response::new(answer(status))),
        }
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        let statuses = SERVICES.map(|name| (name.to_owned(), answer(self.status(name))));
        Ok(Response::new(HealthListResponse { statuses: statuses.into() }))
    }

    /// The status now, and that it serves no more when it stops. An unknown service stays so.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let now = self.status(&request.get_ref().service);
        let stop = self.stop.clone();
        let last = stream::once(async move {
            stop.cancelled().await;
            Ok(answer(ServingStatus::NotServing))
        });
        let last = last.filter(move |_| std::future::ready(now == ServingStatus::Serving));
        Ok(Response::new(stream::iter([Ok(answer(now))]).chain(last).boxed()))
    }
}
