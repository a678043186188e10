//! Service Importer: `importer` drives itself, `lister` lets the host drive.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};
use wharf_proto::v1::event::Event as Kind;
use wharf_proto::v1::importer_server::{self, ImporterServer};
use wharf_proto::v1::{self, Event};

use crate::answers::Answer;
use crate::chatter::chatter;
use crate::fault;
use crate::made_up::{self, Settings};
use crate::serve::House;

/// Events on their way to the host.
pub(crate) type Events = mpsc::Sender<Result<Event, Status>>;

/// The host went away, or wants no more.
pub(crate) struct Gone;

/// Service Importer.
pub(crate) struct Importer(Arc<House>);

impl Importer {
    pub(crate) fn service(house: &Arc<House>) -> ImporterServer<Self> {
        ImporterServer::new(Self(Arc::clone(house)))
    }
}

/// Sends one event.
pub(crate) async fn send(events: &Events, kind: Kind) -> Result<(), Gone> {
    events.send(Ok(Event { event: Some(kind) })).await.map_err(|_closed| Gone)
}

/// Runs a call's work beside its stream.
pub(crate) fn stream<F>(work: impl FnOnce(Events) -> F) -> Response<Answer<Event>>
where
    F: Future<Output = Result<(), Gone>> + Send + 'static,
{
    let (events, stream) = mpsc::channel(4);
    let work = work(events);
    // Ends with the stream: every send fails once the host has gone.
    tokio::spawn(async move { drop(work.await) });
    Response::new(Box::pin(ReceiverStream::new(stream)))
}

#[async_trait]
impl importer_server::Importer for Importer {
    type SyncStream = Answer<Event>;
    type ListStream = Answer<Event>;
    type FetchStream = Answer<Event>;
    type UploadStream = Answer<Event>;
    type ResolveStream = Answer<Event>;

    async fn sync(
        &self,
        request: Request<v1::SyncRequest>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let request = request.into_inner();
        let settings = Settings::of(request.attachment.as_ref(), &["importer"])?;
        let attempt = request.context.map_or(1, |context| context.attempt);
        let house = Arc::clone(&self.0);
        Ok(stream(move |events| sync(house, settings, attempt, events)))
    }

    async fn list(
        &self,
        request: Request<v1::ListRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        let request = request.into_inner();
        let settings = Settings::of(request.attachment.as_ref(), &["lister"])?;
        let attempt = request.context.map_or(1, |context| context.attempt);
        let house = Arc::clone(&self.0);
        Ok(stream(move |events| list(house, settings, attempt, events)))
    }

    async fn fetch(
        &self,
        request: Request<v1::FetchRequest>,
    ) -> Result<Response<Self::FetchStream>, Status> {
        let request = request.into_inner();
        let settings = Settings::of(request.attachment.as_ref(), &["lister"])?;
        let files = request.unit.map(|unit| unit.files).unwrap_or_default();
        let number = files.first().and_then(|file| made_up::number(&file.path));
        let number = number.ok_or_else(|| Status::not_found("no such item"))?;
        let house = Arc::clone(&self.0);
        let offset = usize::try_from(request.offset).unwrap_or(usize::MAX);
        Ok(stream(move |events| fetch(house, settings, number, offset, events)))
    }

    async fn upload(
        &self,
        _request: Request<v1::UploadRequest>,
    ) -> Result<Response<Self::UploadStream>, Status> {
        Err(Status::unimplemented("no upload"))
    }

    async fn resolve(
        &self,
        _request: Request<v1::ResolveRequest>,
    ) -> Result<Response<Self::ResolveStream>, Status> {
        Err(Status::unimplemented("no resolve"))
    }
}

async fn sync(
    house: Arc<House>,
    settings: Settings,
    attempt: u32,
    events: Events,
) -> Result<(), Gone> {
    let numbers: Vec<u32> = (0..settings.units).collect();
    for (place, batch) in numbers.chunks(settings.batch).enumerate() {
        let units = batch.iter().map(|number| made_up::unit(*number, &settings)).collect();
        send(&events, Kind::Units(v1::Units { units: spoil(units, &settings, place) })).await?;
        pause(&settings).await;
        if place == 0 {
            fault::strike(&house, &settings.fault, attempt);
            chatter(&settings.fault, &events).await?;
            // F41.
            if settings.fault == "status" {
                let status = Status::unavailable("the feed is closed for today");
                return events.send(Err(status)).await.map_err(|_closed| Gone);
            }
        }
    }
    finish(&settings, &events).await
}

/// The first batch, as the fault would have it.
fn spoil(mut units: Vec<v1::Unit>, settings: &Settings, place: usize) -> Vec<v1::Unit> {
    let Some(unit) = units.first_mut().filter(|_| place == 0) else { return units };
    match settings.fault.as_str() {
        // F65.
        "unknown-type" => "ghost".clone_into(&mut unit.r#type),
        "bad-key" => json!({ "colour": "red" }).to_string().clone_into(&mut unit.key),
        "key-no-json" => "path=1".clone_into(&mut unit.key),
        // F98.
        "hostile-path" => {
            settings.path.clone_into(&mut unit.files[0].path);
            unit.key = json!({ "path": settings.path }).to_string();
        }
        "hostile-staged" => {
            unit.files[0].inline = None;
            unit.files[0].staged = Some(settings.path.clone());
        }
        // F101.
        "lying-digest" => unit.files[0].digests = vec![format!("sha256:{}", "0".repeat(64))],
        "lying-size" => unit.files[0].size = Some(3),
        _ => {}
    }
    units
}

async fn finish(settings: &Settings, events: &Events) -> Result<(), Gone> {
    let mut result = v1::Result {
        changed: true,
        announced: Some(u64::from(settings.units)),
        summary: json!({ "seed": settings.seed }).to_string(),
        ..v1::Result::default()
    };
    match settings.fault.as_str() {
        // F39: the stream just ends.
        "no-result" => return Ok(()),
        // F69.
        "overclaim" => result.announced = Some(u64::from(settings.units) + 5),
        "lost-folder" => result.announced = Some(u64::from(settings.units) - 100 + 1),
        // F63.
        "stdin" => {
            let bytes = tokio::task::spawn_blocking(fault::read_stdin).await.unwrap_or(usize::MAX);
            result.summary = json!({ "stdin_bytes": bytes }).to_string();
        }
        // F26, F27.
        "surroundings" => result.summary = surroundings(),
        _ => {}
    }
    send(events, Kind::Result(result.clone())).await?;
    match settings.fault.as_str() {
        // F40.
        "after-result" => {
            let late = v1::Units { units: vec![made_up::unit(999_999, settings)] };
            send(events, Kind::Units(late)).await
        }
        "two-results" => send(events, Kind::Result(result)).await,
        _ => Ok(()),
    }
}

/// What the process can see of its host: names of variables, and what its descriptors are.
fn surroundings() -> String {
    let variables: Vec<String> = std::env::vars().map(|(name, _value)| name).collect();
    let descriptors: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            Some(std::fs::read_link(entry.ok()?.path()).ok()?.display().to_string())
        })
        .collect();
    json!({ "variables": variables, "descriptors": descriptors }).to_string()
}

async fn list(
    house: Arc<House>,
    settings: Settings,
    attempt: u32,
    events: Events,
) -> Result<(), Gone> {
    let mut first = 0;
    if settings.fault == "lost-folder" {
        first = 100;
        send(&events, Kind::Items(v1::Items { items: vec![lost_folder()] })).await?;
    }
    let numbers: Vec<u32> = (first..settings.units).collect();
    for (place, batch) in numbers.chunks(settings.batch).enumerate() {
        let items = batch.iter().map(|number| made_up::listed(*number, &settings)).collect();
        let listed = v1::ListedItems { items, cursor: String::new() };
        send(&events, Kind::Listed(listed)).await?;
        pause(&settings).await;
        if place == 0 && !settings.fault.ends_with("fetch") {
            fault::strike(&house, &settings.fault, attempt);
        }
    }
    finish(&settings, &events).await
}

async fn fetch(
    house: Arc<House>,
    settings: Settings,
    number: u32,
    offset: usize,
    events: Events,
) -> Result<(), Gone> {
    let mut bytes = made_up::bytes(number, settings.seed);
    match settings.fault.as_str() {
        "crash-fetch" if number == 3 => fault::strike(&house, "crash", 1),
        // F102.
        "short-fetch" if number == 3 => bytes.truncate(bytes.len() - 2),
        "long-fetch" if number == 3 => bytes.extend_from_slice(b"and more"),
        "changed-fetch" if number == 3 => {
            bytes.extend_from_slice(b"and more");
            let revision = "another".to_owned();
            send(&events, Kind::Content(v1::Content { content: None, revision })).await?;
        }
        // Broken off after the first bytes, and another file by the next call: once, or again and again.
        "moved-fetch" | "moving-fetch" if number == 3 => {
            let asked = house.asked.fetch_add(1, Ordering::SeqCst);
            if offset == 0 && (asked == 0 || settings.fault == "moving-fetch") {
                send(&events, chunk(&bytes[..8])).await?;
                return send(&events, Kind::Error(busy())).await;
            }
            bytes.extend_from_slice(b"and more");
            let revision = format!("another {}", if offset > 0 { asked } else { 1 });
            send(&events, Kind::Content(v1::Content { content: None, revision })).await?;
        }
        "gone-fetch" if number == 3 => {
            let error = v1::Error {
                class: v1::ErrorClass::Operation.into(),
                scope: v1::ErrorScope::Attachment.into(),
                code: "source.unreachable".to_owned(),
                message: "the server is gone".to_owned(),
                ..v1::Error::default()
            };
            return send(&events, Kind::Error(error)).await;
        }
        _ => {}
    }
    let rest = bytes.get(offset..).unwrap_or_default();
    for bytes in rest.chunks(8) {
        send(&events, chunk(bytes)).await?;
    }
    send(&events, Kind::Result(v1::Result::default())).await
}

fn chunk(bytes: &[u8]) -> Kind {
    let content = Some(v1::content::Content::Chunk(bytes.to_vec().into()));
    Kind::Content(v1::Content { content, ..v1::Content::default() })
}

/// The first hundred units cannot be listed.
fn lost_folder() -> v1::Item {
    let error = v1::Error {
        message: "d000: nobody may read it".to_owned(),
        code: "source.folder".to_owned(),
        retryable: false,
        ..busy()
    };
    let outcome = v1::Outcome::Failed.into();
    v1::Item { key: "d000".to_owned(), outcome, error: Some(error) }
}

fn busy() -> v1::Error {
    v1::Error {
        class: v1::ErrorClass::Operation.into(),
        scope: v1::ErrorScope::Item.into(),
        code: "source.busy".to_owned(),
        message: "the server is busy".to_owned(),
        retryable: true,
        ..v1::Error::default()
    }
}

/// Waits as the settings say.
pub(crate) async fn pause(settings: &Settings) {
    if settings.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(settings.delay_ms)).await;
    }
}
