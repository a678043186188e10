//! The host's downloader, for metadata that a plugin must read itself.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use tonic::{Response, Status};
use wharf_proto::v1;

use super::{Answers, Rights};
use crate::convert;
use crate::fetch::{Fetched, Fetcher, Request, Validators};
use crate::problem::{Class, Problem};

/// Files on their way at once in one call.
const AT_ONCE: usize = 8;

/// Files that a plugin reads itself are metadata: larger ones are refused unless it asks for more.
const MAX_BYTES: u64 = 4 << 30;

pub(super) fn download(
    fetcher: Fetcher,
    rights: Arc<Rights>,
    request: v1::DownloadRequest,
) -> Result<Response<Answers<v1::Downloaded>>, Status> {
    if request.items.len() > wharf_proto::MAX_BATCH {
        return Err(Status::invalid_argument("at most 1,000 items in one call"));
    }
    let answers = stream::iter(request.items.into_iter().zip(0_u32..))
        .map(move |(item, index)| one(fetcher.clone(), Arc::clone(&rights), item, index))
        .buffer_unordered(AT_ONCE);
    Ok(Response::new(Box::pin(answers)))
}

async fn one(
    fetcher: Fetcher,
    rights: Arc<Rights>,
    item: v1::Download,
    index: u32,
) -> Result<v1::Downloaded, Status> {
    let target = rights.folder.fresh();
    let max_bytes = if item.max_bytes == 0 { MAX_BYTES } else { item.max_bytes };
    let request = Request {
        sources: item.sources.into_iter().map(convert::store_source).collect(),
        target: target.clone(),
        size: item.size,
        digests: item.digests,
        max_bytes: Some(max_bytes),
        validators: Validators {
            etag: Some(item.if_none_match).filter(|text| !text.is_empty()),
            last_modified: Some(item.if_modified_since).filter(|text| !text.is_empty()),
        },
        trust: Arc::clone(&rights.trust),
        ..Request::default()
    };
    let answer = match fetcher.fetch(&request, &rights.cancel, &rights.meter).await {
        Ok(Fetched::NotModified) => {
            v1::Downloaded { index, not_modified: true, ..v1::Downloaded::default() }
        }
        Ok(Fetched::Done(done)) => v1::Downloaded {
            index,
            staged: target.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            size: done.size,
            digest: format!("sha256:{}", done.sha256),
            etag: done.etag.unwrap_or_default(),
            last_modified: done.last_modified.unwrap_or_default(),
            final_url: done.final_url,
            media_type: done.media_type.unwrap_or_default(),
            ..v1::Downloaded::default()
        },
        Err(error) => {
            let retryable = error.retryable();
            let error = wire_error(Problem::from(error), retryable);
            v1::Downloaded { index, error: Some(error), ..v1::Downloaded::default() }
        }
    };
    Ok(answer)
}

fn wire_error(problem: Problem, retryable: bool) -> v1::Error {
    let class = match problem.class {
        Class::Usage => v1::ErrorClass::Usage,
        Class::Operation => v1::ErrorClass::Operation,
        Class::Cancelled => v1::ErrorClass::Cancelled,
        Class::Fault => v1::ErrorClass::Fault,
    };
    v1::Error {
        class: class.into(),
        code: problem.code,
        message: problem.message,
        scope: v1::ErrorScope::Run.into(),
        item: problem.at.unwrap_or_default(),
        retryable,
        ..v1::Error::default()
    }
}
