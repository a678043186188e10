//! The contract's services, answered by the registered components.

mod action;
mod builder;
mod distributor;
mod importer;
mod plugin;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tonic::service::Routes;
use tonic::{Response, Status};
use wharf_proto::v1;
use wharf_proto::v1::action_server::ActionServer;
use wharf_proto::v1::builder_server::BuilderServer;
use wharf_proto::v1::distributor_server::DistributorServer;
use wharf_proto::v1::importer_server::ImporterServer;
use wharf_proto::v1::plugin_server::PluginServer;

use super::Registry;
use crate::Error;
use crate::context::{Calls, panicked};

/// Requests above the library's own 4 MiB are taken, as go-plugin's hosts send them.
const MAX_REQUEST: usize = 64 << 20;

/// One server for all services.
#[derive(Clone)]
struct Server {
    registry: Arc<Registry>,
    calls: Calls,
}

/// All services of the contract.
pub(crate) fn routes(registry: Arc<Registry>, calls: Calls) -> Routes {
    let server = Server { registry, calls };
    Routes::new(PluginServer::new(server.clone()).max_decoding_message_size(MAX_REQUEST))
        .add_service(ImporterServer::new(server.clone()).max_decoding_message_size(MAX_REQUEST))
        .add_service(DistributorServer::new(server.clone()).max_decoding_message_size(MAX_REQUEST))
        .add_service(BuilderServer::new(server.clone()).max_decoding_message_size(MAX_REQUEST))
        .add_service(ActionServer::new(server).max_decoding_message_size(MAX_REQUEST))
}

impl Server {
    /// Answers a call with one message: refuses it while stopping, and turns a panic into a fault.
    async fn answer<T>(
        &self,
        method: impl Future<Output = Result<T, Error>>,
    ) -> Result<Response<T>, Status> {
        if self.calls.stop.is_cancelled() {
            return Err(Status::unavailable("the plugin is stopping"));
        }
        let answer = AssertUnwindSafe(method).catch_unwind().await;
        let answer = answer.unwrap_or_else(|panic| Err(panicked(&*panic)));
        answer.map(Response::new).map_err(|error| error.to_status())
    }
}

/// The component that an attachment is of.
fn component(attachment: Option<&v1::Attachment>) -> &str {
    attachment.and_then(|attachment| attachment.instance.as_ref()).map_or("", |it| &it.component)
}
