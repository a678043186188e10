//! `/api/v1/units/NUMBER/push` and `.../unpublish`: images brought to a provider, and taken away there again;
//! `/api/v1/repositories/NAME/import-image`: images that exist already.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use wharf_engine::{ImportImage, ImportOf, PushOptions};

use super::request::{Place, Query};
use super::runs::{open_for_jobs, queued};
use super::status::NoOptions;
use super::types::{ImportImageRequest, Job, PushRequest};
use super::{Answer, Failure, callbacks, json, units};
use crate::app::App;

/// Asks for the job that makes an image of an upload.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/import-image",
    operation_id = "importImage",
    tag = "images",
    request_body = ImportImageRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn import(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<ImportImageRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let ImportImageRequest { upload, name: image, os, os_version, target, architecture } = wanted;
    let of = match (os, os_version, target) {
        (Some(name), Some(version), None) => ImportOf::System { name, version },
        (None, None, Some(target)) => ImportOf::Target(target),
        _ => {
            let message = "say what the image is of: either `os` and `os_version`, or `target`";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Failure::usage(status, "usage.image", message).at("target"));
        }
    };
    let wanted = ImportImage { upload, name: image, of, architecture };
    Ok(queued(&app, app.engine.import_image(&name, wanted).await?))
}

/// Asks for the job that brings a target image to a provider.
#[utoipa::path(
    post,
    path = "/units/{unit}/push",
    operation_id = "pushImage",
    tag = "images",
    request_body = PushRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn push(
    State(app): State<Arc<App>>,
    Place([id]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<PushRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let PushRequest { provider, parameters, again, callbacks } = wanted;
    let callbacks = callbacks::wanted(callbacks);
    let options = PushOptions { provider, parameters, again, callbacks };
    let job = app.engine.push(units::number(&id)?, options).await?;
    Ok(queued(&app, job))
}

/// Asks for the job that takes a provider image away, there and then here.
#[utoipa::path(
    post,
    path = "/units/{unit}/unpublish",
    operation_id = "unpublishImage",
    tag = "images",
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn unpublish(
    State(app): State<Arc<App>>,
    Place([id]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let job = app.engine.unpublish(units::number(&id)?).await?;
    Ok(queued(&app, job))
}
