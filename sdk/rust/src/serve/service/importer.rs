//! Service `Importer`.

use tonic::{Request, Response, Status, async_trait};
use wharf_proto::v1;
use wharf_proto::v1::importer_server::Importer;

use super::{Server, component};
use crate::context::Events;

#[async_trait]
impl Importer for Server {
    type SyncStream = Events;
    type ListStream = Events;
    type FetchStream = Events;
    type UploadStream = Events;
    type ResolveStream = Events;

    async fn sync(&self, request: Request<v1::SyncRequest>) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let importer = self.registry.importer(component(request.attachment.as_ref()))?;
        self.calls.start(request.context.take(), async move |context| {
            importer.sync(request.into(), &context).await
        })
    }

    async fn list(&self, request: Request<v1::ListRequest>) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let importer = self.registry.importer(component(request.attachment.as_ref()))?;
        self.calls.start(request.context.take(), async move |context| {
            importer.list(request.into(), &context).await
        })
    }

    async fn fetch(&self, request: Request<v1::FetchRequest>) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let importer = self.registry.importer(component(request.attachment.as_ref()))?;
        self.calls.start(request.context.take(), async move |context| {
            importer.fetch(request.into(), &context).await
        })
    }

    async fn upload(
        &self,
        request: Request<v1::UploadRequest>,
    ) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let importer = self.registry.importer(component(request.attachment.as_ref()))?;
        self.calls.start(request.context.take(), async move |context| {
            importer.upload(request.into(), &context).await
        })
    }

    async fn resolve(
        &self,
        request: Request<v1::ResolveRequest>,
    ) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let importer = self.registry.importer(component(request.attachment.as_ref()))?;
        self.calls.start(request.context.take(), async move |context| {
            importer.resolve(request.into(), &context).await
        })
    }
}
