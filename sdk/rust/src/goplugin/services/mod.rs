//! The services that every plugin has around the author's own.
//!
//! Health says that the plugin serves. The controller ends it. Stdio carries what is printed. Reflection tells what
//! there is. The broker is [`wharf_peer`]'s.

mod controller;
mod health;
mod reflection;
mod stdio;

use std::sync::Arc;

use tonic::service::Routes;
use wharf_peer::BrokerStream;
use wharf_proto::goplugin::grpc_controller_server::GrpcControllerServer;
use wharf_proto::goplugin::grpc_stdio_server::GrpcStdioServer;
use wharf_proto::health::health_server::HealthServer;

use super::calls::Ends;
use super::set::Services;
use super::stdio::Buffer;
use controller::Controller;
use health::Health;
use reflection::{Reflection, Told, V1, V1Alpha};
use stdio::Stdio;

/// Adds them to the author's.
pub(super) fn add(
    own: Services,
    ends: &Ends,
    broker: BrokerStream,
    printed: Option<Arc<Buffer>>,
    descriptors: Vec<&'static [u8]>,
) -> Routes {
    let (routes, names) = own.into_parts();
    let told = Arc::new(Told { descriptors, names });
    routes
        .add_service(HealthServer::new(Health { stop: ends.stop.clone() }))
        .add_service(GrpcControllerServer::new(Controller { ends: ends.clone() }))
        .add_service(GrpcStdioServer::new(Stdio { printed, over: ends.over.clone() }))
        .add_service(broker.service())
        .add_service(Reflection::<V1>::new(Arc::clone(&told)))
        .add_service(Reflection::<V1Alpha>::new(told))
}
