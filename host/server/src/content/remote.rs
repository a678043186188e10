//! Files that are still upstream: sent while they arrive.
//!
//! The engine fetches a file once for all who wait, and gives out its end only when the whole is
//! verified. What goes wrong before the first byte is a problem in words; after it, the connection
//! breaks off, so that nobody takes a part for the whole.

use bytes::Bytes;
use futures_util::stream;
use wharf_engine::RemoteFile;
use wharf_engine::fetch::Reader;

use super::range::Selection;
use crate::api::Failure;
use crate::app::App;
use crate::body::{Body, BodyError, ByteStream, Exact};

/// The body for this selection of a file upstream, and its length if that is known.
///
/// # Errors
/// The source failed before the first byte; for a part of the file, at any byte.
pub(super) async fn body(
    app: &App,
    file: &RemoteFile,
    size: Option<u64>,
    selection: &Selection,
) -> Result<(Body, Option<u64>), Failure> {
    let mut reader = fetch(app, file).await?;
    let Selection::Part(part) = selection else {
        let size = match size {
            Some(size) => Some(size),
            None => reader.started().await.map_err(broken)?.total,
        };
        return Ok((Body::Stream(Exact::new(bytes(reader, 0, None), size)), size));
    };
    // A part leaves before the end that proves the whole, so the whole is awaited first, by a
    // second reader. Should that one belong to another fetch, the first one's has ended before.
    let mut witness = fetch(app, file).await?;
    while witness.next().await.map_err(broken)?.is_some() {}
    let length = part.end - part.start;
    let stream = bytes(reader, part.start, Some(length));
    Ok((Body::Stream(Exact::new(stream, Some(length))), Some(length)))
}

/// Begins to fetch a file, or joins those who wait for it, on the host's own threads: the fetch goes
/// on there whatever becomes of this request.
async fn fetch(app: &App, file: &RemoteFile) -> Result<Reader, Failure> {
    let (engine, file) = (app.engine.clone(), file.clone());
    let fetch = async move { engine.fetch_content(&file).await };
    match app.tracker.spawn_on(fetch, &app.threads).await {
        Ok(reader) => Ok(reader?),
        Err(panic) => {
            tracing::error!(%panic, "a fetch ended in a panic");
            Err(Failure::internal("\"a fetch ended in a panic\""))
        }
    }
}

fn broken(broken: wharf_engine::fetch::Broken) -> Failure {
    wharf_engine::Problem::operation(broken.code, broken.message).into()
}

/// The bytes of a file from `skip` on, `length` of them or all.
fn bytes(reader: Reader, skip: u64, length: Option<u64>) -> ByteStream {
    let left = length.unwrap_or(u64::MAX);
    Box::pin(stream::unfold(Some((reader, skip, left)), |state| async {
        let (mut reader, mut skip, left) = state.filter(|(_, _, left)| *left > 0)?;
        loop {
            match reader.next().await {
                Ok(Some(piece)) if piece.len() as u64 <= skip => skip -= piece.len() as u64,
                Ok(Some(piece)) => {
                    let piece = cut(&piece, skip, left);
                    let left = left - piece.len() as u64;
                    return Some((Ok(piece), Some((reader, 0, left))));
                }
                Ok(None) => return None,
                Err(broken) => return Some((Err(BodyError::from(broken)), None)),
            }
        }
    }))
}

fn cut(piece: &Bytes, skip: u64, left: u64) -> Bytes {
    let start = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len() - start);
    piece.slice(start..start + length)
}
