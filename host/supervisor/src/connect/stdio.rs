//! go-plugin's stdio service: what the plugin's code printed after the handshake. It must be asked
//! for and drained, or the plugin's writers block.
//!
//! Some servers send nothing at all, not even headers, before the first output. So the call lives
//! in a task of its own and nobody waits for it.

use std::sync::Arc;

use tonic::transport::Channel;
use tracing::debug;
use wharf_proto::goplugin::grpc_stdio_client::GrpcStdioClient;
use wharf_proto::goplugin::stdio_data;

use crate::launch::output::{Lines, Logs, Source};

/// Runs to the end of the stream, or until it is dropped.
pub(super) async fn drain(channel: Channel, logs: Arc<Logs>) {
    let mut streams = [Lines::new(Source::Stdio), Lines::new(Source::Stdio)];
    match GrpcStdioClient::new(channel).stream_stdio(()).await {
        Ok(answer) => {
            let mut output = answer.into_inner();
            while let Ok(Some(chunk)) = output.message().await {
                let place = match chunk.channel() {
                    stdio_data::Channel::Stdout => 0,
                    stdio_data::Channel::Stderr => 1,
                    stdio_data::Channel::Invalid => continue,
                };
                if let Some(lines) = streams.get_mut(place) {
                    lines.push(&chunk.data, &logs);
                }
            }
        }
        // Plugins older than the service, and those that are ending, say so at once.
        Err(status) => debug!(code = ?status.code(), "the plugin offers no stdio service"),
    }
    for lines in &mut streams {
        lines.finish(&logs);
    }
}
