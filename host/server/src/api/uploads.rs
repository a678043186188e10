//! `/api/v1/uploads` and `/api/v1/repositories/NAME/{uploads,import}`: bringing content, piece by piece.
//!
//! A client begins an upload, sends pieces from where the upload goes on, and asks for the import. After anything that
//! broke off it asks how much is here and goes on.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;
use utoipa::IntoParams;
use wharf_store::model::Digest;

use super::request::{Number, Place, Query};
use super::runs::{open_for_jobs, queued};
use super::status::NoOptions;
use super::types::{CreateUpload, ImportRequest, Job, Upload};
use super::{Answer, Failure, json};
use crate::app::App;

/// The largest piece, in bytes.
const MAX_PIECE: usize = 32 << 20;
/// How long a piece may take to arrive.
const PIECE_TIMEOUT: Duration = Duration::from_mins(1);

/// Where a piece belongs, and what it must be.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PieceOptions {
    /// Where the piece begins: how much is here already.
    offset: u64,
    /// The SHA-256 of the piece in hex digits.
    sha256: Option<String>,
}

/// The uploads for a repository that were begun and not yet imported.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/uploads",
    operation_id = "listUploads",
    tag = "uploads",
    responses((status = 200, body = Vec<Upload>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Upload>>> {
    let uploads = app.engine.uploads(&name).await?;
    Ok(Json(uploads.into_iter().map(Upload::from).collect()))
}

/// Begins an upload.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/uploads",
    operation_id = "beginUpload",
    tag = "uploads",
    request_body = CreateUpload,
    responses((status = 201, body = Upload,
        headers(("Location" = String, description = "The upload."))))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<CreateUpload>,
) -> Answer<Response> {
    let CreateUpload { name: file, size, sha256, component, kind } = wanted;
    let sha256 = sha256.as_deref().map(digest).transpose()?;
    let options = wharf_engine::UploadOptions { name: file, size, sha256, component, kind };
    let upload = Upload::from(app.engine.begin_upload(&name, options).await?);
    let place = [(header::LOCATION, format!("/api/v1/uploads/{}", upload.id))];
    Ok((StatusCode::CREATED, place, Json(upload)).into_response())
}

/// How much of an upload is here.
#[utoipa::path(
    get,
    path = "/uploads/{upload}",
    operation_id = "showUpload",
    tag = "uploads",
    responses((status = 200, body = Upload))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Number(id): Number,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Upload>> {
    Ok(Json(app.engine.upload(id).await?.into()))
}

/// Takes the next piece. When this is answered, the piece is on the disk.
#[utoipa::path(
    put,
    path = "/uploads/{upload}",
    operation_id = "appendToUpload",
    tag = "uploads",
    params(PieceOptions),
    request_body(content_type = "application/octet-stream"),
    responses((status = 200, body = Upload))
)]
pub(super) async fn append(
    State(app): State<Arc<App>>,
    Number(id): Number,
    Query(options): Query<PieceOptions>,
    request: Request,
) -> Answer<Json<Upload>> {
    let sha256 = options.sha256.as_deref().map(digest).transpose()?;
    declared_bytes(request.headers())?;
    let reading = Limited::new(request.into_body(), MAX_PIECE).collect();
    let bytes = match tokio::time::timeout(PIECE_TIMEOUT, reading).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("a piece has at most {MAX_PIECE} bytes; send several");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Failure::usage(status, "limit.body", message));
        }
        Ok(Err(error)) => {
            let message = format!("the piece broke off: {error}");
            return Err(Failure::usage(StatusCode::BAD_REQUEST, "usage.body", message));
        }
        Err(_elapsed) => {
            let message = format!("the piece took longer than {} s", PIECE_TIMEOUT.as_secs());
            return Err(Failure::usage(StatusCode::REQUEST_TIMEOUT, "limit.time", message));
        }
    };
    let upload = app.engine.append(id, options.offset, bytes, sha256).await.map_err(damaged)?;
    Ok(Json(upload.into()))
}

/// Gives up an upload.
#[utoipa::path(
    delete,
    path = "/uploads/{upload}",
    operation_id = "deleteUpload",
    tag = "uploads",
    responses((status = 204))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Number(id): Number,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<StatusCode> {
    app.engine.delete_upload(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks for the job that makes units of uploads.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/import",
    operation_id = "importUploads",
    tag = "uploads",
    request_body = ImportRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn import(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<ImportRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    Ok(queued(&app, app.engine.import(&name, wanted.into()).await?))
}

/// Bytes that are not what the client itself says are no upstream's fault.
fn damaged(problem: wharf_engine::Problem) -> Failure {
    let integrity = problem.is_integrity();
    let failure = Failure::from(problem);
    if integrity { failure.with_status(StatusCode::UNPROCESSABLE_ENTITY) } else { failure }
}

fn digest(hex: &str) -> Result<Digest, Failure> {
    hex.parse().map_err(|error| {
        let message = format!("{hex:?} is no sha256: {error}");
        Failure::usage(StatusCode::UNPROCESSABLE_ENTITY, "usage.digest", message).at("sha256")
    })
}

/// As with JSON: what a page of another origin could send without asking is not taken.
fn declared_bytes(headers: &HeaderMap) -> Result<(), Failure> {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if declared.is_some_and(|media| media.eq_ignore_ascii_case("application/octet-stream")) {
        return Ok(());
    }
    let message = "a piece must be declared as `Content-Type: application/octet-stream`";
    Err(Failure::usage(StatusCode::UNSUPPORTED_MEDIA_TYPE, "usage.media_type", message))
}
