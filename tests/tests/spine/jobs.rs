//! Jobs: shown, followed, cancelled; and servers that come and go around them.

use serde_json::{Value, json};
use wharf_tests::{TestHost, Tree, Trick, Upstream, wait};

use crate::mirror;

/// Waits until the newest job runs, and returns its number.
pub(crate) fn running(host: &TestHost) -> String {
    wait::until("a job runs", wait::PATIENCE, || {
        let jobs = host.api("GET", "/api/v1/jobs?state=running", b"").json();
        Some(jobs.as_array()?.first()?.get("id")?.to_string())
    })
}

#[test]
fn a_job_can_be_shown_and_its_log_read() {
    let tree = Tree::of(5, 100, 51);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    let job = host.ok(&["sync", "tools"]);
    let id = job["job"].to_string();
    let shown = host.ok(&["job", "show", &id]);
    assert_eq!((&shown["state"], &shown["added"]), (&json!("succeeded"), &json!(5)), "{shown:#}");
    let logs = host.wharf(&["job", "logs", &id]);
    assert_eq!(logs.status, 0, "{logs:#?}");
    let list = host.ok(&["job", "list", "--repo", "tools"]);
    assert_eq!(list["jobs"].as_array().map(Vec::len), Some(1), "{list:#}");
    host.wharf(&["job", "show", "4711"]).ended(2, "not_found");
    host.finish();
}

#[test]
fn a_cancelled_sync_ends_soon_makes_no_version_and_can_be_done_again() {
    let tree = Tree::of(10, 5000, 52);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    upstream.once("d000/f00004.bin", [Trick::Stall(10)]);
    let sync = host.start(&["sync", "tools"]);
    upstream.wait_for("d000/f00004.bin");
    let id = running(&host);
    let cancelled = host.wharf(&["job", "cancel", &id]);
    assert_eq!(cancelled.json["state"], "cancelled", "{cancelled:#?}");
    let sync = sync.wait();
    assert_eq!((sync.status, &sync.json["state"]), (130, &json!("cancelled")), "{sync:#?}");
    assert_eq!(host.ok(&["repo", "show", "tools"])["version"], 0);
    assert_eq!(host.ok(&["sync", "tools"])["added"], 10);
    host.finish();
}

#[test]
fn interrupting_the_command_cancels_its_job() {
    let tree = Tree::of(10, 5000, 53);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    upstream.once("d000/f00004.bin", [Trick::Stall(10)]);
    let sync = host.start(&["sync", "tools"]);
    upstream.wait_for("d000/f00004.bin");
    sync.signal(rustix::process::Signal::INT);
    let sync = sync.wait();
    assert_eq!((sync.status, &sync.json["state"]), (130, &json!("cancelled")), "{sync:#?}");
    host.finish();
}

#[test]
fn one_writer_at_a_time_works_on_a_repository() {
    let tree = Tree::of(10, 500, 54);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    upstream.once("d000/f00004.bin", [Trick::Stall(1)]);
    let first = host.start(&["sync", "tools"]);
    upstream.wait_for("d000/f00004.bin");
    let second = host.ok(&["sync", "tools", "--no-wait"]);
    let state = |job: &Value| host.ok(&["job", "show", &job["job"].to_string()])["state"].clone();
    assert!(["queued", "blocked"].contains(&state(&second).as_str().unwrap_or_default()));
    upstream.release();
    drop(first.wait());
    wait::until("the second ends", wait::PATIENCE, || {
        (state(&second) == "succeeded").then_some(())
    });
    let versions = host.ok(&["repo", "versions", "tools"]);
    assert_eq!(versions["versions"].as_array().map(Vec::len), Some(1), "F91: {versions:#}");
    host.finish();
}

#[test]
fn f88_a_data_folder_has_one_server() {
    let mut host = TestHost::new();
    host.serve();
    let pid = host.server().pid().to_string();
    let second = host.wharf(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status, 2, "{second:#?}");
    second.says(&[&pid]);
    let status = host.ok(&["status"]);
    assert_eq!((&status["running"], status["server"]["pid"].to_string()), (&json!(true), pid));
    host.finish();
}

#[test]
fn commands_work_together_whether_or_not_a_server_runs() {
    let tree = Tree::of(10, 500, 55);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    // Both find no server; one becomes it, the other uses it or waits for its end.
    let runs = [host.start(&["sync", "tools"]), host.start(&["sync", "tools"])];
    for run in runs {
        let run = run.wait();
        assert_eq!((run.status, &run.json["version"]), (0, &json!(1)), "{run:#?}");
    }
    host.finish();
}
