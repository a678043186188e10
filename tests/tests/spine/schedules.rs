//! Schedules, as a user meets them: made, run by a server, switched off by themselves and by hand.

use serde_json::{Value, json};
use wharf_tests::upstream::Trick;
use wharf_tests::{TestHost, Tree, Upstream, wait};

use crate::mirror;

/// Waits until a schedule is as wanted, and shows it.
fn until(host: &TestHost, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    wait::until(what, wait::PATIENCE, || {
        let schedule = host.ok(&["schedule", "show", "tools-sync"]);
        wanted(&schedule).then_some(schedule)
    })
}

#[test]
fn a_schedule_syncs_again_and_again_while_a_server_runs() {
    let tree = Tree::of(5, 100, 51);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    mirror(&host, &upstream, &[]);
    let made = host.wharf(&["schedule", "create", "tools", "sync", "--every", "R3/PT1S"]);
    assert_eq!((made.status, &made.json["remaining"]), (0, &json!(3)), "{made:#?}");
    assert!(made.stderr.contains("wharf serve"), "a command runs none, and says so: {made:#?}");
    host.ok(&["status"]);
    assert_eq!(host.ok(&["schedule", "show", "tools-sync"])["runs"], 0);
    host.serve();
    let done = until(&host, "it ran three times", |schedule| schedule["runs"] == 3);
    assert_eq!(
        (&done["remaining"], &done["next_ms"], &done["failures"]),
        (&json!(0), &Value::Null, &json!(0)),
        "{done:#}"
    );
    assert!(done["first_ms"].as_i64() < done["last_ms"].as_i64(), "{done:#}");
    let history = wait::until("all runs ended", wait::PATIENCE, || {
        let runs = host.ok(&["repo", "history", "tools"])["runs"].clone();
        (runs.as_array().map(Vec::len) == Some(3)).then_some(runs)
    });
    let all = |asked_by: &str| {
        let runs = host.ok(&["repo", "history", "tools"])["runs"].clone();
        runs.as_array().is_some_and(|runs| runs.iter().all(|run| run["asked_by"] == asked_by))
    };
    assert!(all("schedule tools-sync"), "{history:#}");
    host.ok(&["schedule", "delete", "tools-sync"]);
    assert!(all(&format!("schedule {}", done["id"])), "nobody has the name any more");
    host.finish();
}

#[test]
fn a_schedule_that_fails_too_often_is_switched_off_and_says_why() {
    let tree = Tree::of(3, 100, 52);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    upstream.always("PULP_MANIFEST", Trick::Status(404, Vec::new()));
    host.ok(&["schedule", "create", "tools", "sync", "--every", "PT1S", "--failures", "2"]);
    let off = until(&host, "it is off", |schedule| schedule["enabled"] == false);
    let reason = off["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("2 runs in a row failed") && reason.contains("404"), "{off:#}");
    assert_eq!(
        (&off["runs"], &off["failures"], &off["next_ms"]),
        (&json!(2), &json!(2), &Value::Null)
    );
    upstream.behave();
    let on = host.ok(&["schedule", "enable", "tools-sync"]);
    assert_eq!(
        (&on["enabled"], &on["failures"], &on["reason"]),
        (&json!(true), &json!(0), &Value::Null)
    );
    until(&host, "it runs again", |schedule| schedule["runs"].as_u64() > Some(2));
    let off = host.ok(&["schedule", "disable", "tools-sync"]);
    assert_eq!((&off["enabled"], &off["reason"]), (&json!(false), &Value::Null));
    host.ok(&["schedule", "delete", "tools-sync"]);
    host.wharf(&["schedule", "show", "tools-sync"]).ended(2, "not_found");
    wait::until("its last job ended", wait::PATIENCE, || {
        (host.ok(&["job", "list", "--state", "running"])["jobs"] == json!([])).then_some(())
    });
    host.finish();
}

#[test]
fn a_run_that_still_goes_on_is_not_begun_twice() {
    let tree = Tree::of(3, 100, 53);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    upstream.once("d000/f00001.bin", [Trick::Stall(1)]);
    for name in ["one", "two"] {
        let create = ["schedule", "create", "tools", "sync", "--every", "PT1S", "--name", name];
        host.ok(&create);
    }
    upstream.wait_for("d000/f00001.bin");
    let noted = wait::until("what was left out is noted", wait::PATIENCE, || {
        let schedules = host.ok(&["schedule", "list"])["schedules"].clone();
        let both = schedules.as_array().expect("a list").clone();
        both.iter().all(|schedule| schedule["note"].is_string()).then_some(both)
    });
    assert!(
        noted.iter().all(|one| one["note"].as_str().is_some_and(|note| note.contains("not ended")))
    );
    let open = host.ok(&["job", "list"])["jobs"].as_array().map(Vec::len);
    assert_eq!(open, Some(1), "one job at a time");
    for name in ["one", "two"] {
        host.ok(&["schedule", "disable", name]);
    }
    upstream.release();
    wait::until("it ended", wait::PATIENCE, || {
        let jobs = host.ok(&["job", "list"])["jobs"].clone();
        jobs.as_array()?.iter().all(|job| job["state"] == "succeeded").then_some(())
    });
    host.finish();
}

#[test]
fn what_cannot_be_a_schedule_is_refused_with_the_reason() {
    let host = TestHost::new();
    host.repository("tools", &[("file.importer", &["url=http://localhost:9/PULP_MANIFEST"])]);
    for (wish, code, words) in [
        (vec!["sync", "--every", "PT0S"], "usage", "shorter than a second"),
        (vec!["sync", "--every", "6h"], "usage", "PT6H"),
        (vec!["sync", "--every", "R0/PT1H"], "usage", "R0"),
        (vec!["sync", "--cron", "0 0 30 2 *"], "usage", "no day of the calendar"),
        (vec!["sync", "--cron", "0 4 * *"], "usage", "five fields"),
        (vec!["sync", "--cron", "61 4 * * *"], "usage", "61"),
        (vec!["sync", "--cron", "0 4 * * *", "--zone", "Mars/Olympus"], "usage", "Mars/Olympus"),
        (vec!["sync", "--every", "PT1H", "--at", "soon"], "usage", "soon"),
        (vec!["sync", "--every", "PT1H", "--set", "polici=x"], "usage", "polici"),
        (vec!["sync", "--every", "PT1H", "--name", "../x"], "usage", "../x"),
        (vec!["publish", "--every", "PT1H"], "not_found", "no distributor"),
    ] {
        let arguments = [vec!["schedule", "create", "tools"], wish].concat();
        host.wharf(&arguments).ended(2, code).says(&[words]);
    }
    host.wharf(&["schedule", "create", "none", "sync", "--every", "PT1H"]).ended(2, "not_found");
    host.ok(&["schedule", "create", "tools", "sync", "--every", "PT1H", "--failures", "1"]);
    host.wharf(&["schedule", "create", "tools", "sync", "--every", "PT1H"]).ended(2, "conflict");
    assert_eq!(host.ok(&["schedule", "list"])["schedules"].as_array().map(Vec::len), Some(1));
    host.finish();
}
