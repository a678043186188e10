//! The standard health service: `plugin`, which go-plugin asks for, and the empty name serve; others are unknown.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, async_trait};
use wharf_proto::health::health_check_response::ServingStatus;
use wharf_proto::health::health_server::Health as Service;
use wharf_proto::health::{HealthCheckRequest, HealthCheckResponse};

/// Answers as long as the plugin runs.
pub(crate) struct Health {
    pub(crate) stop: CancellationToken,
}

impl Health {
    fn status(&self, service: &str) -> ServingStatus {
        match service {
            "" | "plugin" if self.stop.is_cancelled() => ServingStatus::NotServing,
            "" | "plugin" => ServingStatus::Serving,
            _ => ServingStatus::ServiceUnknown,
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

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let first = answer(self.status(&request.get_ref().service));
        let rest = stream::pending().take_until(self.stop.clone().cancelled_owned());
        Ok(Response::new(stream::iter([Ok(first)]).chain(rest).boxed()))
    }
}
