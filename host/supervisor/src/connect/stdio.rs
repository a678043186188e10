//! go-plugin's stdio service: what the plugin's code printed after the handshake. It must be asked
//! for and drained, or the plugin's writers block.
//!
//! Some servers send nothing at all, not even headers, before the first output. So the call lives
//! in a task of its own and nobody waits for it. Whoever asked for the bytes of a channel gets them
//! as they come; otherwise they are log lines.

use std::sync::Arc;

use tonic::Code;
use tonic::transport::Channel;
use tracing::{Level, debug, warn};
use wharf_proto::goplugin::grpc_stdio_client::GrpcStdioClient;
use wharf_proto::goplugin::stdio_data;

use super::shared::Shared;
use crate::launch::Synced;
use crate::launch::output::{Lines, Logs, Raw, RawWriter, Source};

/// Where one channel leads.
enum Sink {
    Log(Lines),
    Copy(Raw),
}

impl Sink {
    fn new(writer: Option<RawWriter>, of: &'static str) -> Self {
        match writer {
            Some(writer) => Self::Copy(Raw::new(Some(writer), of)),
            None => Self::Log(Lines::new(Source::Stdio)),
        }
    }

    async fn take(&mut self, bytes: &[u8], logs: &Logs) {
        match self {
            Self::Log(lines) => lines.push(bytes, logs),
            Self::Copy(copy) => copy.copy(bytes, logs).await,
        }
    }

    fn finish(&mut self, logs: &Logs) {
        if let Self::Log(lines) = self {
            lines.finish(logs);
        }
    }
}

/// Runs to the end of the stream, or until it is dropped.
pub(super) async fn drain(channel: Channel, shared: Arc<Shared>, synced: Synced) {
    let _done = shared.stdio_read.clone().drop_guard();
    let logs = &shared.logs;
    let mut stdout = Sink::new(synced.stdout, "what it prints to standard output");
    let mut stderr = Sink::new(synced.stderr, "what it prints to standard error");
    let mut warned = false;
    match GrpcStdioClient::new(channel).stream_stdio(()).await {
        Ok(answer) => {
            let mut output = answer.into_inner();
            while let Ok(Some(chunk)) = output.message().await {
                match chunk.channel() {
                    stdio_data::Channel::Stdout => stdout.take(&chunk.data, logs).await,
                    stdio_data::Channel::Stderr => stderr.take(&chunk.data, logs).await,
                    stdio_data::Channel::Invalid if warned => {}
                    stdio_data::Channel::Invalid => {
                        warned = true;
                        let text = format!(
                            "output for the unknown channel {} of the stdio service is dropped",
                            chunk.channel
                        );
                        logs.note(Level::WARN, &text);
                    }
                }
            }
        }
        // A plugin older than the service, and one that is ending, say so at once.
        Err(status) if status.code() == Code::Unimplemented => {
            warn!(plugin = shared.name, "the plugin offers no stdio service");
        }
        Err(status) => debug!(code = ?status.code(), "the stdio service ended"),
    }
    stdout.finish(logs);
    stderr.finish(logs);
}
