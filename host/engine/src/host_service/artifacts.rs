//! Bytes of the store, for plugins that must read them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use futures_util::stream;
use tonic::{Response, Status};
use wharf_proto::v1;
use wharf_store::Store;
use wharf_store::model::{Digest, UnitId};

use super::{Answers, Only, Rights, stored};

const CHUNK: usize = 256 << 10;

pub(super) async fn has(
    store: &Store,
    request: v1::HasArtifactsRequest,
) -> Result<Response<v1::HasArtifactsResponse>, Status> {
    if request.digests.len() > wharf_proto::MAX_BATCH {
        return Err(Status::invalid_argument("at most 1,000 digests in one call"));
    }
    let digests: Vec<Digest> =
        request.digests.iter().map(|text| digest(text)).collect::<Result<_, _>>()?;
    let present = store.meta.artifacts(digests).await.map_err(stored)?;
    let present = present.into_iter().map(|size| size.is_some()).collect();
    Ok(Response::new(v1::HasArtifactsResponse { present }))
}

/// Hands out a file of the units that the job may read; of no others.
pub(super) async fn open(
    store: &Store,
    rights: &Rights,
    request: v1::OpenArtifactRequest,
) -> Result<Response<Answers<v1::ArtifactChunk>>, Status> {
    let digest = digest(&request.digest)?;
    let holds = match &rights.only {
        Some(Only::Types(types)) => store.meta.types_hold(types.clone(), digest).await,
        Some(Only::Units(units)) => units_hold(store, units.clone(), digest).await,
        None => store.meta.version_holds(rights.repository, rights.version, digest).await,
    };
    if !holds.map_err(stored)? {
        tracing::warn!(job = rights.job, %digest, "a plugin asked for bytes outside its version");
        return Err(Status::permission_denied("the job may read no such file"));
    }
    let (mut file, _size) = store
        .blobs
        .open(digest)
        .await
        .map_err(stored)?
        .ok_or_else(|| Status::not_found("the store does not have these bytes"))?;
    file.seek(SeekFrom::Start(request.offset))
        .map_err(|error| Status::unavailable(format!("storage: {error}")))?;
    let chunks = stream::try_unfold(file, async |file| next_chunk(file).await);
    Ok(Response::new(Box::pin(chunks)))
}

async fn units_hold(
    store: &Store,
    units: Vec<UnitId>,
    digest: Digest,
) -> Result<bool, wharf_store::Error> {
    let rows = store.meta.units_by_id(units, true).await?;
    Ok(rows.iter().flat_map(|row| &row.files).any(|file| file.sha256 == Some(digest)))
}

async fn next_chunk(mut file: File) -> Result<Option<(v1::ArtifactChunk, File)>, Status> {
    let read = tokio::task::spawn_blocking(move || {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk)?;
        chunk.truncate(read);
        Ok::<_, std::io::Error>((chunk, file))
    });
    match read.await {
        Ok(Ok((chunk, _))) if chunk.is_empty() => Ok(None),
        Ok(Ok((chunk, file))) => Ok(Some((v1::ArtifactChunk { data: chunk.into() }, file))),
        Ok(Err(error)) => Err(Status::unavailable(format!("storage: {error}"))),
        Err(error) => Err(Status::internal(error.to_string())),
    }
}

fn digest(text: &str) -> Result<Digest, Status> {
    text.parse().map_err(|error| Status::invalid_argument(format!("{text:?}: {error}")))
}
