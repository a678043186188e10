//! The JSON API: a file per resource.
//!
//! A request passes the router here, then the extractors (`request` for paths and queries, `json`
//! for bodies), then one function of a resource, which asks the engine and turns its answer into
//! one of [`types`] (`convert`). Every refusal is a problem (`problem`), the router's own too.
//!
//! It is served on the private socket only: who can open that may do everything.

mod attachments;
mod client_config;
mod convert;
mod edits;
mod history;
mod jobs;
mod json;
mod keys;
mod plugins;
mod problem;
mod repositories;
mod request;
mod runs;
mod schedules;
mod status;
mod tokens;
pub mod types;
mod units;
mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};
use http::{Method, StatusCode, Uri};

pub(crate) use self::problem::Failure;
use crate::app::App;

/// What a handler of the API returns.
type Answer<T> = Result<T, Failure>;

/// The API's routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let repository = get(history::page).delete(repositories::delete).patch(edits::change);
    let attachment = put(attachments::attach).delete(attachments::detach);
    let upload = get(uploads::show).put(uploads::append).delete(uploads::delete);
    let routes = Router::new()
        .route("/status", get(status::show))
        .route("/plugins", get(plugins::list))
        .route("/plugins/{plugin}/reset", post(plugins::reset))
        .route("/plugins/{plugin}/migrate", post(runs::migrate))
        .route("/types", get(plugins::types))
        .route("/types/{type}", get(plugins::show_type))
        .route("/repositories", get(repositories::list).post(repositories::create))
        .route("/repositories/{repository}", repository)
        .route("/repositories/{repository}/versions", get(repositories::versions))
        .route("/repositories/{repository}/diff", get(repositories::diff))
        .route("/repositories/{repository}/history", get(history::list))
        .route("/repositories/{repository}/attachments", get(attachments::list))
        .route("/repositories/{repository}/attachments/{component}", attachment)
        .route(
            "/repositories/{repository}/versions/{version}",
            axum::routing::delete(edits::delete_version),
        )
        .route("/repositories/{repository}/remove", post(edits::remove))
        .route("/repositories/{repository}/copy", post(edits::copy))
        .route("/repositories/{repository}/rollback", post(edits::rollback))
        .route("/repositories/{repository}/client-config", get(client_config::show))
        .route("/repositories/{repository}/sync", post(runs::sync))
        .route("/repositories/{repository}/publish", post(runs::publish))
        .route("/keys", get(keys::list).post(keys::create))
        .route("/keys/{key}", get(keys::show).delete(keys::delete))
        .route("/repositories/{repository}/uploads", get(uploads::list).post(uploads::create))
        .route("/repositories/{repository}/import", post(uploads::import))
        .route("/uploads/{upload}", upload)
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{token}", delete(tokens::delete))
        .route("/gc", post(edits::gc))
        .route("/verify", post(edits::verify))
        .route("/units/search", post(units::search))
        .route("/units/{unit}", get(units::show))
        .route("/schedules", get(schedules::list).post(schedules::create))
        .route("/schedules/{schedule}", get(schedules::show).delete(schedules::delete))
        .route("/schedules/{schedule}/enable", post(schedules::enable))
        .route("/schedules/{schedule}/disable", post(schedules::disable))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{job}", get(jobs::show))
        .route("/jobs/{job}/logs", get(jobs::logs))
        .route("/jobs/{job}/cancel", post(jobs::cancel));
    Router::new()
        .nest("/api/v1", routes)
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .with_state(app)
}

async fn unknown(uri: Uri) -> Failure {
    let message = "the API has nothing at this address";
    Failure::usage(StatusCode::NOT_FOUND, "not_found.route", message).at(uri.path())
}

async fn not_allowed(method: Method, uri: Uri) -> Failure {
    let message = format!("{method} is not possible at this address");
    Failure::usage(StatusCode::METHOD_NOT_ALLOWED, "usage.method", message).at(uri.path())
}
