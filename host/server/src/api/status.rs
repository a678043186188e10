//! `/api/v1/status`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Answer;
use super::request::Query;
use super::types::Status;
use crate::app::App;

/// Takes no options.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoOptions {}

/// How the server is.
#[utoipa::path(
    get,
    path = "/status",
    operation_id = "showStatus",
    tag = "server",
    responses((status = 200, body = Status))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Status>> {
    let (queued, running) = app.engine.job_counts();
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started_ms: app.started_ms,
        data: app.data.display().to_string(),
        content: app.content.clone(),
        running: running as u64,
        queued: queued as u64,
        unfinished_uploads: app.engine.unfinished_uploads().await? as u64,
        draining: app.is_draining(),
    }))
}
