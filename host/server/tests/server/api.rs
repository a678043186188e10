//! The API's resources and refusals.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wharf_server::api::types::{Job, JobState, LogPage, Repository, Status, TypeInfo, Version};

use super::support::Host;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_tells_how_it_is() {
    let host = Host::start().await;
    let status: Status = host.api("GET", "/api/v1/status", "").await.json();
    assert_eq!(status.pid, std::process::id());
    assert_eq!(status.data, host.server.data().display().to_string());
    assert_eq!(status.content, Some(format!("http://{}", host.address())));
    assert_eq!((status.running, status.queued, status.draining), (0, 0, false));
    for answer in [host.api("GET", "/health", "").await, host.tcp("GET", "/health", &[]).await] {
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "{\"status\":\"ok\"}"));
    }
    let plugins: Vec<Value> = host.api("GET", "/api/v1/plugins", "").await.json();
    let types: Vec<TypeInfo> = host.api("GET", "/api/v1/types", "").await.json();
    assert!(plugins.is_empty() && types.iter().all(|kind| kind.plugin.as_deref() == Some("wharf")));
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_is_told_with_who_registered_it_and_whether_that_one_is_still_there() {
    let host = Host::publishing(&[("a", b"a")]).await;
    let shown: TypeInfo = host.api("GET", "/api/v1/types/thing", "").await.json();
    assert_eq!(
        (shown.plugin.as_deref(), shown.plugin_version.as_deref()),
        (Some("test"), Some("1.0.0"))
    );
    assert!(!shown.defined && shown.components.is_empty() && shown.version == 1);
    let mut all: Vec<TypeInfo> = host.api("GET", "/api/v1/types", "").await.json();
    // The host's own are told too.
    all.retain(|kind| kind.plugin.as_deref() != Some("wharf"));
    assert_eq!(all, [shown]);
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_on_the_private_socket_only() {
    let host = Host::publishing(&[("a", b"a")]).await;
    assert_eq!(host.tcp("GET", "/api/v1/status", &[]).await.status, 404);
    assert_eq!(host.tcp("POST", "/api/v1/repositories", &[]).await.status, 404);
    assert_eq!(host.api("GET", "/content/tree/a", "").await.text(), "a");
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_lives_from_its_creation_to_its_end() {
    let host = Host::start().await;
    let made = host.api("POST", "/api/v1/repositories", r#"{"name": "a.b-1"}"#).await;
    assert_eq!(made.status, 201);
    let place = made.header("location").to_owned();
    assert_eq!(place, "/api/v1/repositories/a.b-1");
    let shown: Repository = host.api("GET", &place, "").await.json();
    assert_eq!(shown, made.json());
    assert_eq!((shown.version, shown.units), (0, 0));
    let all: Vec<Repository> = host.api("GET", "/api/v1/repositories", "").await.json();
    assert_eq!(all, [shown]);
    let versions: Vec<Version> = host.api("GET", &format!("{place}/versions"), "").await.json();
    assert!(versions.iter().all(|version| version.units == 0));
    // F145
    let again = host.api("POST", "/api/v1/repositories", r#"{"name": "a.b-1"}"#).await;
    assert_eq!(again.status, 409);
    assert!(again.problem().problem.code.starts_with("conflict"));
    let gone = host.api("DELETE", &place, "").await;
    assert_eq!((gone.status.as_u16(), gone.text()), (204, ""));
    assert_eq!(host.api("GET", &place, "").await.problem().problem.code, "not_found.repository");
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_apart_from_what_makes_no_sense() {
    let host = Host::start().await;
    host.api("POST", "/api/v1/repositories", r#"{"name": "a"}"#).await;
    for (method, path, body, status, code) in [
        ("GET", "/api/v1/nothing", "", 404, "not_found.route"),
        ("GET", "/api/v2/status", "", 404, "not_found.route"),
        ("GET", "/api/", "", 404, "not_found.route"),
        ("GET", "/api/v1/status/", "", 404, "not_found.route"),
        ("POST", "/api/v1/status", "", 405, "usage.method"),
        ("GET", "/api/v1/repositories/a/sync", "", 405, "usage.method"),
        ("GET", "/api/v1/repositories/none", "", 404, "not_found.repository"),
        ("GET", "/api/v1/repositories/%2e%2e", "", 404, "not_found.repository"),
        ("GET", "/api/v1/repositories/%ff", "", 400, "usage.path"),
        ("DELETE", "/api/v1/repositories/none", "", 404, "not_found.repository"),
        ("POST", "/api/v1/repositories", r#"{"name": "../a"}"#, 422, "usage.name"),
        ("POST", "/api/v1/repositories", r#"{"name": "b", "types": ["x"]}"#, 404, "not_found.type"),
        ("POST", "/api/v1/repositories/a/sync", "", 404, "not_found.attachment"),
        ("POST", "/api/v1/repositories/a/publish", "{}", 404, "not_found.attachment"),
        ("POST", "/api/v1/repositories/a/publish", r#"{"version": 9}"#, 404, "not_found.version"),
        ("PUT", "/api/v1/repositories/a/attachments/no.importer", "", 404, "not_found.plugin"),
        ("PUT", "/api/v1/repositories/a/attachments/nonsense", "", 422, "usage.component"),
        ("GET", "/api/v1/types/none", "", 404, "not_found.type"),
        ("DELETE", "/api/v1/types", "", 405, "usage.method"),
        ("GET", "/api/v1/jobs/1", "", 404, "not_found.job"),
        ("GET", "/api/v1/jobs/one", "", 400, "usage.path"),
        ("GET", "/api/v1/jobs/99999999999999999999", "", 400, "usage.path"),
        ("GET", "/api/v1/jobs/1/logs", "", 404, "not_found.job"),
        ("POST", "/api/v1/jobs/1/cancel", "", 404, "not_found.job"),
    ] {
        let answer = host.api(method, path, body).await;
        let problem = answer.problem().problem;
        let found = (answer.status.as_u16(), problem.code.as_str());
        assert_eq!(found, (status, code), "{method} {path}: {}", problem.message);
    }
    let answer = host.api("POST", "/api/v1/status", "").await;
    assert!(answer.header("allow").contains("GET"));
    host.end().await;
}

// F144
#[tokio::test(flavor = "multi_thread")]
async fn options_are_known_and_within_bounds_or_refused() {
    let host = Host::start().await;
    host.api("POST", "/api/v1/repositories", r#"{"name": "a"}"#).await;
    for path in [
        "/api/v1/status?x=1",
        "/api/v1/jobs?limit=0",
        "/api/v1/jobs?limit=-1",
        "/api/v1/jobs?limit=1000000000",
        "/api/v1/jobs?limit=1&limit=2",
        "/api/v1/jobs?state=done",
        "/api/v1/jobs?state=queued,",
        "/api/v1/jobs?before=x",
        "/api/v1/jobs?sort=id",
        "/api/v1/repositories/a/diff?cursor=forged'--",
        "/api/v1/repositories/a/diff?limit=0",
        "/api/v1/repositories/a/diff?from=x",
        "/api/v1/jobs/1?wait_ms=-1",
        "/api/v1/jobs/1/logs?limit=100000",
    ] {
        let answer = host.api("GET", path, "").await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text());
        answer.problem();
    }
    let found: Vec<Job> =
        host.api("GET", "/api/v1/jobs?state=queued,running&repository=a'--", "").await.json();
    assert!(found.is_empty());
    host.end().await;
}

// F143
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_body_is_refused_with_its_place() {
    let host = Host::start().await;
    for (body, status, at) in [
        ("{", 400, "."),
        (r#"{"name": "a", "name": "b"}"#, 400, "."),
        (r#"{"name": 1}"#, 422, "name"),
        (r#"{"name": "a", "types": [1e400]}"#, 400, "types[0]"),
        (r#"{"nam": "a"}"#, 422, "nam"),
        (r#"["a", []]"#, 422, "."),
        ("{}", 422, "."),
        ("", 422, "."),
    ] {
        let answer = host.api("POST", "/api/v1/repositories", body).await;
        let problem = answer.problem().problem;
        let found = (answer.status.as_u16(), problem.at.as_deref());
        assert_eq!(found, (status, Some(at)), "{body}: {}", problem.message);
    }
    let stream = host.dial().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer =
        super::support::exchange(stream, "POST", "/api/v1/repositories", &form, "name=a").await;
    assert_eq!(answer.status, 415);
    let all: Vec<Value> = host.api("GET", "/api/v1/repositories", "").await.json();
    assert!(all.is_empty());
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_job_and_its_log_are_answered_at_once() {
    let host = Host::publishing(&[]).await;
    let jobs: Vec<Job> = host.api("GET", "/api/v1/jobs?state=succeeded", "").await.json();
    let [job] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert_eq!((job.operation.as_str(), job.state), ("publish", JobState::Succeeded));
    let path = format!("/api/v1/jobs/{}", job.id);
    let asked = Instant::now();
    let waiting = format!("{path}?wait_ms=20000&since={}", job.revision);
    assert_eq!(host.api("GET", &waiting, "").await.json::<Job>(), *job);
    let log: LogPage = host.api("GET", &format!("{path}/logs?wait_ms=20000"), "").await.json();
    assert!(log.ended);
    let cancelled = host.api("POST", &format!("{path}/cancel"), "").await;
    assert_eq!(cancelled.status, 202);
    assert_eq!(cancelled.json::<Job>().state, JobState::Succeeded);
    assert!(asked.elapsed() < Duration::from_secs(15));
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_shows_what_it_publishes() {
    let host = Host::publishing(&[]).await;
    let shown: Value = host.api("GET", "/api/v1/repositories/tree/attachments", "").await.json();
    assert_eq!(shown[0]["path"], json!("tree"));
    assert_eq!(shown[0]["last"]["outcome"], json!("succeeded"));
    assert!(shown[0]["publication"]["id"].is_i64());
    let detached =
        host.api("DELETE", "/api/v1/repositories/tree/attachments/test.distributor", "").await;
    assert_eq!(detached.status, 204, "{}", detached.text());
    host.end().await;
}
