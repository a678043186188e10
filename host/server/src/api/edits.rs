//! `/api/v1/repositories/NAME/...`: what is asked of a repository beside syncs and publishes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use wharf_engine as engine;
use wharf_store::model;

use super::request::{Place, Query};
use super::runs::{open_for_jobs, queued};
use super::status::NoOptions;
use super::types::{
    ChangeRepository, CopyRequest, GcRequest, Job, RemoveRequest, Repository, RollbackRequest,
    VerifyRequest,
};
use super::units::selection;
use super::{Answer, Failure, json};
use crate::app::App;

/// Changes labels, and how many versions are kept.
#[utoipa::path(
    patch,
    path = "/repositories/{repository}",
    operation_id = "changeRepository",
    tag = "repositories",
    request_body = ChangeRepository,
    responses((status = 200, body = Repository))
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<ChangeRepository>,
) -> Answer<Json<Repository>> {
    let ChangeRepository { labels, retain } = wanted;
    let retain = retain.map(|retain| Some(retain).filter(|retain| *retain > 0));
    let change = model::RepositoryChange { labels, retain };
    Ok(Json(app.engine.change_repository(&name, change).await?.into()))
}

/// Deletes a version; not the newest, and none that is served.
#[utoipa::path(
    delete,
    path = "/repositories/{repository}/versions/{version}",
    operation_id = "deleteVersion",
    tag = "repositories",
    responses((status = 204))
)]
pub(super) async fn delete_version(
    State(app): State<Arc<App>>,
    Place([name, number]): Place<2>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<StatusCode> {
    let number = number.parse().map_err(|_error| {
        let message = "a version is a whole number";
        Failure::usage(StatusCode::BAD_REQUEST, "usage.path", message).at(number)
    })?;
    app.engine.delete_version(&name, number).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks for the job that makes a version without some units.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/remove",
    operation_id = "removeUnits",
    tag = "repositories",
    request_body = RemoveRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<RemoveRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let RemoveRequest { select, dry_run } = wanted;
    let options = engine::RemoveOptions { select: selection(select)?, dry_run };
    Ok(queued(&app, app.engine.remove_units(&name, options).await?))
}

/// Asks for the job that makes a version with units of another repository.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/copy",
    operation_id = "copyUnits",
    tag = "repositories",
    request_body = CopyRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn copy(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<CopyRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let CopyRequest { from, version, select, with_dependencies, dry_run } = wanted;
    let select = selection(select)?;
    let options = engine::CopyOptions { from, version, select, with_dependencies, dry_run };
    Ok(queued(&app, app.engine.copy_units(&name, options).await?))
}

/// Asks for the job that makes a version with the units of an earlier one.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/rollback",
    operation_id = "rollBack",
    tag = "repositories",
    request_body = RollbackRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn rollback(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<RollbackRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let options = engine::RollbackOptions { to: wanted.to };
    Ok(queued(&app, app.engine.roll_back(&name, options).await?))
}

/// Asks for the job that takes away bytes which nothing needs.
#[utoipa::path(
    post,
    path = "/gc",
    operation_id = "collectGarbage",
    tag = "server",
    request_body = GcRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn gc(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<GcRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let GcRequest { protect_ms, dry_run } = wanted;
    let mut options = engine::GcOptions { dry_run, ..engine::GcOptions::default() };
    options.protect_ms = protect_ms.unwrap_or(options.protect_ms);
    Ok(queued(&app, app.engine.gc(options).await?))
}

/// Asks for the job that reads stored bytes again and compares them with their digests.
#[utoipa::path(
    post,
    path = "/verify",
    operation_id = "verify",
    tag = "server",
    request_body = VerifyRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<VerifyRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let VerifyRequest { repository, repair } = wanted;
    Ok(queued(&app, app.engine.verify(engine::VerifyOptions { repository, repair }).await?))
}
