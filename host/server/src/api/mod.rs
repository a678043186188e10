//! The JSON API: a file per resource.
//!
//! A request passes the router here, then the extractors (`request` for paths and queries, `json`
//! for bodies), then one function of a resource, which asks the engine and turns its answer into
//! one of [`types`] (`convert`). Every refusal is a problem (`problem`), the router's own too.
//!
//! It is served on the private socket only: who can open that may do everything.

mod attachments;
mod builds;
mod callbacks;
mod client_config;
mod convert;
mod edits;
mod history;
mod instances;
mod jobs;
mod json;
mod keys;
mod openapi;
mod plugins;
mod problem;
mod pushes;
mod repositories;
mod request;
mod runs;
mod schedules;
mod secrets;
mod status;
mod tokens;
pub mod types;
mod units;
mod uploads;

use std::sync::Arc;

use axum::Router;
use http::{Method, StatusCode, Uri};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use self::callbacks::document as callback_document;
pub use self::openapi::document as openapi;
pub(crate) use self::problem::Failure;
use crate::app::App;

/// What a handler of the API returns.
type Answer<T> = Result<T, Failure>;

/// The API's routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, _described) = described().split_for_parts();
    router.fallback(unknown).method_not_allowed_fallback(not_allowed).with_state(app)
}

/// The routes and what they say of themselves: handlers declare both at once, and here they are only gathered.
fn described() -> OpenApiRouter<Arc<App>> {
    let routes = OpenApiRouter::new()
        .routes(routes!(openapi::show))
        .routes(routes!(status::show))
        .routes(routes!(plugins::list))
        .routes(routes!(plugins::reset))
        .routes(routes!(runs::migrate))
        .routes(routes!(plugins::types))
        .routes(routes!(plugins::show_type))
        .routes(routes!(repositories::list, repositories::create))
        .routes(routes!(history::page, repositories::delete, edits::change))
        .routes(routes!(repositories::versions))
        .routes(routes!(repositories::diff))
        .routes(routes!(history::list))
        .routes(routes!(attachments::list))
        .routes(routes!(attachments::attach, attachments::detach))
        .routes(routes!(edits::delete_version))
        .routes(routes!(edits::remove))
        .routes(routes!(edits::copy))
        .routes(routes!(edits::rollback))
        .routes(routes!(client_config::show))
        .routes(routes!(runs::sync))
        .routes(routes!(runs::publish))
        .routes(routes!(builds::build))
        .routes(routes!(builds::targets))
        .routes(routes!(pushes::import))
        .routes(routes!(pushes::push))
        .routes(routes!(pushes::unpublish))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::show, keys::delete))
        .routes(routes!(instances::list, instances::create))
        .routes(routes!(instances::show, instances::change, instances::delete))
        .routes(routes!(instances::check))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::set, secrets::forget))
        .routes(routes!(secrets::test))
        .routes(routes!(uploads::list, uploads::create))
        .routes(routes!(uploads::import))
        .routes(routes!(uploads::show, uploads::append, uploads::delete))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::delete))
        .routes(routes!(edits::gc))
        .routes(routes!(edits::verify))
        .routes(routes!(units::search))
        .routes(routes!(units::show))
        .routes(routes!(units::file))
        .routes(routes!(schedules::list, schedules::create))
        .routes(routes!(schedules::show, schedules::delete))
        .routes(routes!(schedules::enable))
        .routes(routes!(schedules::disable))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::logs))
        .routes(routes!(callbacks::list))
        .routes(routes!(callbacks::redeliver))
        .routes(routes!(jobs::cancel));
    OpenApiRouter::new().nest("/api/v1", routes)
}

async fn unknown(uri: Uri) -> Failure {
    let message = "the API has nothing at this address";
    Failure::usage(StatusCode::NOT_FOUND, "not_found.route", message).at(uri.path())
}

async fn not_allowed(method: Method, uri: Uri) -> Failure {
    let message = format!("{method} is not possible at this address");
    Failure::usage(StatusCode::METHOD_NOT_ALLOWED, "usage.method", message).at(uri.path())
}
