//! `Host.Download` of a fake host, from a map, a folder, or `file://` addresses.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tonic::Status;
use wharf_proto::v1;

use super::host::{FakeHost, digest_of};

/// Stages what is downloaded.
pub(super) struct Downloads {
    work: PathBuf,
    staged: AtomicU32,
}

impl Downloads {
    pub(super) fn new(work: PathBuf) -> Self {
        Self { work, staged: AtomicU32::new(0) }
    }

    fn stage(&self, bytes: &[u8]) -> Result<String, Status> {
        let name = format!("download-{}", self.staged.fetch_add(1, Ordering::Relaxed) + 1);
        std::fs::write(self.work.join(&name), bytes)
            .map_err(|error| Status::internal(error.to_string()))?;
        Ok(name)
    }

    pub(super) fn answer(
        &self,
        host: &FakeHost,
        item: &v1::Download,
    ) -> Result<v1::Downloaded, Status> {
        let mut sources = item.sources.iter();
        let found = sources.find_map(|source| Some((source.url.clone(), host.read(&source.url)?)));
        let first = item.sources.first().map_or("", |source| &source.url);
        let Some((url, bytes)) = found else {
            host.kept().requests.push(first.to_owned());
            return Ok(failed("source.not_found", format!("{first} answered 404 Not Found")));
        };
        let digest = digest_of(&bytes);
        let etag = format!("{:?}", digest.trim_start_matches("sha256:"));
        if item.if_none_match == etag {
            host.kept().requests.push(format!("{url} (unchanged)"));
            return Ok(v1::Downloaded {
                not_modified: true,
                etag,
                final_url: url,
                ..Default::default()
            });
        }
        host.kept().requests.push(url.clone());
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if item.max_bytes != 0 && size > item.max_bytes {
            return Ok(failed("limit.size", format!("{url} is larger than {}", item.max_bytes)));
        }
        if item.digests.iter().any(|wanted| wanted.starts_with("sha256:") && *wanted != digest) {
            return Ok(failed("integrity.digest", format!("{url} has {digest}")));
        }
        let staged = self.stage(&bytes)?;
        Ok(v1::Downloaded { staged, size, digest, etag, final_url: url, ..Default::default() })
    }
}

fn failed(code: &str, message: String) -> v1::Downloaded {
    let class = v1::ErrorClass::Operation.into();
    let error = v1::Error { class, code: code.to_owned(), message, ..Default::default() };
    v1::Downloaded { error: Some(error), ..Default::default() }
}
