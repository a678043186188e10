//! `/api/v1/secrets`: values that settings refer to by name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use wharf_engine as engine;

use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{CheckReport, KeptIn, PutSecret, Secret, SecretKept};
use super::{Answer, json};
use crate::app::App;

/// `force`: although settings name it, or its keyring is out of reach.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ForgetOptions {
    /// Although settings name it, or its keyring is out of reach and keeps what it has.
    #[serde(default)]
    force: bool,
}

/// The secrets, without their values.
#[utoipa::path(
    get,
    path = "/secrets",
    operation_id = "listSecrets",
    tag = "secrets",
    responses((status = 200, body = Vec<Secret>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Secret>>> {
    Ok(Json(app.engine.secrets().await?.into_iter().map(Secret::from).collect()))
}

/// Keeps a value and says where; one that was there is replaced.
#[utoipa::path(
    put,
    path = "/secrets/{secret}",
    operation_id = "setSecret",
    tag = "secrets",
    request_body = PutSecret,
    responses((status = 200, body = SecretKept))
)]
pub(super) async fn set(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<PutSecret>,
) -> Answer<Json<SecretKept>> {
    let kept_in = app.engine.set_secret(&name, wanted.value.into_bytes()).await?;
    Ok(Json(SecretKept { kept_in: kept_in.into() }))
}

/// Deletes a secret. One that settings name, or that lies in a keyring out of reach, only by `force`.
#[utoipa::path(
    delete,
    path = "/secrets/{secret}",
    operation_id = "forgetSecret",
    tag = "secrets",
    params(ForgetOptions),
    responses((status = 204))
)]
pub(super) async fn forget(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(options): Query<ForgetOptions>,
) -> Answer<StatusCode> {
    app.engine.forget_secret(&name, options.force).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has the plugins of all settings that name a secret check them, with it.
#[utoipa::path(
    post,
    path = "/secrets/{secret}/test",
    operation_id = "testSecret",
    tag = "secrets",
    responses((status = 200, body = Vec<CheckReport>))
)]
pub(super) async fn test(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<CheckReport>>> {
    Ok(Json(app.engine.test_secret(&name).await?.into_iter().map(CheckReport::from).collect()))
}

impl From<engine::SecretView> for Secret {
    fn from(view: engine::SecretView) -> Self {
        let engine::SecretView { name, set_ms, kept_in, used_by } = view;
        Self { name, set_ms, kept_in: kept_in.into(), used_by }
    }
}

impl From<engine::KeptIn> for KeptIn {
    fn from(kept_in: engine::KeptIn) -> Self {
        match kept_in {
            engine::KeptIn::File => Self::File,
            engine::KeptIn::Keyring => Self::Keyring,
        }
    }
}
