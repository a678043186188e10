//! Service `Plugin`: what every plugin answers.

use tonic::transport::Channel;
use wharf_proto::v1;
use wharf_proto::v1::plugin_client::PluginClient;

use super::bounds::Bounds;
use super::error::CallError;
use super::events::{Events, events};
use super::unary::unary;
use crate::connect::Process;

fn client(process: &Process) -> PluginClient<Channel> {
    PluginClient::new(process.channel()).max_decoding_message_size(process.max_message_bytes())
}

/// `Plugin.Describe`. Who the plugin is and what it offers.
pub async fn describe(
    process: &Process,
    request: v1::DescribeRequest,
    bounds: &Bounds,
) -> Result<v1::DescribeResponse, CallError> {
    let mut client = client(process);
    unary(process, "Plugin.Describe", bounds, client.describe(request)).await
}

/// `Plugin.Ready`. Whether an instance could work now.
pub async fn ready(
    process: &Process,
    request: v1::ReadyRequest,
    bounds: &Bounds,
) -> Result<v1::ReadyResponse, CallError> {
    let mut client = client(process);
    unary(process, "Plugin.Ready", bounds, client.ready(request)).await
}

/// `Plugin.Check`. Checks and normalises settings or arguments.
pub async fn check(
    process: &Process,
    request: v1::CheckRequest,
    bounds: &Bounds,
) -> Result<v1::CheckResponse, CallError> {
    let mut client = client(process);
    unary(process, "Plugin.Check", bounds, client.check(request)).await
}

/// `Plugin.Choices`. The choices of a form's field.
pub async fn choices(
    process: &Process,
    request: v1::ChoicesRequest,
    bounds: &Bounds,
) -> Result<v1::ChoicesResponse, CallError> {
    let mut client = client(process);
    unary(process, "Plugin.Choices", bounds, client.choices(request)).await
}

/// `Plugin.Attached`. Tells that an instance was bound to a repository.
pub async fn attached(
    process: &Process,
    request: v1::AttachedRequest,
    bounds: &Bounds,
) -> Result<v1::AttachedResponse, CallError> {
    let mut client = client(process);
    unary(process, "Plugin.Attached", bounds, client.attached(request)).await
}

/// `Plugin.Detached`. Tells that an instance is about to be unbound.
pub async fn detached(
    process: &Process,
    request: v1::DetachedRequest,
    bounds: &Bounds,
) -> Result<v1::DetachedResponse, CallError> {
    let mut client = client(process);
    unary(process, "Plugin.Detached", bounds, client.detached(request)).await
}

/// `Plugin.Plan`. Splits a request into jobs.
pub async fn plan(
    process: &Process,
    request: v1::PlanRequest,
    bounds: &Bounds,
) -> Result<v1::PlanResponse, CallError> {
    let mut client = client(process);
    unary(process, "Plugin.Plan", bounds, client.plan(request)).await
}

/// `Plugin.Hook`. Calls a hook before or after a step.
pub async fn hook(
    process: &Process,
    request: v1::HookRequest,
    bounds: &Bounds,
) -> Result<v1::HookResponse, CallError> {
    let mut client = client(process);
    unary(process, "Plugin.Hook", bounds, client.hook(request)).await
}

/// `Plugin.Migrations`. The migrations that the plugin knows.
pub async fn migrations(
    process: &Process,
    request: v1::MigrationsRequest,
    bounds: &Bounds,
) -> Result<v1::MigrationsResponse, CallError> {
    let mut client = client(process);
    unary(process, "Plugin.Migrations", bounds, client.migrations(request)).await
}

/// `Plugin.Migrate`. Runs one migration.
pub async fn migrate(
    process: &Process,
    request: v1::MigrateRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Plugin.Migrate", bounds, client.migrate(request)).await
}
