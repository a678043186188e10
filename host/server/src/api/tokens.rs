//! `/api/v1/tokens`: who may upload from outside.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use super::request::{Place, Query};
use super::status::NoOptions;
use super::types::{CreateToken, Token};
use super::{Answer, json};
use crate::app::App;

/// The tokens, without their secrets.
#[utoipa::path(
    get,
    path = "/tokens",
    operation_id = "listTokens",
    tag = "tokens",
    responses((status = 200, body = Vec<Token>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Token>>> {
    Ok(Json(app.engine.tokens().await?.into_iter().map(Token::from).collect()))
}

/// Makes a token. Its secret is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/tokens",
    operation_id = "createToken",
    tag = "tokens",
    request_body = CreateToken,
    responses((status = 201, body = Token))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<CreateToken>,
) -> Answer<Response> {
    let made = app.engine.create_token(&wanted.name, &wanted.upload).await?;
    let token = Token { secret: Some(made.secret), ..Token::from(made.token) };
    Ok((StatusCode::CREATED, Json(token)).into_response())
}

/// Deletes a token: it is good for nothing from now on.
#[utoipa::path(
    delete,
    path = "/tokens/{token}",
    operation_id = "deleteToken",
    tag = "tokens",
    responses((status = 204))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<StatusCode> {
    app.engine.delete_token(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
