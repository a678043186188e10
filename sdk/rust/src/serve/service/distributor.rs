//! Service `Distributor`.

use tonic::{Request, Response, Status, async_trait};
use wharf_proto::v1;
use wharf_proto::v1::distributor_server::Distributor;

use super::{Server, component};
use crate::context::Events;

#[async_trait]
impl Distributor for Server {
    type PublishStream = Events;
    type UnpublishStream = Events;
    type ReissueStream = Events;

    async fn publish(
        &self,
        request: Request<v1::PublishRequest>,
    ) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let distributor = self.registry.distributor(component(request.attachment.as_ref()))?;
        self.calls.start(request.context.take(), async move |context| {
            distributor.publish(request.into(), &context).await
        })
    }

    async fn unpublish(
        &self,
        request: Request<v1::UnpublishRequest>,
    ) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let distributor = self.registry.distributor(component(request.attachment.as_ref()))?;
        self.calls.start(request.context.take(), async move |context| {
            distributor.unpublish(request.into(), &context).await
        })
    }

    async fn reissue(
        &self,
        request: Request<v1::ReissueRequest>,
    ) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let distributor = self.registry.distributor(component(request.attachment.as_ref()))?;
        self.calls.start(request.context.take(), async move |context| {
            distributor.reissue(request.into(), &context).await
        })
    }

    async fn client_config(
        &self,
        request: Request<v1::ClientConfigRequest>,
    ) -> Result<Response<v1::ClientConfigResponse>, Status> {
        let request = request.into_inner();
        let distributor = self.registry.distributor(component(request.attachment.as_ref()))?;
        self.answer(async { Ok(distributor.client_config(request.into()).await?.wire) }).await
    }
}
