//! A form: its files become uploads, its other fields are kept as texts. Source: RFC 7578.

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;
use multer::{Field, Multipart};
use serde_json::{Map, Value, json};
use wharf_engine::UploadOptions;

use super::answer::Refusal;
use super::stream::{Held, Sips};
use crate::app::App;

/// Bytes of a file that are brought to the disk together.
const PIECE: usize = 8 << 20;
/// The most files of one form.
const MAX_FILES: usize = 32;
/// The most other fields.
const MAX_FIELDS: usize = 2_000;
/// The most bytes of their names and texts together.
const MAX_TEXT: usize = 900 << 10;

/// What came so far.
#[derive(Default)]
pub(super) struct Received {
    uploads: Vec<i64>,
    form: Map<String, Value>,
    fields: usize,
    text: usize,
}

impl Received {
    /// The uploads that were begun.
    pub(super) fn uploads(&self) -> impl Iterator<Item = i64> {
        self.uploads.iter().copied()
    }

    /// What the importer is told.
    pub(super) fn attributes(&self) -> Map<String, Value> {
        Map::from_iter([("form".to_owned(), Value::Object(self.form.clone()))])
    }

    /// Notes a field. One that is there several times becomes a list.
    fn note(&mut self, name: String, text: String) -> Result<(), Refusal> {
        self.fields += 1;
        self.text += name.len() + text.len();
        if self.fields > MAX_FIELDS || self.text > MAX_TEXT {
            let message =
                format!("a form has at most {MAX_FIELDS} fields, with {MAX_TEXT} bytes in all");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        match self.form.get_mut(&name) {
            None => drop(self.form.insert(name, Value::String(text))),
            Some(Value::Array(texts)) => texts.push(Value::String(text)),
            Some(one) => *one = json!([one.take(), text]),
        }
        Ok(())
    }
}

/// Receives a form into `received`, which is right about what was begun even when this fails.
pub(super) async fn receive(
    app: &App,
    repository: &str,
    headers: &HeaderMap,
    body: &mut Incoming,
    received: &mut Received,
) -> Result<(), Refusal> {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(declared.unwrap_or_default()).map_err(|_error| {
        let message = "send a form: Content-Type must be multipart/form-data with a boundary";
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    })?;
    let held = Held::default();
    let mut form = Multipart::new(Sips::new(body, held.clone()), boundary);
    while let Some(field) = form.next_field().await? {
        held.relieve();
        let name = field.name().unwrap_or_default().to_owned();
        if let Some(file) = field.file_name().map(str::to_owned) {
            if received.uploads.len() >= MAX_FILES {
                let message = format!("a form has at most {MAX_FILES} files");
                return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message));
            }
            received.note(name, file.clone())?;
            take_file(app, repository, &file, field, &held, received).await?;
        } else {
            let text = text(field, &held).await?;
            received.note(name, text)?;
        }
    }
    if received.uploads.is_empty() {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "the form has no file"));
    }
    Ok(())
}

async fn take_file(
    app: &App,
    repository: &str,
    name: &str,
    mut field: Field<'_>,
    held: &Held,
    received: &mut Received,
) -> Result<(), Refusal> {
    let options = UploadOptions { name: name.to_owned(), ..UploadOptions::default() };
    let upload = app.engine.begin_upload(repository, options).await?.upload.id.0;
    received.uploads.push(upload);
    let (mut piece, mut offset) = (BytesMut::new(), 0);
    loop {
        let chunk = field.chunk().await?;
        held.relieve();
        let ended = chunk.is_none();
        piece.extend_from_slice(&chunk.unwrap_or_else(Bytes::new));
        if piece.len() >= PIECE || (ended && !piece.is_empty()) {
            let bytes = piece.split().freeze();
            let length = bytes.len() as u64;
            app.engine.append(upload, offset, bytes, None).await?;
            offset += length;
        }
        if ended {
            return Ok(());
        }
    }
}

async fn text(mut field: Field<'_>, held: &Held) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await? {
        held.relieve();
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_TEXT {
            let message = format!("a field of the form is longer than {MAX_TEXT} bytes");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_error| Refusal::new(StatusCode::BAD_REQUEST, "a field of the form is not UTF-8"))
}
