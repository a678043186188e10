//! Service `Action`.

use tonic::{Request, Response, Status, async_trait};
use wharf_proto::v1;
use wharf_proto::v1::action_server::Action;

use super::Server;
use crate::context::Events;

#[async_trait]
impl Action for Server {
    type RunStream = Events;

    async fn run(&self, request: Request<v1::RunRequest>) -> Result<Response<Events>, Status> {
        let mut request = request.into_inner();
        let id = request.instance.as_ref().map_or("", |instance| &instance.component);
        let action = self.registry.action(id)?;
        self.calls.start(request.context.take(), async move |context| {
            action.run(request.into(), &context).await
        })
    }
}
