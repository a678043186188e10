//! A server in a folder of its own, clients for it, and published trees without a plugin.

use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use wharf_server::api::types::ProblemDocument;
use wharf_server::{Config, Error, Server};
use wharf_store::Store;
use wharf_store::model::{
    CommitVersion, Digest, EntryFrom, JobEnd, JobState, LastRun, NewArtifact, NewAttachment,
    NewEntry, NewFile, NewJob, NewUnit, Source, Staged, TypeDefinition, VersionMode,
};

/// Longer than anything here takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// When everything published here changed last: Sat, 21 Nov 2026 10:00:00 GMT.
pub(crate) const MODIFIED_MS: i64 = 1_795_255_200_000;

pub(crate) struct Host {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
}

impl Host {
    /// A server on an empty data folder.
    pub(crate) async fn start() -> Self {
        Self::on(tempfile::tempdir().unwrap()).await
    }

    /// A server that publishes these files under `tree`.
    pub(crate) async fn publishing(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        publish(&folder, files).await;
        Self::on(folder).await
    }

    pub(crate) async fn on(folder: TempDir) -> Self {
        let server = start(&folder, false).await.unwrap();
        Self { folder, server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.content_address().unwrap()
    }

    pub(crate) async fn end(self) {
        tokio::time::timeout(DEADLINE, self.server.shutdown()).await.unwrap();
    }

    /// Sends a request for published content.
    pub(crate) async fn content(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.tcp("GET", path, headers).await
    }

    pub(crate) async fn tcp(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let stream = TcpStream::connect(self.address()).await.unwrap();
        exchange(stream, method, path, headers, "").await
    }

    /// Sends a request to the API; a body is declared as JSON.
    pub(crate) async fn api(&self, method: &str, path: &str, body: &str) -> Answer {
        let json = [("content-type", "application/json")];
        let headers = if body.is_empty() { &[][..] } else { &json[..] };
        exchange(self.dial().await, method, path, headers, body).await
    }

    pub(crate) async fn dial(&self) -> UnixStream {
        wharf_server::connect(self.server.data()).await.unwrap()
    }
}

pub(crate) fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

/// A server on any free port, with no plugins to be found.
#[allow(clippy::default_trait_access, reason = "the type's name belongs to a crate below")]
pub(crate) fn config(folder: &TempDir) -> Config {
    let runtime = folder.path().join("run");
    let engine = wharf_engine::Config::new(data(folder), Default::default(), runtime);
    Config { engine, listen: Some("127.0.0.1:0".parse().unwrap()), embedded: false }
}

pub(crate) async fn start(folder: &TempDir, embedded: bool) -> Result<Server, Error> {
    Server::start(Config { embedded, ..config(folder) }).await
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The problem that it must be.
    pub(crate) fn problem(&self) -> ProblemDocument {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem: ProblemDocument = self.json();
        assert_eq!(problem.status, self.status.as_u16());
        problem
    }
}

/// One request on a connection of its own.
pub(crate) async fn exchange<S>(
    stream: S,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let exchange = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    };
    tokio::time::timeout(DEADLINE, exchange).await.unwrap()
}

/// Sends bytes as they are and returns all that comes back until the server closes.
pub(crate) async fn raw<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> String {
    let talk = async {
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // A server that closes on unread bytes resets the connection; what it said counts.
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(DEADLINE, talk).await.unwrap()
}

/// The store of a data folder that has no server yet.
pub(crate) async fn store(folder: &TempDir) -> Store {
    let data = data(folder);
    DirBuilder::new().mode(0o700).create(&data).unwrap();
    Store::open(&data).await.unwrap()
}

/// A data folder in which a job waits that nothing can do.
pub(crate) async fn with_a_job() -> (TempDir, i64) {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let job = NewJob {
        operation: "sync".to_owned(),
        repository: None,
        attachment: None,
        arguments: "{}".to_owned(),
        callbacks: Vec::new(),
    };
    let job = store.meta.submit_job(job).await.unwrap();
    store.close().await;
    (folder, job.id.0)
}

/// Publishes files under `tree`, as a finished job would. Beside them, `remote.bin` is known by its
/// digest only, and `moved` is an alias of `a b/c`.
pub(crate) async fn publish(folder: &TempDir, files: &[(&str, &[u8])]) {
    let store = store(folder).await;
    let meta = &store.meta;
    let repository = meta.create_repository(&"tree".parse().unwrap(), Vec::new()).await.unwrap();
    let attachment = meta.attach(repository.id, distributor()).await.unwrap();
    let job = meta
        .submit_job(NewJob {
            operation: "publish".to_owned(),
            repository: Some(repository.id),
            attachment: Some(attachment.id),
            arguments: "{}".to_owned(),
            callbacks: Vec::new(),
        })
        .await
        .unwrap();
    let (_, lease) = meta.claim(job.id).await.unwrap();
    let folder = store.blobs.job_folder(job.id).await.unwrap();
    let mut entries = Vec::new();
    for (path, bytes) in files {
        let staged = folder.join("staged");
        std::fs::write(&staged, bytes).unwrap();
        let (digest, size) = (Digest::of(bytes), bytes.len() as u64);
        store.blobs.adopt(vec![Staged { path: staged, digest, size }]).await.unwrap();
        meta.save_artifacts(lease, vec![NewArtifact { digest, size }]).await.unwrap();
        entries.push(entry(path, EntryFrom::Artifact(digest)));
    }
    let unit = unit(&store).await;
    let saved = meta.save_units(lease, repository.id, vec![unit], Vec::new()).await.unwrap();
    entries.push(entry(
        "remote.bin",
        EntryFrom::UnitFile(saved[0].unit, "remote.bin".parse().unwrap()),
    ));
    let commit = CommitVersion {
        repository: repository.id,
        base: 0,
        mode: VersionMode::Mirror,
        present: vec![(saved[0].unit, None)],
        removed: Vec::new(),
        info: String::new(),
        attachment: Some(attachment.id),
        state: None,
        outcome: "succeeded".to_owned(),
        settings_digest: String::new(),
    };
    meta.commit_version(lease, commit).await.unwrap();
    entries.push(entry("moved", EntryFrom::Redirect("a b/c".to_owned())));
    let publication = meta.begin_publication(lease, attachment.id, 1).await.unwrap();
    meta.save_entries(lease, publication, entries).await.unwrap();
    let last = LastRun {
        finished_ms: MODIFIED_MS,
        version: 1,
        outcome: "succeeded".to_owned(),
        settings_digest: String::new(),
    };
    meta.go_live(lease, publication, None, last, DEADLINE).await.unwrap();
    let end = JobEnd { state: JobState::Succeeded, problem: None, result: None };
    meta.finish(lease, end).await.unwrap();
    store.blobs.remove_job_folder(job.id).await.unwrap();
    store.close().await;
}

/// A unit whose one file would have to come from an address that nobody typed.
async fn unit(store: &Store) -> NewUnit {
    let definition: TypeDefinition = serde_json::from_value(serde_json::json!({
        "id": "thing", "display_name": "Thing", "description": "A thing", "version": 1,
        "unit_key": [{"name": "name"}],
    }))
    .unwrap();
    store.meta.register_types("test", "1.0.0", vec![definition.clone()]).await.unwrap();
    let type_id = store.meta.type_by_name("thing").await.unwrap().unwrap().id;
    let key = wharf_store::model::canonical_key(&definition, r#"{"name":"a"}"#, "{}", None);
    let key = key.unwrap();
    let file = NewFile {
        path: "remote.bin".parse().unwrap(),
        sha256: Some(Digest::of(b"remote")),
        size: Some(6),
        media_type: String::new(),
        digests: Vec::new(),
        sources: vec![Source {
            url: "http://127.0.0.1:9/remote.bin".to_owned(),
            headers: std::collections::BTreeMap::new(),
        }],
    };
    NewUnit {
        type_id,
        key: key.text,
        key_digest: key.digest,
        repo_key: key.repo_key,
        attributes: "{}".to_owned(),
        files: vec![file],
    }
}

fn distributor() -> NewAttachment {
    NewAttachment {
        component: "test.distributor".to_owned(),
        instance: "default".to_owned(),
        role: "distributor".to_owned(),
        settings: serde_json::json!({}),
        path: Some("tree".parse().unwrap()),
    }
}

fn entry(path: &str, from: EntryFrom) -> NewEntry {
    NewEntry {
        path: path.parse().unwrap(),
        from,
        media_type: String::new(),
        modified_ms: MODIFIED_MS,
        entry_point: false,
        headers: Vec::new(),
    }
}
