//! What a plugin says about its work: too much of it, or what cannot be.

use std::time::{Duration, Instant};

use serde_json::Value;
use wharf_tests::TestHost;

use crate::{misbehaving, plugin_pid, works_again};

/// What the API shows of the running job, each time that it changed, until it is over.
fn follow(host: &TestHost) -> Vec<Value> {
    plugin_pid(host);
    let mut shown: Vec<Value> = Vec::new();
    loop {
        let job = host.api("GET", "/api/v1/jobs", b"").json()[0].clone();
        if job["finished_ms"].is_u64() {
            return shown;
        }
        if shown.last().is_none_or(|last| last["revision"] != job["revision"]) {
            shown.push(job);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn f33_a_flood_of_progress_is_shown_four_times_a_second() {
    let host = misbehaving(&["fault=progress-flood"]);
    let began = Instant::now();
    let sync = host.start(&["sync", "odd"]);
    let shown = follow(&host);
    let took = began.elapsed();
    let run = sync.wait();
    assert_eq!((run.status, &run.json["added"]), (0, &Value::from(20)), "{run:#?}");
    let revision = host.api("GET", "/api/v1/jobs", b"").json()[0]["revision"].as_u64();
    // Besides progress: begun, its process, its end.
    let most = 10 + u64::try_from(took.as_millis() / 250).expect("a short time");
    assert!(revision.is_some_and(|revision| revision <= most), "{revision:?} in {took:?}");
    assert!(!shown.is_empty());
    works_again(&host, 1);
    host.finish();
}

#[test]
fn f67_nonsense_about_progress_is_clamped_and_counted() {
    let host = misbehaving(&["fault=progress-nonsense"]);
    let sync = host.start(&["sync", "odd"]);
    let shown = follow(&host);
    let run = sync.wait();
    assert_eq!(run.status, 0, "{run:#?}");
    let mut before = 0;
    for progress in shown.iter().map(|job| &job["progress"]) {
        if progress["phase"] == "reading" {
            let done = progress["done"].as_u64().expect("a number");
            let total = progress["total"].as_u64().unwrap_or(u64::MAX);
            assert!(before <= done && done <= total && done <= 1 << 53, "{shown:#?}");
            before = done;
        }
    }
    assert!(before > 0, "{shown:#?}");
    assert_eq!(run.json["warning_codes"]["progress"], 6, "{run:#?}");
    works_again(&host, 1);
    host.finish();
}

#[test]
fn f68_warnings_are_kept_to_a_number_and_counted_by_code() {
    let host = misbehaving(&["fault=warnings"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!((run.status, &run.json["warnings"]), (0, &Value::from(100_000)), "{run:#?}");
    let kept = run.json["warnings_list"].as_array().map(Vec::len);
    assert_eq!(kept, Some(100));
    let codes = run.json["warning_codes"].as_object().expect("counts");
    assert_eq!((codes.len(), &codes["odd"]), (101, &Value::from(75_000)), "{codes:#?}");
    let sum: u64 = codes.values().filter_map(Value::as_u64).sum();
    assert_eq!(sum, 100_000);
    let job = host.api("GET", "/api/v1/jobs", b"");
    assert!(job.body.len() < 256 << 10, "{} bytes", job.body.len());
    works_again(&host, 1);
    host.finish();
}
