//! `/api/v1/units`: looking for units, and at one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};
use wharf_engine as engine;
use wharf_store::model;

use super::request::{Place, Query, within};
use super::status::NoOptions;
use super::types::{
    FieldWish, FoundUnit, Holding, Selection, Unit, UnitFile, UnitPage, UnitSearch,
};
use super::{Answer, Failure, json};
use crate::app::App;
use crate::content;

/// Units in one page, unless asked otherwise.
const PAGE: usize = 100;
/// Units in one page, at most.
const MOST: usize = 1000;

/// Looks for units.
#[utoipa::path(
    post,
    path = "/units/search",
    operation_id = "searchUnits",
    tag = "units",
    request_body = UnitSearch,
    responses((status = 200, body = UnitPage))
)]
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<UnitSearch>,
) -> Answer<Json<UnitPage>> {
    let limit = within("limit", wanted.limit.unwrap_or(PAGE), MOST)?;
    let options = engine::UnitSearchOptions {
        repository: wanted.repository,
        version: wanted.version,
        selection: selection(wanted.select)?,
        order: wanted.order,
        descending: wanted.descending,
        limit,
        cursor: wanted.cursor,
    };
    let page = app.engine.search_units(options).await?;
    let units = page.units.into_iter().map(|unit| found(unit, &wanted.fields)).collect();
    Ok(Json(UnitPage { units, cursor: page.cursor }))
}

/// All about one unit.
#[utoipa::path(
    get,
    path = "/units/{unit}",
    operation_id = "showUnit",
    tag = "units",
    responses((status = 200, body = Unit))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Place([id]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Unit>> {
    Ok(Json(app.engine.unit(number(&id)?).await?.into()))
}

/// The bytes of a unit's file, whether it is published or not; parts of it by `Range`.
#[utoipa::path(
    get,
    path = "/units/{unit}/files/{path}",
    operation_id = "readUnitFile",
    tag = "units",
    responses(
        (status = 200, content_type = "application/octet-stream"),
        (status = 206, content_type = "application/octet-stream", description = "The part asked for."),
        (status = 304, description = "It is the file that the request knows."),
    )
)]
pub(super) async fn file(
    State(app): State<Arc<App>>,
    Place([id, path]): Place<2>,
    Query(NoOptions {}): Query<NoOptions>,
    method: Method,
    headers: HeaderMap,
) -> Answer<Response> {
    let request = content::Request {
        waiting: content::Waiting::Forbidden,
        method: &method,
        path: &path,
        query: "",
        headers: &headers,
    };
    let response = content::unit_file(&app, number(&id)?, &request).await?;
    Ok(response.map(axum::body::Body::new))
}

pub(super) fn number(id: &str) -> Result<i64, Failure> {
    id.parse().map_err(|_error| {
        let message = "a unit's id is a whole number";
        Failure::usage(StatusCode::BAD_REQUEST, "usage.path", message).at(id)
    })
}

/// What the engine is asked for.
pub(super) fn selection(wanted: Selection) -> Result<engine::Selection, Failure> {
    let Selection { types, fields, units } = wanted;
    let fields = fields.into_iter().map(wish).collect::<Result<_, _>>()?;
    Ok(engine::Selection { types, fields, units })
}

fn wish(wanted: FieldWish) -> Result<engine::FieldWish, Failure> {
    let FieldWish { field, value, prefix } = wanted;
    let is = match (value, prefix) {
        (Some(value), None) => engine::Wish::Value(value),
        (None, Some(prefix)) => engine::Wish::Prefix(prefix),
        _ => {
            let message = "say either `value` or `prefix` of each field in `where`";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Failure::usage(status, "usage.where", message).at(field));
        }
    };
    Ok(engine::FieldWish { field, is })
}

/// The store wrote it as a JSON object.
fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn found(view: engine::FoundView, fields: &[String]) -> FoundUnit {
    let engine::FoundView { type_name, unit, repositories } = view;
    let mut attributes = Map::new();
    if !fields.is_empty() {
        attributes = object(&unit.attributes);
        attributes.retain(|name, _| fields.contains(name));
    }
    let key = object(&unit.key);
    FoundUnit { id: unit.id.0, type_id: type_name, key, attributes, repositories }
}

impl From<engine::UnitView> for Unit {
    fn from(view: engine::UnitView) -> Self {
        let engine::UnitView { type_name, unit, holdings } = view;
        Self {
            id: unit.id.0,
            type_id: type_name,
            key: object(&unit.key),
            attributes: object(&unit.attributes),
            files: unit.files.into_iter().map(UnitFile::from).collect(),
            versions: holdings.into_iter().map(Holding::from).collect(),
        }
    }
}

impl From<model::FileRow> for UnitFile {
    fn from(file: model::FileRow) -> Self {
        let model::FileRow { path, sha256, size, present, media_type, digests } = file;
        let sha256 = sha256.map(model::Digest::to_hex);
        Self { path: path.to_string(), sha256, size, present, media_type, digests }
    }
}

impl From<model::Holding> for Holding {
    fn from(holding: model::Holding) -> Self {
        let model::Holding { repository, added_in, removed_in } = holding;
        Self { repository, added_in, removed_in }
    }
}
