//! `/api/v1/repositories/NAME/sync`, `.../publish` and `/api/v1/plugins/NAME/migrate`: asking for jobs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{Job, MigrateRequest, PublishRequest, SyncRequest};
use super::{Answer, Failure, json};
use crate::app::App;

/// Asks for the job that brings a repository up to date with its source.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/sync",
    operation_id = "sync",
    tag = "repositories",
    request_body = SyncRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn sync(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<SyncRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let job = app.engine.sync(&name, wanted.into()).await?;
    Ok(queued(&app, job))
}

/// Asks for the job that runs a plugin's pending migrations.
#[utoipa::path(
    post,
    path = "/plugins/{plugin}/migrate",
    operation_id = "migratePlugin",
    tag = "plugins",
    request_body = MigrateRequest,
    responses((status = 202, body = Job,
        headers(("Location" = String, description = "The job."))))
)]
pub(super) async fn migrate(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<MigrateRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let job = app.engine.migrate(&name, wanted.into()).await?;
    Ok(queued(&app, job))
}

/// A job was taken: where it can be followed.
pub(super) fn queued(app: &App, job: wharf_engine::JobView) -> Response {
    app.work();
    let job = Job::from(job);
    let place = [(header::LOCATION, format!("/api/v1/jobs/{}", job.id))];
    (StatusCode::ACCEPTED, place, Json(job)).into_response()
}

/// Asks for jobs that publish a version: one for each distributor.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/publish",
    operation_id = "publish",
    tag = "repositories",
    request_body = PublishRequest,
    responses((status = 202, body = Vec<Job>,
        headers(("Location" = String, description = "The job, or the jobs of the repository."))))
)]
pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<PublishRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let jobs = app.engine.publish(&name, wanted.into()).await?;
    app.work();
    let jobs: Vec<Job> = jobs.into_iter().map(Job::from).collect();
    let place = match jobs.as_slice() {
        [job] => format!("/api/v1/jobs/{}", job.id),
        _ => format!("/api/v1/jobs?repository={name}"),
    };
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(jobs)).into_response())
}

pub(super) fn open_for_jobs(app: &App) -> Result<(), Failure> {
    if app.is_draining() { Err(Failure::draining()) } else { Ok(()) }
}
