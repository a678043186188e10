//! `/api/v1/jobs`: following jobs and their logs, and stopping them.
//!
//! Following is asking again with what one has seen: the answer waits until there is more. The
//! server keeps nothing for a follower between two requests, so one that stops reading costs
//! nothing and one that comes back misses nothing (F149).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::IntoParams;

use super::Answer;
use super::convert::job_filter;
use super::request::{JobNumber, Query, within};
use super::status::NoOptions;
use super::types::{Job, LogLine, LogPage};
use crate::app::App;

/// Jobs in one answer, unless asked otherwise.
const JOBS: usize = 100;
/// Jobs in one answer, at most.
const MOST_JOBS: usize = 1000;
/// Log lines in one answer, unless asked otherwise, and at most.
const LOG_LINES: usize = 1000;
/// How long an answer waits for news, at most.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Which jobs: of one repository, in one state or several (`queued,running`), older than `before`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListOptions {
    /// Only jobs on this repository.
    repository: Option<String>,
    /// Only jobs in this state, or in one of several: `queued,running`.
    state: Option<String>,
    /// Only jobs older than this one.
    before: Option<i64>,
    /// At most so many; none: 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Wait up to `wait_ms` while the job's revision is still `since`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ShowOptions {
    /// How long the answer may wait for news; 30 s at most.
    #[serde(default)]
    wait_ms: u64,
    /// The revision that is known already.
    since: Option<u64>,
}

/// Lines from number `from` on; wait up to `wait_ms` while there are none.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LogOptions {
    /// The number of the first line.
    #[serde(default)]
    from: u64,
    /// At most so many; none: 1,000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// How long the answer may wait for news; 30 s at most.
    #[serde(default)]
    wait_ms: u64,
}

/// Jobs, the newest first.
#[utoipa::path(
    get,
    path = "/jobs",
    operation_id = "listJobs",
    tag = "jobs",
    params(ListOptions),
    responses((status = 200, body = Vec<Job>))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(options): Query<ListOptions>,
) -> Answer<Json<Vec<Job>>> {
    let limit = within("limit", options.limit.unwrap_or(JOBS), MOST_JOBS)?;
    let filter = job_filter(options.repository, options.state.as_deref(), options.before, limit)?;
    let jobs = app.engine.jobs(filter).await?;
    Ok(Json(jobs.into_iter().map(Job::from).collect()))
}

/// One job; the answer can wait for news of it.
#[utoipa::path(
    get,
    path = "/jobs/{job}",
    operation_id = "showJob",
    tag = "jobs",
    params(ShowOptions),
    responses((status = 200, body = Job))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    JobNumber(id): JobNumber,
    Query(options): Query<ShowOptions>,
) -> Answer<Json<Job>> {
    let Some((since, mut news)) = options.since.zip(app.engine.watch(id)) else {
        return Ok(Json(app.engine.job(id).await?.into()));
    };
    let changed = async { drop(news.wait_for(|view| view.revision != since).await) };
    wait(&app, options.wait_ms, changed).await;
    let view = news.borrow().clone();
    Ok(Json(view.into()))
}

/// Lines of a job's log; the answer can wait for more of them.
#[utoipa::path(
    get,
    path = "/jobs/{job}/logs",
    operation_id = "readLog",
    tag = "jobs",
    params(LogOptions),
    responses((status = 200, body = LogPage))
)]
pub(super) async fn logs(
    State(app): State<Arc<App>>,
    JobNumber(id): JobNumber,
    Query(options): Query<LogOptions>,
) -> Answer<Json<LogPage>> {
    let limit = within("limit", options.limit.unwrap_or(LOG_LINES), LOG_LINES)?;
    let page = page(&app, id, options.from, limit).await?;
    if !page.lines.is_empty() || page.ended || options.wait_ms == 0 {
        return Ok(Json(page));
    }
    let more = async {
        // The job's end counts as news too: it ends the log.
        let end = async {
            if let Some(mut news) = app.engine.watch(id) {
                drop(news.wait_for(|view| Job::from(view.clone()).state.is_final()).await);
            }
        };
        tokio::select! {
            () = app.engine.logs_grow(id, page.next) => {}
            () = end => {}
        }
    };
    wait(&app, options.wait_ms, more).await;
    Ok(Json(self::page(&app, id, page.next, limit).await?))
}

/// Whether the job has ended is asked before its lines are read: what it wrote last is among them.
async fn page(app: &App, id: i64, from: u64, limit: usize) -> Answer<LogPage> {
    let over = Job::from(app.engine.job(id).await?).state.is_final();
    let (lines, next) = app.engine.logs(id, from, limit).await?;
    let ended = over && lines.len() < limit;
    Ok(LogPage { lines: lines.into_iter().map(LogLine::from).collect(), next, ended })
}

/// Waits for `news`, but no longer than asked for and not beyond the server's end.
async fn wait(app: &App, wait_ms: u64, news: impl Future<Output = ()>) {
    let deadline = Instant::now() + Duration::from_millis(wait_ms).min(LONGEST_WAIT);
    tokio::select! {
        () = news => {}
        () = tokio::time::sleep_until(deadline) => {}
        () = app.stop.cancelled() => {}
    }
}

/// Asks a job to stop.
#[utoipa::path(
    post,
    path = "/jobs/{job}/cancel",
    operation_id = "cancelJob",
    tag = "jobs",
    responses((status = 202, body = Job))
)]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    JobNumber(id): JobNumber,
    Query(NoOptions {}): Query<NoOptions>,
) -> Answer<(StatusCode, Json<Job>)> {
    Ok((StatusCode::ACCEPTED, Json(app.engine.cancel(id).await?.into())))
}
