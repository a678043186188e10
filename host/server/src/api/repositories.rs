//! `/api/v1/repositories`: repositories, their versions, and how those differ.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::convert::diff_page;
use super::request::{Place, Query, within};
use super::status::NoOptions;
use super::types::{CreateRepository, DiffPage, Repository, Version};
use super::{Answer, json};
use crate::app::App;

/// Differences in one page: unless asked otherwise, and at most.
const DIFF_PAGE: usize = 1000;

/// `from` and `to` are versions: the current one and the one before it when left out.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DiffOptions {
    /// The earlier version; none: the one before the current one.
    from: Option<u64>,
    /// The later version; none: the current one.
    to: Option<u64>,
    /// What the page before ended with.
    cursor: Option<String>,
    /// At most so many; none: 1,000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Those with these labels, as in `stage=test,team`: with this value, or with any. None: all.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListOptions {
    /// Only those with these labels, as in `stage=test,team`: with this value, or with any.
    label: Option<String>,
}

/// The repositories, by name.
#[utoipa::path(
    get,
    path = "/repositories",
    operation_id = "listRepositories",
    tag = "repositories",
    params(ListOptions),
    responses((status = 200, body = Vec<Repository>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(ListOptions { label }): Query<ListOptions>,
) -> Answer<Json<Vec<Repository>>> {
    let repositories = app.engine.repositories().await?;
    let mut repositories: Vec<_> = repositories.into_iter().map(Repository::from).collect();
    for wanted in label.iter().flat_map(|labels| labels.split(',')) {
        let (name, value) = wanted.split_once('=').map_or((wanted, None), |(n, v)| (n, Some(v)));
        repositories.retain(|repository| {
            let found = repository.labels.get(name);
            found.is_some_and(|found| value.is_none_or(|value| value == found))
        });
    }
    Ok(Json(repositories))
}

/// Makes a repository, with its empty version 0.
#[utoipa::path(
    post,
    path = "/repositories",
    operation_id = "createRepository",
    tag = "repositories",
    request_body = CreateRepository,
    responses((status = 201, body = Repository,
        headers(("Location" = String, description = "The repository."))))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<CreateRepository>,
) -> Answer<Response> {
    let made = app.engine.create_repository(&wanted.name, wanted.types).await?;
    // The engine took the name, so it holds nothing that an address would have to encode.
    let place = [(header::LOCATION, format!("/api/v1/repositories/{}", wanted.name))];
    Ok((StatusCode::CREATED, place, Json(Repository::from(made))).into_response())
}

/// Deletes a repository with all its versions and publications.
#[utoipa::path(
    delete,
    path = "/repositories/{repository}",
    operation_id = "deleteRepository",
    tag = "repositories",
    responses((status = 204))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<StatusCode> {
    app.engine.delete_repository(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The versions of a repository that are kept.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/versions",
    operation_id = "listVersions",
    tag = "repositories",
    responses((status = 200, body = Vec<Version>))
)]
pub(super) async fn versions(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Version>>> {
    let versions = app.engine.versions(&name).await?;
    Ok(Json(versions.into_iter().map(Version::from).collect()))
}

/// Which units came and went between two versions.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/diff",
    operation_id = "diffVersions",
    tag = "repositories",
    params(DiffOptions),
    responses((status = 200, body = DiffPage))
)]
pub(super) async fn diff(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(options): Query<DiffOptions>,
) -> Answer<Json<DiffPage>> {
    let limit = within("limit", options.limit.unwrap_or(DIFF_PAGE), DIFF_PAGE)?;
    let DiffOptions { from, to, cursor, .. } = options;
    let page = app.engine.diff(&name, from, to, cursor, limit).await?;
    Ok(Json(diff_page(page.entries, page.cursor)))
}
