//! Service `Action`: does something on request.

use tonic::transport::Channel;
use wharf_proto::v1;
use wharf_proto::v1::action_client::ActionClient;

use super::bounds::Bounds;
use super::error::CallError;
use super::events::{Events, events};
use crate::connect::Process;

fn client(process: &Process) -> ActionClient<Channel> {
    ActionClient::new(process.channel()).max_decoding_message_size(process.max_message_bytes())
}

/// `Action.Run`. Runs the action.
pub async fn run(
    process: &Process,
    request: v1::RunRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Action.Run", bounds, client.run(request)).await
}
