//! `/api/v1/instances`: components with settings and a name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use wharf_engine as engine;

use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{ChangeInstance, CheckReport, CreateInstance, Instance, SettingProblem};
use super::{Answer, json};
use crate::app::App;

/// The instances.
#[utoipa::path(
    get,
    path = "/instances",
    operation_id = "listInstances",
    tag = "instances",
    responses((status = 200, body = Vec<Instance>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Instance>>> {
    Ok(Json(app.engine.instances().await?.into_iter().map(Instance::from).collect()))
}

/// Makes an instance, once its plugin has checked the settings.
#[utoipa::path(
    post,
    path = "/instances",
    operation_id = "createInstance",
    tag = "instances",
    request_body = CreateInstance,
    responses((status = 201, body = Instance,
        headers(("Location" = String, description = "The instance."))))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<CreateInstance>,
) -> Answer<Response> {
    let CreateInstance { name, component, settings } = wanted;
    let made = app.engine.create_instance(&name, &component, settings).await?;
    // The engine took the name, so it holds nothing that an address would have to encode.
    let place = [(header::LOCATION, format!("/api/v1/instances/{name}"))];
    Ok((StatusCode::CREATED, place, Json(Instance::from(made))).into_response())
}

/// One instance.
#[utoipa::path(
    get,
    path = "/instances/{instance}",
    operation_id = "showInstance",
    tag = "instances",
    responses((status = 200, body = Instance))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Instance>> {
    Ok(Json(app.engine.instance(&name).await?.into()))
}

/// Changes settings of an instance, once its plugin has checked them.
#[utoipa::path(
    patch,
    path = "/instances/{instance}",
    operation_id = "changeInstance",
    tag = "instances",
    request_body = ChangeInstance,
    responses((status = 200, body = Instance))
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<ChangeInstance>,
) -> Answer<Json<Instance>> {
    Ok(Json(app.engine.change_instance(&name, wanted.settings).await?.into()))
}

/// Deletes an instance that is bound to no repository.
#[utoipa::path(
    delete,
    path = "/instances/{instance}",
    operation_id = "deleteInstance",
    tag = "instances",
    responses((status = 204))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<StatusCode> {
    app.engine.delete_instance(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has the plugin check the settings as they are stored.
#[utoipa::path(
    post,
    path = "/instances/{instance}/check",
    operation_id = "checkInstance",
    tag = "instances",
    responses((status = 200, body = CheckReport))
)]
pub(super) async fn check(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<CheckReport>> {
    Ok(Json(app.engine.check_instance(&name).await?.into()))
}

impl From<engine::InstanceView> for Instance {
    fn from(view: engine::InstanceView) -> Self {
        let engine::InstanceView { name, component, settings, created_ms, changed_ms, used_by } =
            view;
        Self { name, component, settings, created_ms, changed_ms, used_by }
    }
}

impl From<engine::CheckReport> for CheckReport {
    fn from(report: engine::CheckReport) -> Self {
        let told = |problems: Vec<(String, String)>| {
            let told = |(setting, message)| SettingProblem { setting, message };
            problems.into_iter().map(told).collect()
        };
        let engine::CheckReport { of, errors, warnings } = report;
        Self { of, errors: told(errors), warnings: told(warnings) }
    }
}
