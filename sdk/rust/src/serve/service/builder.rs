//! Service `Builder`.

use tonic::{Request, Response, Status, async_trait};
use wharf_proto::v1;
use wharf_proto::v1::builder_server::Builder;

use super::Server;
use crate::context::Events;

#[async_trait]
impl Builder for Server {
    type BuildStream = Events;

    async fn build(&self, request: Request<v1::BuildRequest>) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let id = request.instance.as_ref().map_or("", |instance| &instance.component);
        let builder = self.registry.builder(id)?;
        self.calls.start(request.context.take(), async move |context| {
            builder.build(request.into(), &context).await
        })
    }
}
