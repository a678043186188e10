//! Fetching every published file over HTTP and comparing it with the source, several at a time.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::folder::{self, Now, hex};
use super::manifest::Entry;
use crate::client::{Connection, encode};
use crate::error::Error;

/// Connections at once.
const WORKERS: usize = 8;
/// The longest silence of the server.
const STALL: Duration = Duration::from_mins(1);
/// The largest list of files taken, in bytes.
const MAX_LIST: usize = 1 << 30;

/// What the published files are compared with.
#[derive(Debug)]
pub(crate) enum Truth {
    /// The files themselves, below this folder.
    Folder(PathBuf),
    /// The digests that upstream's manifest gives, by path.
    Digests(HashMap<String, String>),
}

/// A published tree on loopback.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// The tree's path, from `/` to `/`.
    pub(crate) root: String,
}

/// How the comparison stands. Shared with whoever shows progress.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Files downloaded.
    pub(crate) files: AtomicU64,
    /// Bytes downloaded.
    pub(crate) bytes: AtomicU64,
}

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Files that are equal to the source.
    pub(crate) equal: u64,
    /// Files whose source changed or vanished since the sync.
    pub(crate) moved: Vec<String>,
    /// Files that are not what the source is.
    pub(crate) wrong: Vec<String>,
}

impl Site {
    /// A small file as text.
    pub(crate) async fn text(&self, path: &str) -> Result<String, Error> {
        let mut bytes = Vec::new();
        let mut visit = Visit::open(self.clone()).await?;
        visit
            .get(path, |chunk| {
                bytes.extend_from_slice(chunk);
                bytes.len() <= MAX_LIST
            })
            .await?;
        String::from_utf8(bytes).map_err(|_invalid| broken(path, "it is not UTF-8"))
    }

    /// Downloads all `entries` and compares each with `truth`.
    pub(crate) async fn compare(
        &self,
        entries: Arc<Vec<Entry>>,
        truth: Arc<Truth>,
        tally: Arc<Tally>,
    ) -> Result<Comparison, Error> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS.min(entries.len()) {
            let (site, entries, truth) = (self.clone(), Arc::clone(&entries), Arc::clone(&truth));
            let (tally, next) = (Arc::clone(&tally), Arc::clone(&next));
            workers.spawn(async move {
                let mut visit = Visit::open(site).await?;
                let mut found = Comparison::default();
                while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let digest = visit.digest(&entry.path, &tally).await?;
                    found.judge(entry, &digest, &truth).await?;
                }
                Ok::<_, Error>(found)
            });
        }
        let mut all = Comparison::default();
        while let Some(found) = workers.join_next().await {
            let found = found.map_err(|error| broken("the comparison", &error.to_string()))??;
            all.equal += found.equal;
            all.moved.extend(found.moved);
            all.wrong.extend(found.wrong);
        }
        all.moved.sort();
        all.wrong.sort();
        Ok(all)
    }
}

impl Comparison {
    async fn judge(&mut self, entry: &Entry, digest: &str, truth: &Truth) -> Result<(), Error> {
        let announced = digest == entry.sha256;
        match truth {
            Truth::Digests(digests) => {
                if announced && digests.get(&entry.path).is_some_and(|right| right == digest) {
                    self.equal += 1;
                } else {
                    self.wrong.push(entry.path.clone());
                }
            }
            Truth::Folder(root) => {
                let path = root.join(&entry.path);
                let now = tokio::task::spawn_blocking(move || folder::digest(path)).await;
                match now.map_err(|error| broken(&entry.path, &error.to_string()))?? {
                    Now::Digest(right) if announced && right == digest => self.equal += 1,
                    // What was published is what its list says: the source is another one now.
                    Now::Digest(_) | Now::Gone if announced => self.moved.push(entry.path.clone()),
                    _ => self.wrong.push(entry.path.clone()),
                }
            }
        }
        Ok(())
    }
}

/// One connection to the site.
struct Visit {
    site: Site,
    connection: Connection,
}

impl Visit {
    async fn open(site: Site) -> Result<Self, Error> {
        let address = site.address;
        let open = async {
            let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            stream.set_nodelay(true).map_err(|error| error.to_string())?;
            let host = address.to_string();
            Connection::open(stream, &host).await.map_err(|error| error.to_string())
        };
        let connection = open.await.map_err(|reason| broken(&site.root, &reason))?;
        Ok(Self { site, connection })
    }

    async fn digest(&mut self, path: &str, tally: &Tally) -> Result<String, Error> {
        let mut hasher = Sha256::new();
        self.get(path, |chunk| {
            hasher.update(chunk);
            tally.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            true
        })
        .await?;
        tally.files.fetch_add(1, Ordering::Relaxed);
        Ok(hex(&hasher.finalize()))
    }

    /// Fetches one file and hands on its bytes as they come, until `take` says no.
    async fn get(&mut self, path: &str, mut take: impl FnMut(&[u8]) -> bool) -> Result<(), Error> {
        let encoded: Vec<String> = path.split('/').map(encode).collect();
        let target = format!("{}{}", self.site.root, encoded.join("/"));
        let response = within(&target, self.connection.get(&target)).await?;
        if response.status() != StatusCode::OK {
            return Err(broken(&target, &format!("the answer is {}", response.status())));
        }
        let mut body = response.into_body();
        while let Some(frame) = within(&target, async { body.frame().await.transpose() }).await? {
            if let Some(chunk) = frame.data_ref()
                && !take(chunk)
            {
                return Err(broken(&target, "it is too long"));
            }
        }
        Ok(())
    }
}

async fn within<T>(
    target: &str,
    step: impl Future<Output = Result<T, hyper::Error>>,
) -> Result<T, Error> {
    let started = Instant::now();
    match tokio::time::timeout(STALL, step).await {
        Ok(result) => result.map_err(|error| broken(target, &error.to_string())),
        Err(_elapsed) => Err(Error::Deadline {
            request: format!("GET {target}"),
            seconds: started.elapsed().as_secs(),
        }),
    }
}

fn broken(target: &str, reason: &str) -> Error {
    Error::Broken { request: format!("GET {target}"), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `test`, and another digest.
    const TEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    const OTHER: &str = "0f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn entry(path: &str, sha256: &str) -> Entry {
        Entry { path: path.to_owned(), sha256: sha256.to_owned(), size: 4 }
    }

    #[tokio::test]
    async fn a_file_is_equal_only_when_list_download_and_source_agree() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a"), "test").unwrap();
        let truth = Truth::Folder(root.path().to_owned());
        let mut found = Comparison::default();
        // The list's digest, the downloaded digest.
        for (path, listed, downloaded) in
            [("a", TEST, TEST), ("a", OTHER, OTHER), ("gone", TEST, TEST), ("a", OTHER, TEST)]
        {
            found.judge(&entry(path, listed), downloaded, &truth).await.unwrap();
        }
        assert_eq!(found.equal, 1);
        assert_eq!(found.moved, ["a", "gone"]);
        assert_eq!(found.wrong, ["a"]);
    }

    #[tokio::test]
    async fn upstream_digests_decide_for_an_address() {
        let truth = Truth::Digests(HashMap::from([("a".to_owned(), TEST.to_owned())]));
        let mut found = Comparison::default();
        for (path, digest) in [("a", TEST), ("a", OTHER), ("b", TEST)] {
            found.judge(&entry(path, digest), digest, &truth).await.unwrap();
        }
        assert_eq!((found.equal, found.wrong), (1, vec!["a".to_owned(), "b".to_owned()]));
    }
}
