//! Service `Distributor`: gives content out.

use tonic::transport::Channel;
use wharf_proto::v1;
use wharf_proto::v1::distributor_client::DistributorClient;

use super::bounds::Bounds;
use super::error::CallError;
use super::events::{Events, events};
use super::unary::unary;
use crate::connect::Process;

fn client(process: &Process) -> DistributorClient<Channel> {
    DistributorClient::new(process.channel()).max_decoding_message_size(process.max_message_bytes())
}

/// `Distributor.Publish`. Makes a publication of one version.
pub async fn publish(
    process: &Process,
    request: v1::PublishRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Distributor.Publish", bounds, client.publish(request)).await
}

/// `Distributor.Unpublish`. Takes back what a publish put elsewhere.
pub async fn unpublish(
    process: &Process,
    request: v1::UnpublishRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Distributor.Unpublish", bounds, client.unpublish(request)).await
}

/// `Distributor.Reissue`. Fresh entry points for a publication that goes live again.
pub async fn reissue(
    process: &Process,
    request: v1::ReissueRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Distributor.Reissue", bounds, client.reissue(request)).await
}

/// `Distributor.ClientConfig`. What a client must be told to use a publication.
pub async fn client_config(
    process: &Process,
    request: v1::ClientConfigRequest,
    bounds: &Bounds,
) -> Result<v1::ClientConfigResponse, CallError> {
    let mut client = client(process);
    unary(process, "Distributor.ClientConfig", bounds, client.client_config(request)).await
}
