//! Local files: what is read, what is refused.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::{TempDir, tempdir};

use super::{Bench, Trust, bytes, digest};
use crate::fetch::{Fetched, Validators};

/// A folder that the attachment names, with a file in it and one beside it.
fn folder() -> (TempDir, Trust, String) {
    let outer = tempdir().unwrap();
    let inner = outer.path().join("in");
    fs::create_dir_all(inner.join("sub")).unwrap();
    fs::write(inner.join("file"), "inside").unwrap();
    fs::write(outer.path().join("secret"), "outside").unwrap();
    let url = format!("file://{}", inner.display());
    (outer, Trust::public().folder(inner), url)
}

#[tokio::test]
async fn files_beneath_the_folder_are_copied_and_verified() {
    let (outer, trust, url) = folder();
    let bench = Bench::new();
    let trust = Arc::new(trust);
    for size in [0, 5, 256 * 1024, (256 * 1024) + 1, 3 << 20] {
        let body = bytes(size);
        fs::write(outer.path().join("in/sub/a b%"), &body).unwrap();
        for name in ["sub/a b%", "sub/a%20b%25"] {
            let mut request = bench.request(&[&format!("{url}/{name}")]);
            request.trust = Arc::clone(&trust);
            request.size = Some(size as u64);
            request.digests = digest(&body);
            bench.bring(&request, &body).await;
            fs::remove_file(bench.target()).unwrap();
            request.digests = digest(b"other");
            assert_eq!(bench.fail(&request).await.code(), "integrity.digest");
            request.size = Some(size as u64 + 1);
            assert_eq!(bench.fail(&request).await.code(), "integrity.size");
        }
    }
}

#[tokio::test]
async fn nothing_outside_the_folder_is_read() {
    // I9, decision 26
    let (outer, trust, url) = folder();
    let inner = outer.path().join("in");
    symlink("../secret", inner.join("out")).unwrap();
    symlink(outer.path().join("secret"), inner.join("absolute")).unwrap();
    symlink("..", inner.join("up")).unwrap();
    symlink("file", inner.join("link")).unwrap();
    symlink("sub/../file", inner.join("winding")).unwrap();
    symlink("/proc/self/fd/0", inner.join("magic")).unwrap();
    mknodat(CWD, inner.join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let trust = Arc::new(trust);
    let bench = Bench::new();
    let secret = format!("file://{}/secret", outer.path().display());
    let mut refused: Vec<String> = [
        "out",
        "absolute",
        "up/secret",
        "magic",
        "pipe",
        "sub",
        "../secret",
        "%2e%2e/secret",
        "sub/../../secret",
    ]
    .map(|name| format!("{url}/{name}"))
    .into();
    refused.extend([secret, "file:///etc/passwd".to_owned(), format!("{url}side")]);
    for url in refused {
        let mut request = bench.request(&[&url]);
        request.trust = Arc::clone(&trust);
        let error = bench.fail(&request).await;
        assert_eq!(error.code(), "policy.local_file", "{url}: {error:?}");
    }
    for name in ["link", "winding", "file"] {
        let mut request = bench.request(&[&format!("{url}/{name}")]);
        request.trust = Arc::clone(&trust);
        bench.bring(&request, b"inside").await;
    }
}

#[tokio::test]
async fn without_a_named_folder_nothing_local_is_read() {
    let (_outer, _trust, url) = folder();
    let bench = Bench::new();
    let mut request = bench.request(&[&format!("{url}/file")]);
    request.trust = Arc::new(Trust::public().typed("http://127.0.0.1/"));
    assert_eq!(bench.fail(&request).await.code(), "policy.local_file");
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let (_outer, trust, url) = folder();
    let bench = Bench::new();
    let mut request = bench.request(&[&format!("{url}/none")]);
    request.trust = Arc::new(trust);
    let error = bench.fail(&request).await;
    assert_eq!(error.code(), "source.file");
    assert!(error.to_string().contains("/in/none"), "{error}");
}

#[tokio::test]
async fn an_unchanged_local_file_is_not_copied_again() {
    let (outer, trust, url) = folder();
    let path = outer.path().join("in/file");
    let old = SystemTime::now() - Duration::from_mins(1);
    File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    let bench = Bench::new();
    let mut request = bench.request(&[&format!("{url}/file")]);
    request.trust = Arc::new(trust);
    let done = bench.bring(&request, b"inside").await;
    request.validators = Validators { etag: done.etag, last_modified: done.last_modified };
    let fetched = bench.fetcher.fetch(&request, &bench.cancel, &bench.meter).await;
    assert_eq!(fetched.unwrap(), Fetched::NotModified);
    fs::write(&path, "inner!").unwrap();
    bench.bring(&request, b"inner!").await;
}
