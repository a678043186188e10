//! The services that go-plugin expects around the application's own.
//!
//! `GRPCController`: stops the plugin in order. `GRPCStdio`: held open and silent; what is printed after the
//! handshake goes to the standard output that the host drains. `GRPCBroker`: held open, announcements are not
//! used, knocks are refused: a plugin of this SDK reaches its host by `JobContext.host_address`.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, async_trait};
use wharf_proto::goplugin::conn_info::Knock;
use wharf_proto::goplugin::grpc_broker_server::GrpcBroker;
use wharf_proto::goplugin::grpc_controller_server::GrpcController;
use wharf_proto::goplugin::grpc_stdio_server::GrpcStdio;
use wharf_proto::goplugin::{ConnInfo, Empty, StdioData};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Stops the plugin when asked.
pub(crate) struct Controller {
    pub(crate) stop: CancellationToken,
}

#[async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        tracing::debug!("the host asked for the end");
        self.stop.cancel();
        Ok(Response::new(Empty {}))
    }
}

/// Holds the stream open until the end.
pub(crate) struct Stdio {
    pub(crate) stop: CancellationToken,
}

#[async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Answers<StdioData>;

    async fn stream_stdio(
        &self,
        _: Request<()>,
    ) -> Result<Response<Self::StreamStdioStream>, Status> {
        let silence = stream::pending().take_until(self.stop.clone().cancelled_owned());
        Ok(Response::new(silence.boxed()))
    }
}

/// Holds the one stream open and refuses knocks.
pub(crate) struct Broker {
    pub(crate) stop: CancellationToken,
    pub(crate) taken: AtomicBool,
}

#[async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = Answers<ConnInfo>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        if self.taken.swap(true, Ordering::Relaxed) {
            return Ok(Response::new(stream::empty().boxed()));
        }
        let refusals = request.into_inner().filter_map(async |message| refuse(message.ok()?));
        let until_end = refusals.take_until(self.stop.clone().cancelled_owned());
        Ok(Response::new(until_end.boxed()))
    }
}

fn refuse(message: ConnInfo) -> Option<Result<ConnInfo, Status>> {
    let id = message.service_id;
    message.knock.filter(|knock| knock.knock && !knock.ack)?;
    let error = format!("no listener for id {id}");
    let knock = Some(Knock { knock: true, ack: true, error });
    Some(Ok(ConnInfo { service_id: id, knock, ..ConnInfo::default() }))
}
