//! `GRPCController`: the host's word that ends the plugin.

use tonic::{Request, Response, Status, async_trait};
use wharf_proto::goplugin::Empty;
use wharf_proto::goplugin::grpc_controller_server::GrpcController;

use crate::goplugin::calls::Ends;

/// Stops the plugin when asked, and answers when everything has been said: hosts close the connection then, and what
/// was printed last would be lost.
pub(super) struct Controller {
    pub(super) ends: Ends,
}

#[async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        tracing::debug!("the host asked for the end");
        self.ends.stop.cancel();
        self.ends.over.cancelled().await;
        Ok(Response::new(Empty {}))
    }
}
