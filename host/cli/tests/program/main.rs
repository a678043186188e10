//! The program as a user or a script meets it: command line, exit status, both outputs, signals.
//!
//! The server is a fake on the socket of a data folder, so each case decides what is answered.

#![expect(clippy::disallowed_methods, reason = "these tests start the program itself")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test that is how it fails")]

mod examples;
mod fake;
mod own_server;
mod probe;

use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use fake::{Answer, Fake};

/// Everything here takes milliseconds; this is for a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

fn data() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn wharf(data: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
    command.env_clear().env("HOME", data).env("WHARF_DATA", data);
    command.args(line.split_whitespace()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn run(data: &Path, line: &str) -> Output {
    tokio::time::timeout(DEADLINE, wharf(data, line).output()).await.expect(line).unwrap()
}

async fn code(mut child: Child) -> Option<i32> {
    tokio::time::timeout(DEADLINE, child.wait()).await.unwrap().unwrap().code()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn last_object(output: &Output) -> Value {
    serde_json::from_str(out(output).lines().last().unwrap()).unwrap()
}

fn status() -> Answer {
    let status = json!({
        "version": env!("CARGO_PKG_VERSION"), "pid": 1, "started_ms": 0, "data": "/d",
        "running": 0, "queued": 0, "draining": false,
    });
    (200, status.to_string())
}

fn job(state: &str, more: impl Into<Option<Value>>) -> String {
    let mut job = json!({
        "id": 7, "operation": "sync", "repository": "tools", "component": "file.importer",
        "state": state, "attempts": 1, "submitted_ms": 0, "revision": 1,
    });
    if let Some(Value::Object(more)) = more.into() {
        job.as_object_mut().unwrap().extend(more);
    }
    job.to_string()
}

/// A server on which a sync ends as told.
fn ends_with(data: &Path, state: &'static str, more: Value) -> Fake {
    Fake::start(data, move |method, target| match (method, target) {
        (_, "/api/v1/status") => status(),
        ("POST", "/api/v1/repositories/tools/sync") => (202, job("queued", None)),
        (_, target) if target.starts_with("/api/v1/jobs/7?") => (200, job(state, more.clone())),
        other => panic!("asked for {other:?}"),
    })
}

fn problem(class: &str, code: &str) -> Value {
    json!({ "problem": { "class": class, "code": code, "message": "it \u{1b}[31mbroke", "help": "mend it" } })
}

#[tokio::test]
async fn a_sync_tells_its_end_in_text_and_in_json() {
    let data = data();
    let result = json!({ "result": {
        "added": 3, "bytes": 10, "seconds": 0.5, "version": 1, "changed": true, "unknown": [1],
    } });
    let _fake = ends_with(data.path(), "succeeded", result);
    let text = run(data.path(), "sync tools").await;
    assert_eq!(
        out(&text),
        "tools synced to version 1: 3 added, 0 removed, 0 unchanged (500 ms, 10 B)\n"
    );
    assert_eq!((err(&text).as_str(), text.status.code()), ("", Some(0)));

    let json = run(data.path(), "sync tools --output json").await;
    let object = last_object(&json);
    assert_eq!((&object["job"], &object["state"]), (&json!(7), &json!("succeeded")));
    assert_eq!((&object["added"], &object["version"]), (&json!(3), &json!(1)));
    assert_eq!(out(&json).lines().count(), 1);

    let quiet = run(data.path(), "sync tools --quiet").await;
    assert_eq!((out(&quiet).as_str(), err(&quiet).as_str()), ("", ""));
}

#[tokio::test]
async fn the_exit_status_says_how_a_job_ended() {
    for (state, more, expected) in [
        ("succeeded", Value::Null, 0),
        ("failed", problem("operation", "source.unreachable"), 1),
        ("failed", problem("usage", "usage.settings"), 2),
        ("partial", json!({ "result": { "failed": 1 } }), 3),
        ("failed", problem("fault", "crashed"), 4),
        ("cancelled", problem("cancelled", "cancelled"), 130),
    ] {
        let data = data();
        let _fake = ends_with(data.path(), state, more.clone());
        let output = run(data.path(), "sync tools").await;
        assert_eq!(output.status.code(), Some(expected), "{state} {more}");
        if more.get("problem").is_some() {
            let told = err(&output);
            assert!(told.contains("it \\u{1b}[31mbroke"), "{told}");
            let advice = told.contains("  help: mend it") && told.contains("wharf job logs 7");
            assert_eq!(advice, expected != 130, "{told}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_told_to_people_and_to_programs() {
    let data = data();
    let refusal = json!({
        "status": 404, "title": "Not Found", "class": "usage", "code": "not_found.repository",
        "message": "there is no repository \"tools\"",
    });
    let _fake = Fake::start(data.path(), move |_, target| match target {
        "/api/v1/status" => status(),
        _ => (404, refusal.to_string()),
    });
    let output = run(data.path(), "repo show tools --output json").await;
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(last_object(&output)["problem"]["code"], "not_found.repository");
    assert_eq!(
        err(&output),
        "error: there is no repository \"tools\"\n  code: not_found.repository\n"
    );
}

#[tokio::test]
async fn a_wrong_command_line_ends_with_status_2() {
    let data = data();
    for line in ["nonsense", "sync", "--output xml status", "attach a b --set x"] {
        let output = run(data.path(), line).await;
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(err(&output).starts_with("error:"), "{line}: {}", err(&output));
    }
}

#[tokio::test]
async fn f150_no_colour_and_no_cursor_movement_where_no_terminal_is() {
    let data = data();
    let _fake = ends_with(data.path(), "failed", problem("fault", "crashed"));
    let output = run(data.path(), "sync tools").await;
    for text in [out(&output), err(&output)] {
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
    }
}

fn difference(number: usize) -> Value {
    json!({ "change": "added", "type": "file", "key": { "path": format!("{number:06}") } })
}

/// A server with a long difference in pages of 1000.
fn with_difference(data: &Path, pages: usize) -> Fake {
    Fake::start(data, move |_, target| {
        if target == "/api/v1/status" {
            return status();
        }
        let page: usize = target.split("cursor=").nth(1).map_or(0, |page| page.parse().unwrap());
        let entries: Vec<Value> = (0..1000).map(|entry| difference(page * 1000 + entry)).collect();
        let cursor = (page + 1 < pages).then(|| (page + 1).to_string());
        (200, json!({ "entries": entries, "cursor": cursor }).to_string())
    })
}

#[tokio::test]
async fn a_long_difference_is_one_object_in_json_and_a_line_each_in_text() {
    let data = data();
    let _fake = with_difference(data.path(), 3);
    let object = last_object(&run(data.path(), "repo diff tools 1 2 --output json").await);
    assert_eq!(object["entries"].as_array().unwrap().len(), 3000);
    assert_eq!((&object["from"], &object["added"]), (&json!(1), &json!(3000)));
    let text = out(&run(data.path(), "repo diff tools 1 2").await);
    assert!(text.starts_with("+ file 000000\n+ file 000001\n"));
    assert!(text.ends_with("3,000 added, 0 removed from version 1 to version 2\n"));
}

#[tokio::test]
async fn f150_a_reader_that_leaves_ends_a_list_quietly() {
    let data = data();
    let _fake = with_difference(data.path(), 10_000);
    let mut child = wharf(data.path(), "repo diff tools 1 2").spawn().unwrap();
    let mut first = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(first.next_line().await.unwrap().as_deref(), Some("+ file 000000"));
    drop(first);
    let mut told = String::new();
    let mut stderr = child.stderr.take().unwrap();
    assert_eq!(code(child).await, Some(0));
    stderr.read_to_string(&mut told).await.unwrap();
    assert_eq!(told, "");
}

#[tokio::test]
async fn f150_a_reader_that_left_does_not_change_how_a_sync_ends() {
    let data = data();
    let _fake = ends_with(data.path(), "partial", json!({ "result": { "failed": 1 } }));
    let mut child = wharf(data.path(), "sync tools").spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(code(child).await, Some(3));
}

/// A server on which a sync runs until it is cancelled, and perhaps even then.
fn endless(data: &Path, ends: bool, polled: Arc<Notify>, cancels: Arc<AtomicUsize>) -> Fake {
    Fake::start(data, move |method, target| match (method, target) {
        (_, "/api/v1/status") => status(),
        ("POST", "/api/v1/repositories/tools/sync") => (202, job("running", None)),
        ("POST", "/api/v1/jobs/7/cancel") => {
            cancels.fetch_add(1, Ordering::SeqCst);
            (202, job("cancelling", json!({ "revision": 2 })))
        }
        (_, target) if target.ends_with("since=2") && ends => {
            (200, job("cancelled", problem("cancelled", "cancelled")))
        }
        (_, target) if target.starts_with("/api/v1/jobs/7?") => {
            polled.notify_one();
            (0, String::new())
        }
        other => panic!("asked for {other:?}"),
    })
}

fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn f151_the_first_ctrl_c_cancels_the_job_and_waits_for_its_end() {
    let data = data();
    let (polled, cancels) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let _fake = endless(data.path(), true, Arc::clone(&polled), Arc::clone(&cancels));
    let mut child = wharf(data.path(), "sync tools").spawn().unwrap();
    tokio::time::timeout(DEADLINE, polled.notified()).await.unwrap();
    send(&child, Signal::INT);
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = told.next_line().await.unwrap().unwrap();
    assert!(first.contains("cancelling job 7") && first.contains("wharf job show 7"), "{first}");
    assert_eq!(code(child).await, Some(130));
    assert_eq!(cancels.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn f151_the_second_ctrl_c_leaves_at_once() {
    let data = data();
    let (polled, cancels) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let _fake = endless(data.path(), false, Arc::clone(&polled), cancels);
    let mut child = wharf(data.path(), "sync tools").spawn().unwrap();
    tokio::time::timeout(DEADLINE, polled.notified()).await.unwrap();
    send(&child, Signal::INT);
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(told.next_line().await.unwrap().unwrap().contains("cancelling job 7"));
    tokio::time::timeout(DEADLINE, polled.notified()).await.unwrap();
    send(&child, Signal::INT);
    assert_eq!(code(child).await, Some(130));
}

#[tokio::test]
async fn without_waiting_the_job_is_left_to_the_server() {
    let data = data();
    let _fake = Fake::start(data.path(), |_, target| match target {
        "/api/v1/status" => status(),
        _ => (202, job("queued", None)),
    });
    let output = run(data.path(), "sync tools --no-wait").await;
    assert_eq!(out(&output), "job 7 queued: `wharf job show 7` tells how it goes\n");
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn f149_a_followed_log_has_no_gaps_and_no_doubles() {
    let data = data();
    let line = |n: u64| json!({ "n": n, "ms": 0, "level": "info", "text": format!("line {n}") });
    let _fake = Fake::start(data.path(), move |_, target| {
        let from = target.split("from=").nth(1).and_then(|rest| rest.split('&').next());
        match from {
            None if target == "/api/v1/status" => status(),
            Some("0") => {
                (200, json!({ "lines": [line(0), line(1)], "next": 2, "ended": false }).to_string())
            }
            Some("2") => (200, json!({ "lines": [], "next": 2, "ended": false }).to_string()),
            other => panic!("asked for {other:?} of {target}"),
        }
    });
    let short = run(data.path(), "job logs 7").await;
    let texts: Vec<String> = out(&short)
        .lines()
        .map(|line| line.split_once("info").unwrap().1.trim().to_owned())
        .collect();
    assert_eq!(texts, ["line 0", "line 1"]);
}

#[tokio::test]
async fn status_looks_and_starts_nothing() {
    let parent = data();
    let data = parent.path().join("not/yet");
    let output = run(&data, "status --output json").await;
    assert_eq!(last_object(&output)["running"], false);
    assert_eq!(output.status.code(), Some(0));
    assert!(!data.exists());
}

#[tokio::test]
async fn f152_another_version_of_the_server_is_told() {
    let data = data();
    let _fake = Fake::start(data.path(), |_, target| match target {
        "/api/v1/status" => (200, status().1.replace(env!("CARGO_PKG_VERSION"), "99.1.2")),
        _ => (200, "[]".to_owned()),
    });
    let output = run(data.path(), "repos").await;
    assert_eq!(output.status.code(), Some(0));
    assert!(err(&output).contains("is wharf 99.1.2"), "{}", err(&output));
}
