//! `/api/v1/keys`: keys that the host makes, keeps and signs with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;
use wharf_engine as engine;

use super::problem::Failure;
use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{CreateKey, Key, KeyAlgorithm};
use super::{Answer, json};
use crate::app::App;

/// `force`: although an attachment names it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteOptions {
    /// Although an attachment names it.
    #[serde(default)]
    force: bool,
}

/// The keys that the host signs with.
#[utoipa::path(
    get,
    path = "/keys",
    operation_id = "listKeys",
    tag = "keys",
    responses((status = 200, body = Vec<Key>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Key>>> {
    Ok(Json(app.engine.keys().await?.into_iter().map(Key::from).collect()))
}

/// Makes a key, or takes the one that is sent.
#[utoipa::path(
    post,
    path = "/keys",
    operation_id = "createKey",
    tag = "keys",
    request_body = CreateKey,
    responses((status = 201, body = Key,
        headers(("Location" = String, description = "The key."))))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<CreateKey>,
) -> Answer<Response> {
    let CreateKey { name, user_id, algorithm, secret_key } = wanted;
    let new = match secret_key {
        None => {
            let algorithm = algorithm.unwrap_or_default().into();
            engine::NewKey::Made { user_id, algorithm }
        }
        Some(text) if user_id.is_none() && algorithm.is_none() => engine::NewKey::Brought(text),
        Some(_) => {
            let message = "a key that is brought has its user id and algorithm already";
            return Err(Failure::usage(StatusCode::UNPROCESSABLE_ENTITY, "usage.key", message));
        }
    };
    let made = app.engine.create_key(&name, new).await?;
    // The engine took the name, so it holds nothing that an address would have to encode.
    let place = [(header::LOCATION, format!("/api/v1/keys/{name}"))];
    Ok((StatusCode::CREATED, place, Json(Key::from(made))).into_response())
}

/// One key, without its secret.
#[utoipa::path(
    get,
    path = "/keys/{key}",
    operation_id = "showKey",
    tag = "keys",
    responses((status = 200, body = Key))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Key>> {
    Ok(Json(app.engine.key(&name).await?.into()))
}

/// Deletes a key. One that an attachment names only by `force`.
#[utoipa::path(
    delete,
    path = "/keys/{key}",
    operation_id = "deleteKey",
    tag = "keys",
    params(DeleteOptions),
    responses((status = 204))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(options): Query<DeleteOptions>,
) -> Answer<StatusCode> {
    app.engine.delete_key(&name, options.force).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<engine::KeyView> for Key {
    fn from(view: engine::KeyView) -> Self {
        let engine::KeyView { name, fingerprint, user_ids, algorithm, created_ms, .. } = view;
        let engine::KeyView { expires_ms, public_key, used_by, .. } = view;
        Self { name, fingerprint, user_ids, algorithm, created_ms, expires_ms, public_key, used_by }
    }
}

impl From<KeyAlgorithm> for engine::KeyAlgorithm {
    fn from(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::Ed25519 => Self::Ed25519,
            KeyAlgorithm::Rsa4096 => Self::Rsa4096,
        }
    }
}
