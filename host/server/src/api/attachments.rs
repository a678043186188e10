//! `/api/v1/repositories/NAME/attachments`: components bound to a repository.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{Attachment, PutAttachment};
use super::{Answer, json};
use crate::app::App;

/// What is attached to a repository.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/attachments",
    operation_id = "listAttachments",
    tag = "attachments",
    responses((status = 200, body = Vec<Attachment>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Attachment>>> {
    let repository = app.engine.repository(&name).await?;
    Ok(Json(repository.attachments.into_iter().map(Attachment::from).collect()))
}

/// Attaches, or replaces the settings of what is attached.
#[utoipa::path(
    put,
    path = "/repositories/{repository}/attachments/{component}",
    operation_id = "attach",
    tag = "attachments",
    request_body = PutAttachment,
    responses((status = 200, body = Attachment))
)]
pub(super) async fn attach(
    State(app): State<Arc<App>>,
    Place([name, component]): Place<2>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<PutAttachment>,
) -> Answer<Json<Attachment>> {
    Ok(Json(app.engine.attach(&name, &component, wanted.settings).await?.into()))
}

/// Detaches a component. What a distributor publishes goes with it.
#[utoipa::path(
    delete,
    path = "/repositories/{repository}/attachments/{component}",
    operation_id = "detach",
    tag = "attachments",
    responses((status = 204))
)]
pub(super) async fn detach(
    State(app): State<Arc<App>>,
    Place([name, component]): Place<2>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<StatusCode> {
    app.engine.detach(&name, &component).await?;
    Ok(StatusCode::NO_CONTENT)
}
