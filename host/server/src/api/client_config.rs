//! `/api/v1/repositories/NAME/client-config`: what clients must be told to use what is published.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::{StatusCode, Uri};
use serde::Deserialize;
use utoipa::IntoParams;
use wharf_engine as engine;

use super::request::{Place, Query};
use super::types::{ClientConfig, ClientFile};
use super::{Answer, Failure};
use crate::app::App;

/// `distributor` is needed when there are several; without `base_url` it is where this server serves.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Options {
    /// Whose publication; needed when there are several.
    distributor: Option<String>,
    /// Where it is served; none: where this server serves.
    base_url: Option<String>,
}

/// What clients must be told to use what a repository publishes.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/client-config",
    operation_id = "showClientConfig",
    tag = "repositories",
    params(Options),
    responses((status = 200, body = ClientConfig))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(options): Query<Options>,
) -> Answer<Json<ClientConfig>> {
    let base = options.base_url.as_deref().or(app.content.as_deref()).ok_or_else(|| {
        let message = "nobody serves this data folder now, so its address is not known";
        Failure::usage(StatusCode::UNPROCESSABLE_ENTITY, "usage.base_url", message)
            .help("start `wharf serve`, or name the address: --base-url https://HOST")
    })?;
    check(base)?;
    let told = app.engine.client_config(&name, options.distributor.as_deref(), base).await?;
    Ok(Json(told.into()))
}

/// It ends in files of the client's machine: an address, and nothing that could be a second line.
fn check(base: &str) -> Result<(), Failure> {
    let uri: Option<Uri> = base.parse().ok();
    let good = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    });
    if good {
        return Ok(());
    }
    let message = format!("{base:?} is no address of a server: write it as https://HOST");
    Err(Failure::usage(StatusCode::UNPROCESSABLE_ENTITY, "usage.base_url", message).at("base_url"))
}

impl From<engine::ClientConfig> for ClientConfig {
    fn from(told: engine::ClientConfig) -> Self {
        let engine::ClientConfig { component, url, files, data } = told;
        let data = match data {
            Some(serde_json::Value::Object(data)) => data,
            _ => serde_json::Map::new(),
        };
        Self { component, url, files: files.into_iter().map(ClientFile::from).collect(), data }
    }
}

impl From<engine::ClientFile> for ClientFile {
    fn from(file: engine::ClientFile) -> Self {
        let engine::ClientFile { name, media_type, content } = file;
        Self { name, media_type, content }
    }
}
