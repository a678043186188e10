//! The fetcher against servers that misbehave by script, and against real folders.

mod batch;
mod bodies;
mod follow;
mod local;
mod places;
mod server;
mod tls;

use std::{
    collections::BTreeMap,
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wharf_store::model::{Digest, Source};

use super::{Config, Done, Error, Fetched, Fetcher, Meter, Request, Trust};

/// Long enough for any machine; only a broken test waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

/// What most tests need: a fetcher that retries at once, and a folder for what it brings.
struct Bench {
    folder: TempDir,
    fetcher: Fetcher,
    cancel: CancellationToken,
    meter: Meter,
}

fn quick() -> Config {
    Config {
        retries: 2,
        backoff: Duration::from_millis(1),
        backoff_limit: Duration::from_millis(50),
        connect_timeout: Duration::from_secs(5),
        stall_timeout: Duration::from_secs(5),
        ..Config::default()
    }
}

impl Bench {
    fn new() -> Self {
        Self::with(quick())
    }

    fn with(config: Config) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            fetcher: Fetcher::new(config).unwrap(),
            cancel: CancellationToken::new(),
            meter: Meter::default(),
        }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }

    /// A request for these addresses, the first one typed by the user.
    fn request(&self, urls: &[&str]) -> Request {
        Request {
            sources: urls.iter().map(|url| source(url)).collect(),
            target: self.target(),
            trust: Arc::new(Trust::public().typed(urls[0])),
            ..Request::default()
        }
    }

    async fn fetch(&self, request: &Request) -> Result<Done, Error> {
        match in_time(self.fetcher.fetch(request, &self.cancel, &self.meter)).await? {
            Fetched::Done(done) => Ok(done),
            Fetched::NotModified => panic!("not modified"),
        }
    }

    /// Fetches and expects exactly these bytes.
    async fn bring(&self, request: &Request, body: &[u8]) -> Done {
        let done = self.fetch(request).await.unwrap();
        assert!(std::fs::read(&request.target).unwrap() == body, "other bytes");
        assert_eq!((done.size, done.sha256), (body.len() as u64, Digest::of(body)));
        assert_eq!(names(self.folder.path()), ["target"]);
        done
    }

    /// Fetches and expects an error and an empty folder.
    async fn fail(&self, request: &Request) -> Error {
        let error = self.fetch(request).await.unwrap_err();
        assert_eq!(names(self.folder.path()), [""; 0]);
        error
    }
}

fn source(url: &str) -> Source {
    Source { url: url.to_owned(), headers: BTreeMap::new() }
}

fn digest(body: &[u8]) -> Vec<String> {
    vec![format!("sha256:{}", Digest::of(body))]
}

/// Bytes that no two places share.
fn bytes(count: usize) -> Vec<u8> {
    let mut state: u32 = 7;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn in_time<F: Future>(work: F) -> F::Output {
    timeout(DEADLINE, work).await.expect("the test's deadline is over")
}
