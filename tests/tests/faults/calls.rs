//! Groups B and C: what a plugin does in the middle of a call. The switches are those of the misbehaving plugin.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use wharf_tests::wharf::GONE;
use wharf_tests::{TestHost, processes, wait};

use crate::{failed, misbehaving, plugin_pid, works_again};

/// A sync with this fault ends as a fault of this code, says these words, and the next one works.
fn check(fault: &str, code: &str, words: &[&str]) {
    let host = misbehaving(&[&format!("fault={fault}")]);
    let run = host.wharf(&["sync", "odd"]);
    run.ended(4, code).says(words);
    failed(&run);
    works_again(&host, 0);
    host.finish();
}

#[test]
fn f38_a_connection_that_is_cut_ends_the_call_at_once() {
    let host = misbehaving(&["fault=cut", "delay_ms=100"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!(run.status, 4, "{run:#?}");
    assert!(["crashed", "protocol"].contains(&run.code()), "{run:#?}");
    assert!(run.took < Duration::from_secs(10), "not at the deadline: {:?}", run.took);
    works_again(&host, 0);
    host.finish();
}

#[test]
fn f39_a_stream_without_result_is_a_fault() {
    check("no-result", "protocol", &["result"]);
}

#[test]
fn f40_what_comes_after_the_result_is_a_fault() {
    check("after-result", "protocol", &["result"]);
    check("two-results", "protocol", &["result"]);
}

#[test]
fn f41_a_status_is_read_as_an_operation_error() {
    let host = misbehaving(&["fault=status"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!((run.status, run.class()), (1, "operation"), "{run:#?}");
    run.says(&["the feed is closed for today"]);
    works_again(&host, 0);
    host.finish();
}

#[test]
fn f48_a_killed_plugin_is_tried_once_more_and_then_told() {
    check("crash", "crashed", &["signal 9", "these are my last words"]);
}

#[test]
fn f48_a_plugin_that_crashes_once_costs_an_attempt_and_no_more() {
    let host = misbehaving(&["fault=crash-once"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!((run.status, &run.json["state"]), (0, &json!("succeeded")), "{run:#?}");
    assert_eq!((&run.json["attempts"], &run.json["added"]), (&json!(2), &json!(20)), "{run:#?}");
    assert!(run.json["warnings"].as_u64().is_some_and(|warnings| warnings > 0), "{run:#?}");
    host.finish();
}

#[test]
fn f48_kill_9_from_outside_is_noticed_within_a_second() {
    let host = misbehaving(&["units=400", "delay_ms=50"]);
    let sync = host.start(&["sync", "odd"]);
    for _attempt in 0..2 {
        let pid = plugin_pid(&host);
        processes::kill(pid, Signal::KILL);
        let killed = Instant::now();
        processes::wait_gone(pid, GONE);
        wait::until("the host has noticed", Duration::from_secs(5), || {
            let jobs = host.api("GET", "/api/v1/jobs", b"").json();
            let job = jobs.as_array()?.first()?.clone();
            let other = job["plugin"]["pid"].as_u64() != Some(u64::from(pid));
            (other || job["state"] == "failed").then_some(())
        });
        // A second is the promise; the machine may be busy with other tests.
        assert!(killed.elapsed() < Duration::from_secs(3), "{:?}", killed.elapsed());
    }
    sync.wait().ended(4, "crashed").says(&["9"]);
    works_again(&host, 0);
    host.finish();
}

#[test]
fn f50_a_stopped_plugin_misses_its_heartbeat_and_is_killed() {
    let host = misbehaving(&["fault=hang"]);
    let run = host.wharf(&["sync", "odd"]);
    run.ended(4, "unresponsive");
    failed(&run);
    // Two attempts of two seconds each; the stall deadline alone would take fifteen.
    assert!(run.took < Duration::from_secs(14), "{:?}", run.took);
    works_again(&host, 0);
    host.finish();
}

#[test]
fn f52_a_plugin_that_ignores_shutdown_and_sigterm_is_killed() {
    let host = misbehaving(&["fault=stubborn"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!(run.status, 0, "{run:#?}");
    let stopped = Instant::now();
    // Stops the server: the plugin goes with it, whatever it likes.
    host.finish();
    assert!(stopped.elapsed() < Duration::from_secs(20), "{:?}", stopped.elapsed());
}

#[test]
fn f53_a_plugin_that_ends_with_0_in_a_call_has_crashed() {
    check("exit", "crashed", &["status 0"]);
}

#[test]
fn f54_daemons_go_with_the_plugin_that_left_them() {
    let host = misbehaving(&["fault=daemon"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!(run.status, 0, "{run:#?}");
    assert!(lingering(&host) > 0, "the daemon lives as long as its plugin");
    let mark = host.mark();
    host.finish();
    assert!(processes::marked(&mark).is_empty());
}

#[test]
fn f54_daemons_go_with_a_plugin_that_crashes() {
    let host = misbehaving(&["fault=daemon-crash"]);
    host.wharf(&["sync", "odd"]).ended(4, "crashed");
    wait::until("the daemons are gone", GONE, || (lingering(&host) == 0).then_some(()));
    works_again(&host, 0);
    host.finish();
}

/// Daemons of the misbehaving plugin that live.
fn lingering(host: &TestHost) -> usize {
    let marked = processes::marked(&host.mark());
    marked.iter().filter(|process| process.command.trim_end().ends_with("linger")).count()
}

#[test]
fn f65_content_of_an_undeclared_type_is_refused() {
    check("unknown-type", "protocol", &["ghost"]);
}

#[test]
fn f65_a_key_that_does_not_fit_its_type_is_refused() {
    check("bad-key", "protocol", &["colour"]);
    check("key-no-json", "protocol", &[]);
}

#[test]
fn f69_a_success_that_does_not_add_up_is_a_fault() {
    check("overclaim", "protocol", &["25", "20"]);
}

#[test]
fn f38_to_f53_hold_for_publishing_too() {
    let host = misbehaving(&[]);
    host.ok(&["sync", "odd"]);
    host.attach("odd", "misbehave.distributor", &[]);
    host.ok(&["publish", "odd"]);
    host.attach("odd", "misbehave.importer", &["seed=2"]);
    host.ok(&["sync", "odd"]);
    for (fault, code) in [("crash", "crashed"), ("exit", "crashed"), ("no-result", "protocol")] {
        host.attach("odd", "misbehave.distributor", &[&format!("fault={fault}")]);
        host.wharf(&["publish", "odd"]).ended(4, code).says(&["misbehave"]);
        let version = host.get("/content/odd/VERSION");
        assert_eq!(version.text(), "version 1\n", "I1: the old publication stands");
    }
    host.attach("odd", "misbehave.distributor", &[]);
    host.ok(&["publish", "odd"]);
    assert_eq!(host.get("/content/odd/VERSION").text(), "version 2\n");
    host.finish();
}

#[test]
fn f48_a_crash_while_the_host_fetches_item_by_item_ends_the_job() {
    let host = misbehaving(&[]);
    host.repository("listed", &[("misbehave.lister", &["fault=crash-fetch"])]);
    host.wharf(&["sync", "listed"]).ended(4, "crashed");
    host.attach("listed", "misbehave.lister", &[]);
    assert_eq!(host.ok(&["sync", "listed"])["added"], 20);
    host.finish();
}

#[test]
fn i4_neighbours_work_while_a_plugin_hangs() {
    let host = misbehaving(&["fault=hang"]);
    host.repository("good", &[("misbehave.importer", &["units=5"])]);
    let hanging = host.start(&["sync", "odd"]);
    plugin_pid(&host);
    let asked = Instant::now();
    assert_eq!(host.get("/health").status, 200);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(host.ok(&["sync", "good"])["added"], 5);
    hanging.wait().ended(4, "unresponsive");
    host.finish();
}
