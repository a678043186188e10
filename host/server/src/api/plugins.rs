//! `/api/v1/plugins` and `/api/v1/types`: what is installed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Answer;
use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{Plugin, TypeInfo};
use crate::app::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Plugin>>> {
    Ok(Json(app.engine.plugins().into_iter().map(Plugin::from).collect()))
}

pub(super) async fn reset(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Plugin>> {
    Ok(Json(app.engine.reset_plugin(&name)?.into()))
}

pub(super) async fn types(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<TypeInfo>>> {
    Ok(Json(app.engine.types().into_iter().map(TypeInfo::from).collect()))
}

pub(super) async fn show_type(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<TypeInfo>> {
    Ok(Json(app.engine.unit_type(&name)?.into()))
}
