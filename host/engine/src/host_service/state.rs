//! Small private state of a plugin, per attachment.

use tonic::{Response, Status};
use wharf_proto::v1;
use wharf_store::Store;

use super::{Rights, stored};

/// The largest value.
const MAX_VALUE: usize = 64 << 10;
const MAX_KEY: usize = 256;

pub(super) async fn get(
    store: &Store,
    rights: &Rights,
    request: v1::GetStateRequest,
) -> Result<Response<v1::GetStateResponse>, Status> {
    check_key(request.scope(), &request.key)?;
    let state = store.meta.get_state(rights.attachment, &request.key).await.map_err(stored)?;
    let (revision, value) = state.unwrap_or_default();
    Ok(Response::new(v1::GetStateResponse { revision, value }))
}

pub(super) async fn put(
    store: &Store,
    rights: &Rights,
    request: v1::PutStateRequest,
) -> Result<Response<v1::PutStateResponse>, Status> {
    check_key(request.scope(), &request.key)?;
    if !request.durable {
        return Err(Status::unimplemented(
            "state that counts only if the job succeeds goes into Result.state; set durable here",
        ));
    }
    if request.value.len() > MAX_VALUE {
        return Err(Status::resource_exhausted(format!("a value holds at most {MAX_VALUE} bytes")));
    }
    let revision = store
        .meta
        .put_state(rights.attachment, &request.key, request.revision, request.value)
        .await
        .map_err(stored)?;
    Ok(Response::new(v1::PutStateResponse { revision }))
}

fn check_key(scope: v1::StateScope, key: &str) -> Result<(), Status> {
    if scope != v1::StateScope::Attachment {
        return Err(Status::unimplemented("this host keeps state per attachment only"));
    }
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(Status::invalid_argument(format!("a key has 1 to {MAX_KEY} bytes")));
    }
    Ok(())
}
