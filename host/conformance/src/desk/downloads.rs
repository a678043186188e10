//! `Host.Download`, from the sample's folders: nothing is fetched from a network.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::Ordering;

use wharf_proto::v1;

use super::{Job, Script};
use crate::units::sha256;

/// More than this of noise teaches nothing.
const NOISE_BYTES: u32 = 256 << 10;

/// The answer for one item.
pub(super) fn download(job: &Job, item: &v1::Download, index: u32) -> v1::Downloaded {
    let (url, bytes) = match job.script {
        Script::Empty => (first(item), Ok(Vec::new())),
        Script::Garbage => (first(item), Ok(noise())),
        _ => found(job, item),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => return refused(index, error),
    };
    let etag = format!("\"{}\"", sha256(&bytes));
    if item.if_none_match == etag {
        let unchanged =
            v1::Downloaded { index, not_modified: true, etag, ..v1::Downloaded::default() };
        return v1::Downloaded { final_url: url, ..unchanged };
    }
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if item.max_bytes != 0 && size > item.max_bytes {
        return refused(
            index,
            error("limit.size", format!("{url} is larger than {} bytes", item.max_bytes)),
        );
    }
    if job.script == Script::Good && item.size.is_some_and(|wanted| wanted != size) {
        return refused(index, error("integrity.size", format!("{url} has {size} bytes")));
    }
    let digest = format!("sha256:{}", sha256(&bytes));
    if item.digests.iter().any(|wanted| wanted.starts_with("sha256:") && *wanted != digest) {
        return refused(index, error("integrity.digest", format!("{url} has the digest {digest}")));
    }
    let staged = format!("download-{}", job.staged.fetch_add(1, Ordering::Relaxed) + 1);
    if let Err(problem) = fs::write(job.folder.join(&staged), &bytes) {
        return refused(index, error("storage", format!("{url} could not be staged: {problem}")));
    }
    v1::Downloaded {
        index,
        staged,
        size,
        digest,
        etag,
        media_type: media_type(&url),
        final_url: url,
        ..v1::Downloaded::default()
    }
}

fn first(item: &v1::Download) -> String {
    item.sources.first().map(|source| source.url.clone()).unwrap_or_default()
}

fn found(job: &Job, item: &v1::Download) -> (String, Result<Vec<u8>, v1::Error>) {
    for source in &item.sources {
        if let Some(path) = place(job, &source.url)
            && let Ok(bytes) = read(&path)
        {
            return (source.url.clone(), Ok(bytes));
        }
    }
    let url = first(item);
    let message =
        format!("{url} answered 404 Not Found: no folder of verify.json's \"upstream\" has it");
    (url, Err(error("source.not_found", message)))
}

/// The file that lies at an address, by the longest beginning.
fn place(job: &Job, url: &str) -> Option<PathBuf> {
    let bases = job.sample.upstream.iter().filter(|(base, _)| url.starts_with(base.as_str()));
    let (base, folder) = bases.max_by_key(|(base, _)| base.len())?;
    let rest = url.strip_prefix(base.as_str())?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let plain = Path::new(rest).components().all(|part| matches!(part, Component::Normal(_)));
    // What a folder is on a server is its index.
    let rest = if rest.is_empty() || rest.ends_with('/') {
        format!("{rest}index.html")
    } else {
        rest.to_owned()
    };
    plain.then(|| folder.join(rest))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    fs::read(path)
}

fn refused(index: u32, error: v1::Error) -> v1::Downloaded {
    v1::Downloaded { index, error: Some(error), ..v1::Downloaded::default() }
}

fn error(code: &str, message: String) -> v1::Error {
    let class = v1::ErrorClass::Operation.into();
    v1::Error { class, code: code.to_owned(), message, ..v1::Error::default() }
}

/// As servers say for these endings; pages are told apart by it.
fn media_type(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let word = match Path::new(path).extension().and_then(|ending| ending.to_str()) {
        Some("json") => "application/json",
        Some("txt") => "text/plain",
        Some("html") => "text/html",
        _ if path.ends_with('/') => "text/html",
        _ => "application/octet-stream",
    };
    word.to_owned()
}

/// The same bytes each time, which are no text and no format: a multiplicative generator's upper bytes.
fn noise() -> Vec<u8> {
    let next = |seed: &u32| Some(seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453));
    let seeds = std::iter::successors(Some(1_u32), next);
    let count = usize::try_from(NOISE_BYTES).unwrap_or(0);
    seeds.map(|seed| seed.to_be_bytes()[0]).take(count).collect()
}
