//! `/api/v1/schedules`: work that the server begins by itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde_json::Value;
use wharf_engine::ScheduleRequest;
use wharf_store::model;

use super::convert::object;
use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{CreateSchedule, Schedule};
use super::{Answer, Failure, json};
use crate::app::App;

/// The schedules.
#[utoipa::path(
    get,
    path = "/schedules",
    operation_id = "listSchedules",
    tag = "schedules",
    responses((status = 200, body = Vec<Schedule>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Schedule>>> {
    let schedules = app.engine.schedules().await?;
    Ok(Json(schedules.into_iter().map(Schedule::from).collect()))
}

/// Makes a schedule, switched on.
#[utoipa::path(
    post,
    path = "/schedules",
    operation_id = "createSchedule",
    tag = "schedules",
    request_body = CreateSchedule,
    responses((status = 201, body = Schedule,
        headers(("Location" = String, description = "The schedule."))))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<CreateSchedule>,
) -> Answer<Response> {
    if wanted.failure_threshold == Some(0) {
        let message = "a schedule cannot be switched off after 0 failures";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Failure::usage(status, "usage.schedule", message).at("failure_threshold"));
    }
    let made = Schedule::from(app.engine.create_schedule(wanted.into()).await?);
    // The engine took the name, so it holds nothing that an address would have to encode.
    let place = [(header::LOCATION, format!("/api/v1/schedules/{}", made.name))];
    Ok((StatusCode::CREATED, place, Json(made)).into_response())
}

/// One schedule.
#[utoipa::path(
    get,
    path = "/schedules/{schedule}",
    operation_id = "showSchedule",
    tag = "schedules",
    responses((status = 200, body = Schedule))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Schedule>> {
    Ok(Json(app.engine.schedule(&name).await?.into()))
}

/// Deletes a schedule.
#[utoipa::path(
    delete,
    path = "/schedules/{schedule}",
    operation_id = "deleteSchedule",
    tag = "schedules",
    responses((status = 204))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<StatusCode> {
    app.engine.delete_schedule(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Switches a schedule on; its failures are forgotten.
#[utoipa::path(
    post,
    path = "/schedules/{schedule}/enable",
    operation_id = "enableSchedule",
    tag = "schedules",
    responses((status = 200, body = Schedule))
)]
pub(super) async fn enable(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Schedule>> {
    Ok(Json(app.engine.switch_schedule(&name, true).await?.into()))
}

/// Switches a schedule off.
#[utoipa::path(
    post,
    path = "/schedules/{schedule}/disable",
    operation_id = "disableSchedule",
    tag = "schedules",
    responses((status = 200, body = Schedule))
)]
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Schedule>> {
    Ok(Json(app.engine.switch_schedule(&name, false).await?.into()))
}

impl From<CreateSchedule> for ScheduleRequest {
    fn from(wanted: CreateSchedule) -> Self {
        Self {
            name: wanted.name,
            repository: wanted.repository,
            operation: wanted.operation,
            every: wanted.every,
            cron: wanted.cron,
            at: wanted.at,
            zone: wanted.zone,
            failures: wanted.failure_threshold,
            through: wanted.through,
            full: wanted.full,
            settings: wanted.settings,
        }
    }
}

impl From<model::Schedule> for Schedule {
    fn from(schedule: model::Schedule) -> Self {
        let mut options = object(serde_json::from_str(&schedule.arguments).unwrap_or_default());
        options.retain(|_name, value| !matches!(value, Value::Bool(false) | Value::Null));
        Self {
            id: schedule.id.0,
            name: schedule.name,
            repository: schedule.repository_name,
            operation: schedule.operation,
            rule: schedule.rule,
            zone: schedule.zone,
            start_ms: schedule.start_ms,
            options,
            enabled: schedule.enabled,
            reason: schedule.reason,
            failure_threshold: schedule.threshold,
            failures: schedule.failures,
            runs: schedule.runs,
            remaining: schedule.remaining,
            first_ms: schedule.first_ms,
            last_ms: schedule.last_ms,
            last_job: schedule.last_job.map(|job| job.0),
            note: schedule.note,
            next_ms: schedule.next.next_ms.filter(|_| schedule.enabled),
        }
    }
}
