//! A stand-in for service `Host`: downloads from a map or a folder, units, secrets and state from memory.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming, async_trait};
use wharf_proto::v1::host_server::{Host, HostServer};
use wharf_proto::{MAX_BATCH, v1};

use super::signer::{self, Signer};
use crate::host::{SignForm, Signed};

/// Revision and value of each piece of state.
type Kept = HashMap<String, (u64, Vec<u8>)>;

/// What upstream, the repository and the host hold, as the plugin will see it.
///
/// A download is answered from [`FakeHost::file`] by its address, else from a folder given by
/// [`FakeHost::folder`], else read from a `file://` address. The ETag is the digest of the bytes.
#[derive(Clone, Debug, Default)]
pub struct FakeHost {
    files: HashMap<String, Bytes>,
    folders: Vec<(String, PathBuf)>,
    units: Vec<v1::Unit>,
    secrets: HashMap<String, Bytes>,
    state: Arc<Mutex<Kept>>,
    requests: Arc<Mutex<Vec<String>>>,
    signer: Option<Signer>,
}

impl FakeHost {
    /// A host with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What this address answers.
    #[must_use]
    pub fn file(mut self, url: &str, bytes: impl Into<Bytes>) -> Self {
        self.files.insert(url.to_owned(), bytes.into());
        self
    }

    /// Addresses that begin with `base` are files of this folder.
    #[must_use]
    pub fn folder(mut self, base: &str, folder: impl Into<PathBuf>) -> Self {
        self.folders.push((base.to_owned(), folder.into()));
        self
    }

    /// A unit of the job's version; it gets the next number from 1 on, unless it has one.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<v1::Unit>) -> Self {
        let mut unit = unit.into();
        if unit.id == 0 {
            unit.id = u64::try_from(self.units.len()).unwrap_or(u64::MAX).saturating_add(1);
        }
        self.units.push(unit);
        self
    }

    /// A secret of the instance.
    #[must_use]
    pub fn secret(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.secrets.insert(name.to_owned(), value.into());
        self
    }

    /// How this host signs; without it, it does not.
    #[must_use]
    pub fn signer(
        mut self,
        signer: impl Fn(SignForm, &[u8]) -> Signed + Send + Sync + 'static,
    ) -> Self {
        self.signer = Some(Signer::new(signer));
        self
    }

    /// The addresses that were asked for so far, with ` (unchanged)` behind those answered by validators alone.
    /// Clones of a fake host share this list: keep one to look at after the run.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.requests).clone()
    }

    /// The service itself, for tests that start the plugin's process and serve it on a socket. Downloads are
    /// staged in `work_dir`.
    pub fn routes(self, work_dir: &Path) -> Routes {
        Routes::new(HostServer::new(Service::new(self, work_dir)))
    }

    fn read(&self, url: &str) -> Option<Bytes> {
        if let Some(bytes) = self.files.get(url) {
            return Some(bytes.clone());
        }
        let mut folders = self.folders.iter();
        let path = folders.find_map(|(base, folder)| Some(folder.join(url.strip_prefix(base)?)));
        let path = path.or_else(|| url.strip_prefix("file://").map(PathBuf::from))?;
        std::fs::read(path).ok().map(Bytes::from)
    }
}

impl From<crate::Unit> for v1::Unit {
    fn from(unit: crate::Unit) -> Self {
        unit.wire
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        text.extend(
            [byte >> 4, byte & 15]
                .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('?')),
        );
    }
    text
}

/// The service over a fake host.
struct Service {
    host: FakeHost,
    work: PathBuf,
    staged: Mutex<u32>,
}

impl Service {
    fn new(host: FakeHost, work: &Path) -> Self {
        Self { host, work: work.to_owned(), staged: Mutex::new(0) }
    }

    fn stage(&self, bytes: &[u8]) -> Result<String, Status> {
        let mut count = lock(&self.staged);
        *count += 1;
        let name = format!("download-{count}");
        std::fs::write(self.work.join(&name), bytes)
            .map_err(|error| Status::internal(error.to_string()))?;
        Ok(name)
    }

    fn download(&self, item: &v1::Download) -> Result<v1::Downloaded, Status> {
        let found = item
            .sources
            .iter()
            .find_map(|source| Some((source.url.clone(), self.host.read(&source.url)?)));
        let first = item.sources.first().map_or("", |source| &source.url);
        let Some((url, bytes)) = found else {
            lock(&self.host.requests).push(first.to_owned());
            return Ok(failed("source.not_found", format!("{first} answered 404 Not Found")));
        };
        let etag = format!("\"{}\"", hex(&bytes));
        if item.if_none_match == etag {
            lock(&self.host.requests).push(format!("{url} (unchanged)"));
            return Ok(v1::Downloaded {
                not_modified: true,
                etag,
                final_url: url,
                ..Default::default()
            });
        }
        lock(&self.host.requests).push(url.clone());
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if item.max_bytes != 0 && size > item.max_bytes {
            return Ok(failed("limit.size", format!("{url} is larger than {}", item.max_bytes)));
        }
        let digest = format!("sha256:{}", hex(&bytes));
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

/// The fields of key and attributes together; those of the key win.
fn fields(unit: &v1::Unit) -> BTreeMap<String, Value> {
    let read =
        |text: &str| serde_json::from_str::<BTreeMap<String, Value>>(text).unwrap_or_default();
    let mut fields = read(&unit.attributes);
    fields.extend(read(&unit.key));
    fields
}

fn sort_text(fields: &BTreeMap<String, Value>, names: &[String]) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    names.iter().map(|name| fields.get(name).map(text).unwrap_or_default()).collect()
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn not_offered<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("the fake host does not offer this call"))
}

#[async_trait]
impl Host for Service {
    type QueryUnitsStream = Answers<v1::Units>;
    type SaveUnitsStream = Answers<v1::SavedUnits>;
    type OpenArtifactStream = Answers<v1::ArtifactChunk>;
    type DownloadStream = Answers<v1::Downloaded>;
    type WatchItemsStream = Answers<v1::Items>;
    type WatchCancelStream = Answers<v1::CancelRequested>;

    async fn query_units(
        &self,
        request: Request<v1::QueryUnitsRequest>,
    ) -> Result<Response<Self::QueryUnitsStream>, Status> {
        if request.metadata().get(wharf_proto::TOKEN_HEADER).is_none() {
            return Err(Status::unauthenticated("no token"));
        }
        let query = request.into_inner();
        let mut units: Vec<_> = self.host.units.iter().map(|unit| (fields(unit), unit)).collect();
        units.retain(|(_, unit)| query.types.is_empty() || query.types.contains(&unit.r#type));
        units.retain(|(fields, _)| {
            query.r#where.iter().all(|wanted| {
                let value = serde_json::from_str::<Value>(&wanted.value).unwrap_or_default();
                fields.get(&wanted.name) == Some(&value)
            })
        });
        units.sort_by_cached_key(|(fields, unit)| (sort_text(fields, &query.order_by), unit.id));
        let pages: Vec<_> = units
            .chunks(MAX_BATCH)
            .map(|page| {
                Ok(v1::Units { units: page.iter().map(|(_, unit)| (*unit).clone()).collect() })
            })
            .collect();
        Ok(Response::new(stream::iter(pages).boxed()))
    }

    async fn download(
        &self,
        request: Request<v1::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let items = request.into_inner().items;
        let answers: Vec<_> = (0..)
            .zip(&items)
            .map(|(index, item)| Ok(v1::Downloaded { index, ..self.download(item)? }))
            .collect();
        Ok(Response::new(stream::iter(answers).boxed()))
    }

    async fn get_secret(
        &self,
        request: Request<v1::GetSecretRequest>,
    ) -> Result<Response<v1::GetSecretResponse>, Status> {
        let name = request.into_inner().name;
        let value = self.host.secrets.get(&name);
        let value = value.ok_or_else(|| Status::not_found(format!("no secret {name:?}")))?.to_vec();
        Ok(Response::new(v1::GetSecretResponse { value }))
    }

    async fn get_state(
        &self,
        request: Request<v1::GetStateRequest>,
    ) -> Result<Response<v1::GetStateResponse>, Status> {
        let request = request.into_inner();
        let key = format!("{}/{}", request.scope, request.key);
        let (revision, value) = lock(&self.host.state).get(&key).cloned().unwrap_or_default();
        Ok(Response::new(v1::GetStateResponse { revision, value }))
    }

    async fn put_state(
        &self,
        request: Request<v1::PutStateRequest>,
    ) -> Result<Response<v1::PutStateResponse>, Status> {
        let request = request.into_inner();
        let key = format!("{}/{}", request.scope, request.key);
        let mut state = lock(&self.host.state);
        let (current, value) = state.entry(key).or_default();
        if *current != request.revision {
            return Err(Status::aborted(format!("the state has revision {current}")));
        }
        *current += 1;
        *value = request.value;
        Ok(Response::new(v1::PutStateResponse { revision: *current }))
    }

    async fn has_artifacts(
        &self,
        request: Request<v1::HasArtifactsRequest>,
    ) -> Result<Response<v1::HasArtifactsResponse>, Status> {
        let digests = request.into_inner().digests;
        let known: Vec<_> =
            self.host.files.values().map(|b| format!("sha256:{}", hex(b))).collect();
        let present = digests.iter().map(|digest| known.contains(digest)).collect();
        Ok(Response::new(v1::HasArtifactsResponse { present }))
    }

    async fn open_artifact(
        &self,
        request: Request<v1::OpenArtifactRequest>,
    ) -> Result<Response<Self::OpenArtifactStream>, Status> {
        let v1::OpenArtifactRequest { digest, offset } = request.into_inner();
        let mut files = self.host.files.values();
        let bytes = files.find(|bytes| digest == format!("sha256:{}", hex(bytes)));
        let bytes = bytes.ok_or_else(|| Status::not_found(format!("no artifact {digest}")))?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let data = bytes.slice(offset..);
        Ok(Response::new(stream::iter([Ok(v1::ArtifactChunk { data })]).boxed()))
    }

    async fn get_units(
        &self,
        _: Request<v1::GetUnitsRequest>,
    ) -> Result<Response<v1::Units>, Status> {
        not_offered()
    }

    async fn save_units(
        &self,
        _: Request<Streaming<v1::Units>>,
    ) -> Result<Response<Self::SaveUnitsStream>, Status> {
        not_offered()
    }

    async fn put_artifact(
        &self,
        _: Request<Streaming<v1::ArtifactChunk>>,
    ) -> Result<Response<v1::PutArtifactResponse>, Status> {
        not_offered()
    }

    async fn get_settings(
        &self,
        _: Request<v1::GetSettingsRequest>,
    ) -> Result<Response<v1::GetSettingsResponse>, Status> {
        not_offered()
    }

    async fn spawn_job(
        &self,
        _: Request<v1::SpawnJobRequest>,
    ) -> Result<Response<v1::SpawnJobResponse>, Status> {
        not_offered()
    }

    async fn wait_job(
        &self,
        _: Request<v1::WaitJobRequest>,
    ) -> Result<Response<v1::WaitJobResponse>, Status> {
        not_offered()
    }

    async fn acquire(
        &self,
        _: Request<v1::AcquireRequest>,
    ) -> Result<Response<v1::AcquireResponse>, Status> {
        not_offered()
    }

    async fn release(&self, _: Request<v1::ReleaseRequest>) -> Result<Response<()>, Status> {
        not_offered()
    }

    async fn contribute(&self, _: Request<v1::ContributeRequest>) -> Result<Response<()>, Status> {
        not_offered()
    }

    async fn sign(
        &self,
        request: Request<v1::SignRequest>,
    ) -> Result<Response<v1::SignResponse>, Status> {
        signer::sign(self.host.signer.as_ref(), request.into_inner(), &self.work)
    }

    async fn emit(&self, _: Request<v1::EmitRequest>) -> Result<Response<()>, Status> {
        not_offered()
    }

    async fn watch_items(
        &self,
        _: Request<()>,
    ) -> Result<Response<Self::WatchItemsStream>, Status> {
        not_offered()
    }

    async fn watch_cancel(
        &self,
        _: Request<()>,
    ) -> Result<Response<Self::WatchCancelStream>, Status> {
        not_offered()
    }
}
