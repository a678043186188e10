//! `/api/v1/repositories/NAME/build` and `/api/v1/targets`: asking for images, and who makes them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use wharf_engine as engine;

use super::request::{Place, Query};
use super::runs::open_for_jobs;
use super::status::NoOptions;
use super::types::{BuildRequest, BuildTemplate, Building, Job, Target, TargetComponent};
use super::{Answer, Failure, callbacks, json};
use crate::app::App;

/// Asks for images: one job for each that must be made.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/build",
    operation_id = "build",
    tag = "images",
    request_body = BuildRequest,
    responses((status = 202, body = Building,
        headers(("Location" = String, description = "The last job, or the jobs of the repository."))))
)]
pub(super) async fn build(
    State(app): State<Arc<App>>,
    Place([name]): Place<1>,
    Query(NoOptions {}): Query<NoOptions>,
    json::Json(wanted): json::Json<BuildRequest>,
) -> Answer<Response> {
    open_for_jobs(&app)?;
    let building = app.engine.build(&name, options(wanted)?).await?;
    app.work();
    let jobs: Vec<Job> = building.jobs.into_iter().map(Job::from).collect();
    let place = match jobs.as_slice() {
        [job] => format!("/api/v1/jobs/{}", job.id),
        _ => format!("/api/v1/jobs?repository={name}"),
    };
    let answer = Building { jobs, base: building.base };
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(answer)).into_response())
}

fn options(wanted: BuildRequest) -> Result<engine::BuildOptions, Failure> {
    let callbacks = callbacks::wanted(wanted.callbacks);
    let BuildRequest { targets, parameters, additions, builders, rebuild, push, snapshot, .. } =
        wanted;
    let from = match (wanted.template, wanted.base) {
        (Some(BuildTemplate { name, text }), None) => engine::BuildFrom::Template { name, text },
        (None, Some(unit)) => engine::BuildFrom::Base(unit),
        _ => {
            let message = "say what images are made from: either `template` or `base`";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Failure::usage(status, "usage.template", message).at("template"));
        }
    };
    Ok(engine::BuildOptions {
        from,
        targets,
        parameters,
        additions,
        builders,
        rebuild,
        push,
        snapshot,
        callbacks,
    })
}

/// What can be built, and by which component.
#[utoipa::path(
    get,
    path = "/targets",
    operation_id = "listTargets",
    tag = "images",
    responses((status = 200, body = Vec<Target>))
)]
pub(super) async fn targets(
    State(app): State<Arc<App>>,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<Json<Vec<Target>>> {
    Ok(Json(app.engine.targets().into_iter().map(Target::from).collect()))
}

impl From<engine::TargetView> for Target {
    fn from(view: engine::TargetView) -> Self {
        let engine::TargetView { target, stage, components } = view;
        let component = |it: engine::ComponentTargets| TargetComponent {
            component: it.component,
            because: it.because,
        };
        Self { target, stage, components: components.into_iter().map(component).collect() }
    }
}
