//! `/api/v1/jobs/NUMBER/callbacks`: who is told how a job goes, and what became of each event.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use wharf_engine as engine;
use wharf_store::model;

use super::request::{JobNumber, Place, Query};
use super::status::NoOptions;
use super::types::{
    Callback, CallbackData, CallbackRequest, Delivery, DeliveryState, Job, JobState, Unit,
};
use super::{Answer, Failure};
use crate::app::App;

/// The callbacks of a job.
#[utoipa::path(
    get,
    path = "/jobs/{job}/callbacks",
    operation_id = "listCallbacks",
    tag = "jobs",
    responses((status = 200, body = Vec<Callback>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    JobNumber(id): JobNumber,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Callback>>> {
    let callbacks = app.engine.callbacks(id).await?;
    Ok(Json(callbacks.into_iter().map(Callback::from).collect()))
}

/// Has everything sent again now that was given up for a callback, and what waits at once.
#[utoipa::path(
    post,
    path = "/jobs/{job}/callbacks/{callback}/redeliver",
    operation_id = "redeliver",
    tag = "jobs",
    responses((status = 202, body = Callback))
)]
pub(super) async fn redeliver(
    State(app): State<Arc<App>>,
    Place([job, callback]): Place<2>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<(StatusCode, Json<Callback>)> {
    let bad = |text: &str| {
        let message = "jobs and their callbacks are named by whole numbers";
        Failure::usage(StatusCode::BAD_REQUEST, "usage.path", message).at(text)
    };
    let (Ok(id), Ok(n)) = (job.parse(), callback.parse()) else {
        return Err(bad(&format!("{job}/{callback}")));
    };
    let callback = app.engine.redeliver(id, n).await?;
    Ok((StatusCode::ACCEPTED, Json(callback.into())))
}

/// How receivers are shown a job.
pub(crate) fn document() -> engine::CallbackDocument {
    engine::CallbackDocument::new(|job, unit| {
        let units = unit.into_iter().map(Unit::from).collect();
        let data = CallbackData { job: Job::from(job), units };
        serde_json::to_value(data).unwrap_or_default()
    })
}

/// What an order says of callbacks.
pub(super) fn wanted(callbacks: Vec<CallbackRequest>) -> Vec<engine::Callback> {
    let one = |CallbackRequest { url, secret }| engine::Callback { url, secret };
    callbacks.into_iter().map(one).collect()
}

impl From<model::Callback> for Callback {
    fn from(callback: model::Callback) -> Self {
        let model::Callback { n, url, secret, gone, deliveries } = callback;
        let deliveries = deliveries.into_iter().map(Delivery::from).collect();
        Self { callback: n, url, secret, gone, deliveries }
    }
}

impl From<model::Delivery> for Delivery {
    fn from(delivery: model::Delivery) -> Self {
        Self {
            id: delivery.event,
            kind: Self::kind(JobState::from(delivery.state)),
            created_ms: delivery.created_ms,
            state: match delivery.outcome {
                model::DeliveryOutcome::Waiting => DeliveryState::Waiting,
                model::DeliveryOutcome::Delivered => DeliveryState::Delivered,
                model::DeliveryOutcome::GivenUp => DeliveryState::GivenUp,
            },
            attempts: delivery.attempts,
            next_ms: delivery.next_ms,
            last_ms: delivery.last_ms,
            status: delivery.status,
            error: delivery.error,
        }
    }
}
