//! The contract's services, answered by the registered components.

mod action;
mod builder;
mod distributor;
mod importer;
mod plugin;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
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
use crate::goplugin::{MAX_MESSAGE, Services, routes};

/// One server for all services.
#[derive(Clone)]
struct Server {
    registry: Arc<Registry>,
    calls: Calls,
}

/// The services of the contract: that of every plugin, and those of the roles that its components have.
pub(crate) fn services(registry: &Arc<Registry>, calls: &Calls) -> Services {
    let server = || Server { registry: Arc::clone(registry), calls: calls.clone() };
    let mut services = routes![PluginServer::new(server())];
    if registry.has("importer") {
        services =
            services.with(ImporterServer::new(server()).max_decoding_message_size(MAX_MESSAGE));
    }
    if registry.has("distributor") {
        services =
            services.with(DistributorServer::new(server()).max_decoding_message_size(MAX_MESSAGE));
    }
    if registry.has("builder") {
        services =
            services.with(BuilderServer::new(server()).max_decoding_message_size(MAX_MESSAGE));
    }
    if registry.has("action") {
        services =
            services.with(ActionServer::new(server()).max_decoding_message_size(MAX_MESSAGE));
    }
    services
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
