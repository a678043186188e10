//! `GRPCStdio`: what the plugin's code prints after the handshake, for whoever calls. Two callers would share it.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, async_trait};
use wharf_proto::goplugin::StdioData;
use wharf_proto::goplugin::grpc_stdio_server::GrpcStdio;
use wharf_proto::goplugin::stdio_data::Channel;

use crate::goplugin::stdio::{Buffer, Source};

/// Hands out what was printed; without that, it holds the stream open to the end.
pub(super) struct Stdio {
    pub(super) printed: Option<Arc<Buffer>>,
    pub(super) over: CancellationToken,
}

#[async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Pin<Box<dyn Stream<Item = Result<StdioData, Status>> + Send>>;

    async fn stream_stdio(
        &self,
        _: Request<()>,
    ) -> Result<Response<Self::StreamStdioStream>, Status> {
        let Some(printed) = &self.printed else {
            let silence = stream::pending().take_until(self.over.clone().cancelled_owned());
            return Ok(Response::new(silence.boxed()));
        };
        let caller = Buffer::call(Arc::clone(printed));
        let chunks = stream::unfold(caller, async |caller| {
            let (source, data) = caller.chunk().await?;
            let channel = match source {
                Source::Stdout => Channel::Stdout,
                Source::Stderr => Channel::Stderr,
            };
            Some((Ok(StdioData { channel: channel.into(), data }), caller))
        });
        Ok(Response::new(chunks.boxed()))
    }
}
