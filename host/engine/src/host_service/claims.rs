//! Host.Acquire and Host.Release.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tonic::{Response, Status};
use wharf_proto::v1;

use super::{Rights, status};
use crate::claims::{Claims, Thing, Want};

/// Waits until the job has what it asks for.
pub(super) async fn acquire(
    claims: &Claims,
    rights: &Rights,
    request: v1::AcquireRequest,
) -> Result<Response<v1::AcquireResponse>, Status> {
    let v1::AcquireRequest { kind, name, amount, wait_ms } = request;
    // Of the job's own folder, unless the plugin names another place.
    let place = match kind.as_str() {
        "space" if !name.is_empty() => existing(Path::new(&name))?,
        _ => rights.folder.path().to_owned(),
    };
    let (thing, amount) = match kind.as_str() {
        "lock" => (Thing::Lock(name), 1),
        "queue" => (claims.queue(name), amount.max(1)),
        "space" => (Claims::space(&place).map_err(|problem| status(&problem))?, amount),
        _ => return Err(Status::invalid_argument("kind is lock, queue or space")),
    };
    let want = (Want { thing, amount }, place.as_path());
    let wait = Duration::from_millis(wait_ms);
    let grant = claims.acquire(rights.job, want, wait, &rights.cancel).await;
    let grant = grant.map_err(|problem| status(&problem))?;
    Ok(Response::new(v1::AcquireResponse { grant }))
}

/// Gives a grant back.
pub(super) fn release(
    claims: &Claims,
    rights: &Rights,
    grant: u64,
) -> Result<Response<()>, Status> {
    if claims.release(rights.job, grant) {
        Ok(Response::new(()))
    } else {
        Err(Status::not_found(format!("the job has no grant {grant}")))
    }
}

/// The nearest folder above a path that is there.
fn existing(path: &Path) -> Result<PathBuf, Status> {
    if !path.is_absolute() {
        return Err(Status::invalid_argument("space is named by an absolute path"));
    }
    let found = path.ancestors().find(|path| path.exists()).map(ToOwned::to_owned);
    found.ok_or_else(|| Status::not_found("there is no such place"))
}
