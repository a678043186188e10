//! The client against a small server of its own making.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::net::UnixListener;

use super::*;
use crate::interrupts::Interrupts;
use fake::Fake;

#[path = "../../tests/program/fake.rs"]
mod fake;

fn job(state: &str, revision: u64) -> String {
    json!({
        "id": 1, "operation": "sync", "state": state, "attempts": 1, "submitted_ms": 0,
        "revision": revision, "something_new": true,
    })
    .to_string()
}

#[tokio::test]
async fn f152_unknown_fields_are_ignored_and_refusals_arrive_as_problems() {
    let data = tempfile::tempdir().unwrap();
    let _fake = Fake::start(data.path(), |_, target| {
        match target {
        "/api/v1/jobs/1" => (200, job("running", 1)),
        "/api/v1/repositories/a%2Fb" => (
            404,
            json!({
                "status": 404, "title": "Not Found", "class": "usage", "code": "not_found.repository",
                "message": "there is no repository \"a/b\"", "new": 1,
            })
            .to_string(),
        ),
        "/api/v1/null" => (204, String::new()),
        "/api/v1/html" => (502, "<html>".to_owned()),
        _ => (200, "no JSON".to_owned()),
    }
    });
    let client = Client::new(data.path());
    assert_eq!(client.get::<crate::api::Job>("jobs/1").await.unwrap().id, 1);
    client.delete("null").await.unwrap();

    let path = format!("repositories/{}", encode("a/b"));
    let problem = client.get::<Value>(&path).await.unwrap_err().into_problem();
    assert_eq!((problem.class, problem.code.as_str()), (Class::Usage, "not_found.repository"));
    let problem = client.get::<Value>("html").await.unwrap_err().into_problem();
    assert_eq!(problem.message, "the server answered GET /api/v1/html with 502 Bad Gateway");
    let error = client.get::<Value>("other").await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error}");
}

#[tokio::test]
async fn nobody_there_is_told_apart_from_a_broken_connection() {
    let data = tempfile::tempdir().unwrap();
    let client = Client::new(data.path());
    let error = client.status().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    let listener = UnixListener::bind(data.path().join("api.sock")).unwrap();
    let (error, ()) = tokio::join!(client.status(), async { drop(listener.accept().await) });
    assert!(matches!(error, Err(Error::Broken { .. })), "{error:?}");
    drop(listener);
    let error = client.status().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_job_is_followed_by_revision_to_its_end() {
    let data = tempfile::tempdir().unwrap();
    let _fake = Fake::start(data.path(), |_, target| {
        let since = target.rsplit("since=").next().unwrap();
        match since {
            "0" => (200, job("running", 1)),
            "1" => (200, job("running", 5)),
            "5" => (200, job("succeeded", 6)),
            other => panic!("asked since {other}"),
        }
    });
    let interrupts = Interrupts::new();
    let guard = interrupts.guard();
    let queued = serde_json::from_str(&job("queued", 0)).unwrap();
    let mut seen = Vec::new();
    let client = Client::new(data.path());
    let ended = client
        .follow(queued, Some(&guard), |job, _| seen.push((job.revision, job.state.as_str())))
        .await
        .unwrap();
    assert_eq!(ended.revision, 6);
    assert_eq!(seen, [(0, "queued"), (1, "running"), (5, "running"), (6, "succeeded")]);
}

#[tokio::test]
async fn f151_the_first_signal_cancels_once_and_the_end_is_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let cancels = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&cancels);
    let _fake = Fake::start(data.path(), move |method, target| match (method, target) {
        ("POST", "/api/v1/jobs/1/cancel") => {
            counted.fetch_add(1, Ordering::SeqCst);
            (202, job("cancelling", 2))
        }
        (_, target) if target.ends_with("since=2") => (200, job("cancelled", 3)),
        other => panic!("asked for {other:?}"),
    });
    let interrupts = Interrupts::new();
    let guard = interrupts.guard();
    interrupts.arrive();
    let running = serde_json::from_str(&job("running", 1)).unwrap();
    let client = Client::new(data.path());
    let mut told = 0;
    let ended = client
        .follow(running, Some(&guard), |_, following| {
            told += usize::from(following == Following::Cancels);
        })
        .await;
    // Either answer may come first; the cancel must come through in both cases.
    match ended {
        Ok(job) => assert_eq!(job.state.as_str(), "cancelled"),
        Err(error) => panic!("{error}"),
    }
    assert_eq!((cancels.load(Ordering::SeqCst), told), (1, 1));
}
