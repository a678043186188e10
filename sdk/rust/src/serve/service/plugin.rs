//! Service `Plugin`: what every plugin answers, whatever its roles.

use tonic::{Request, Response, Status, async_trait};
use wharf_proto::v1;
use wharf_proto::v1::plugin_server::Plugin;

use super::{Server, component};
use crate::context::Events;
use crate::role::hooked;
use crate::{Check, Checked, Class, Error, HookContext};

#[async_trait]
impl Plugin for Server {
    async fn describe(
        &self,
        _: Request<v1::DescribeRequest>,
    ) -> Result<Response<v1::DescribeResponse>, Status> {
        Ok(Response::new(self.registry.describe()))
    }

    async fn ready(
        &self,
        request: Request<v1::ReadyRequest>,
    ) -> Result<Response<v1::ReadyResponse>, Status> {
        let instance = request.into_inner().instance.unwrap_or_default();
        let component = self.registry.component(&instance.component)?;
        self.answer(async {
            let checked = by_field(component.ready(instance.into()).await)?;
            Ok(v1::ReadyResponse { reasons: checked.wire.errors })
        })
        .await
    }

    async fn check(
        &self,
        request: Request<v1::CheckRequest>,
    ) -> Result<Response<v1::CheckResponse>, Status> {
        let request = request.into_inner();
        let component = self.registry.component(&request.component)?;
        let host = self.calls.dialer.host(&request.context.clone().unwrap_or_default());
        let check = Check::new(request, host);
        self.answer(async { Ok(by_field(component.check(check).await)?.wire) }).await
    }

    async fn choices(
        &self,
        request: Request<v1::ChoicesRequest>,
    ) -> Result<Response<v1::ChoicesResponse>, Status> {
        let v1::ChoicesRequest { component, field, values } = request.into_inner();
        let component = self.registry.component(&component)?;
        let wire = v1::CheckRequest { values, ..v1::CheckRequest::default() };
        let filled = Check::new(wire, self.calls.dialer.host(&v1::JobContext::default()));
        self.answer(async {
            let choices = component.choices(field, filled).await?;
            let choices = choices.into_iter().map(|choice| choice.wire).collect();
            Ok(v1::ChoicesResponse { choices })
        })
        .await
    }

    async fn attached(
        &self,
        request: Request<v1::AttachedRequest>,
    ) -> Result<Response<v1::AttachedResponse>, Status> {
        let attachment = request.into_inner().attachment.unwrap_or_default();
        let component = self.registry.component(component(Some(&attachment)))?;
        self.answer(async {
            component.attached(attachment.into()).await?;
            Ok(v1::AttachedResponse {})
        })
        .await
    }

    async fn detached(
        &self,
        request: Request<v1::DetachedRequest>,
    ) -> Result<Response<v1::DetachedResponse>, Status> {
        let attachment = request.into_inner().attachment.unwrap_or_default();
        let component = self.registry.component(component(Some(&attachment)))?;
        self.answer(async {
            component.detached(attachment.into()).await?;
            Ok(v1::DetachedResponse {})
        })
        .await
    }

    async fn plan(
        &self,
        request: Request<v1::PlanRequest>,
    ) -> Result<Response<v1::PlanResponse>, Status> {
        let request = request.into_inner();
        let id = request.instance.as_ref().map_or("", |instance| &instance.component);
        let component = self.registry.component(id)?;
        self.answer(async {
            let jobs = component.plan(request.into()).await?;
            Ok(v1::PlanResponse { jobs: jobs.into_iter().map(|job| job.wire).collect() })
        })
        .await
    }

    async fn hook(
        &self,
        request: Request<v1::HookRequest>,
    ) -> Result<Response<v1::HookResponse>, Status> {
        let mut request = request.into_inner();
        let hooks = self.registry.hooks()?;
        self.calls
            .answer(request.context.take(), move |ask| {
                hooked(hooks, request, HookContext::new(ask))
            })
            .await
    }

    async fn migrations(
        &self,
        _: Request<v1::MigrationsRequest>,
    ) -> Result<Response<v1::MigrationsResponse>, Status> {
        Ok(Response::new(self.registry.migrations()))
    }

    type MigrateStream = Events;

    async fn migrate(
        &self,
        request: Request<v1::MigrateRequest>,
    ) -> Result<Response<Events>, Status> {
        let v1::MigrateRequest { context, number, dry_run } = request.into_inner();
        let (migration, migrations) = self.registry.migration(number, dry_run)?;
        self.calls
            .start(context, async move |context| migrations.migrate(migration, &context).await)
    }
}

/// What the user can fix is an answer about a field, not a failed call.
fn by_field(checked: Result<Checked, Error>) -> Result<Checked, Error> {
    match checked {
        Err(error) if error.class() == Class::Usage && !error.is_not_offered() => {
            Ok(Checked::good().error(error.field(), error.code(), error.to_string()))
        }
        other => other,
    }
}
