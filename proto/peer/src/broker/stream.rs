//! The one stream on which the two brokers talk. It is opened once, early, and held open: when either direction of it
//! ends, the broker is closed for good, because go-plugin's other side takes it so.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::DropGuard;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming, async_trait};
use tracing::{debug, warn};
use wharf_proto::goplugin::ConnInfo;
use wharf_proto::goplugin::grpc_broker_client::GrpcBrokerClient;
use wharf_proto::goplugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};

use super::Shared;

/// One broker's end of the stream. Dropping it closes the broker.
pub struct BrokerStream {
    shared: Arc<Shared>,
    pub(super) outgoing: mpsc::Receiver<ConnInfo>,
    _closing: DropGuard,
}

impl BrokerStream {
    pub(super) fn new(shared: Arc<Shared>, outgoing: mpsc::Receiver<ConnInfo>) -> Self {
        let closing = shared.closed.clone().drop_guard();
        Self { shared, outgoing, _closing: closing }
    }

    /// The host's end: opens the stream and stays on it to its end. Some servers send nothing at all before their
    /// first message, not even headers, so nobody may wait for this on the way to a plugin that is ready.
    pub async fn run(self, channel: Channel) {
        let Self { shared, outgoing, _closing: _until_the_end } = self;
        let until_closed = shared.closed.clone().cancelled_owned();
        let outgoing = ReceiverStream::new(outgoing).take_until(until_closed);
        let mut client = GrpcBrokerClient::new(channel);
        let mut incoming = match client.start_stream(outgoing).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if status.code() == Code::Unimplemented => {
                warn!("the plugin offers no broker");
                return;
            }
            Err(status) => return debug!(code = ?status.code(), "the broker's stream failed"),
        };
        while let Ok(Some(message)) = incoming.message().await {
            if let Some(answer) = shared.received(message)
                && shared.outgoing.send(answer).await.is_err()
            {
                return;
            }
        }
    }

    /// The plugin's end: the service that the host calls once. Further calls of it end at once.
    pub fn service(self) -> GrpcBrokerServer<BrokerService> {
        GrpcBrokerServer::new(BrokerService(Mutex::new(Some(self))))
    }
}

/// The service `plugin.GRPCBroker`.
pub struct BrokerService(Mutex<Option<BrokerStream>>);

type Answers = Pin<Box<dyn Stream<Item = Result<ConnInfo, Status>> + Send>>;

#[async_trait]
impl GrpcBroker for BrokerService {
    type StartStreamStream = Answers;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Answers>, Status> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(broker) = first else { return Ok(Response::new(stream::empty().boxed())) };
        let talk = Talk { broker, incoming: request.into_inner() };
        let messages = stream::unfold(talk, async |mut talk| {
            talk.next().await.map(|message| (Ok(message), talk))
        });
        Ok(Response::new(messages.boxed()))
    }
}

struct Talk {
    broker: BrokerStream,
    incoming: Streaming<ConnInfo>,
}

impl Talk {
    /// The next message to send. `None`: the host has hung up.
    async fn next(&mut self) -> Option<ConnInfo> {
        loop {
            tokio::select! {
                outgoing = self.broker.outgoing.recv() => return outgoing,
                incoming = self.incoming.message() => {
                    let answer = self.broker.shared.received(incoming.ok()??);
                    if answer.is_some() {
                        return answer;
                    }
                }
            }
        }
    }
}
