//! Service `Importer`: brings content in.

use tonic::transport::Channel;
use wharf_proto::v1;
use wharf_proto::v1::importer_client::ImporterClient;

use super::bounds::Bounds;
use super::error::CallError;
use super::events::{Events, events};
use crate::connect::Process;

fn client(process: &Process) -> ImporterClient<Channel> {
    ImporterClient::new(process.channel()).max_decoding_message_size(process.max_message_bytes())
}

/// `Importer.Sync`. Reads upstream; the plugin drives.
pub async fn sync(
    process: &Process,
    request: v1::SyncRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Importer.Sync", bounds, client.sync(request)).await
}

/// `Importer.List`. Says what upstream holds; the host drives.
pub async fn list(
    process: &Process,
    request: v1::ListRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Importer.List", bounds, client.list(request)).await
}

/// `Importer.Fetch`. Hands out the bytes of one listed item.
pub async fn fetch(
    process: &Process,
    request: v1::FetchRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Importer.Fetch", bounds, client.fetch(request)).await
}

/// `Importer.Upload`. Makes units of files that a user brought.
pub async fn upload(
    process: &Process,
    request: v1::UploadRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Importer.Upload", bounds, client.upload(request)).await
}

/// `Importer.Resolve`. Names the units that others depend on.
pub async fn resolve(
    process: &Process,
    request: v1::ResolveRequest,
    bounds: &Bounds,
) -> Result<Events, CallError> {
    let mut client = client(process);
    events(process, "Importer.Resolve", bounds, client.resolve(request)).await
}
