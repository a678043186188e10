//! `/api/v1/plugins` and `/api/v1/types`: what is installed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Answer;
use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{Plugin, TypeInfo};
use crate::app::App;

/// The installed plugins.
#[utoipa::path(
    get,
    path = "/plugins",
    operation_id = "listPlugins",
    tag = "plugins",
    responses((status = 200, body = Vec<Plugin>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Plugin>>> {
    Ok(Json(app.engine.plugins().into_iter().map(Plugin::from).collect()))
}

/// Forgets why a plugin is left alone, so that it is tried again at once.
#[utoipa::path(
    post,
    path = "/plugins/{plugin}/reset",
    operation_id = "resetPlugin",
    tag = "plugins",
    responses((status = 200, body = Plugin))
)]
pub(super) async fn reset(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Plugin>> {
    Ok(Json(app.engine.reset_plugin(&name)?.into()))
}

/// The known types of units.
#[utoipa::path(
    get,
    path = "/types",
    operation_id = "listTypes",
    tag = "types",
    responses((status = 200, body = Vec<TypeInfo>))
)]
pub(super) async fn types(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<TypeInfo>>> {
    Ok(Json(app.engine.types().into_iter().map(TypeInfo::from).collect()))
}

/// One type of unit.
#[utoipa::path(
    get,
    path = "/types/{type}",
    operation_id = "showType",
    tag = "types",
    responses((status = 200, body = TypeInfo))
)]
pub(super) async fn show_type(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<TypeInfo>> {
    Ok(Json(app.engine.unit_type(&name)?.into()))
}
