//! Pairs of host and plugin that are measured against each other, and against the Go library (`tests/bench/go`): the
//! same service on this project's crates, and on bare tonic with the same TLS over the same kind of socket.

use std::pin::Pin;

use futures_util::{Stream, stream};
use tonic::{Request, Response, Status, async_trait};

/// The service. Source: `peer.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod pb {
    include!("../gen/interop.v1.rs");
}

use pb::peer_server::Peer;
use pb::{Data, Plan};

/// The cookie of all pairs.
pub const COOKIE: (&str, &str) = ("BENCH_PLUGIN", "bench");

/// The service, as small as it can be.
#[derive(Debug)]
pub struct Answers;

#[async_trait]
impl Peer for Answers {
    type FlowStream = Pin<Box<dyn Stream<Item = Result<Data, Status>> + Send>>;

    async fn echo(&self, request: Request<Data>) -> Result<Response<Data>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn flow(&self, request: Request<Plan>) -> Result<Response<Self::FlowStream>, Status> {
        let Plan { count, bytes } = request.into_inner();
        let data = vec![0; usize::try_from(bytes).unwrap_or(0)];
        let messages = stream::iter((0..count).map(move |_| Ok(Data { data: data.clone() })));
        Ok(Response::new(Box::pin(messages)))
    }
}
