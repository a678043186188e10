//! Service `Builder`: makes content from a recipe.

use tonic::transport::Channel;
use wharf_proto::v1;
use wharf_proto::v1::builder_client::BuilderClient;

use super::bounds::Bounds;
use super::error::CallError;
use super::events::{Events, events};
use crate::connect::Process;

fn client(process: &Process) -> BuilderClient<Channel> {
    BuilderClient::new(process.channel()).max_decoding_message_size(process.max_message_bytes())
}

/// `Builder.Build`. Makes one unit of one stage.
pub async fn build(
    process: &Process,
    request: v1::BuildRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Builder.Build", bounds, client.build(request)).await
}
