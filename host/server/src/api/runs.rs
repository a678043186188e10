//! `/api/v1/repositories/NAME/sync` and `.../publish`: asking for jobs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{Job, PublishRequest, SyncRequest};
use super::{Answer, Failure, json};
use crate::app::App;

pub(super) async fn sync(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<SyncRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let job = Job::from(app.engine.sync(&name, wanted.into()).await?);
    app.work();
    let place = [(header::LOCATION, format!("/api/v1/jobs/{}", job.id))];
    Ok((StatusCode::ACCEPTED, place, Json(job)).into_response())
}

/// One job for each distributor.
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
