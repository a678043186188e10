//! Each class of error at each call, raised by the plugin `errors` of each SDK while another of its jobs runs on: what
//! the user is told, the exit status, and that nothing else is touched.

use serde_json::json;
use wharf_tests::{Run, TestHost, wait};

crate::in_every_language!(each_class_of_error_at_each_call, a_check_that_fails_attaches_nothing);

/// What is raised, the exit status, the class, and how often the call was tried.
type Case = (&'static str, i32, &'static str, u64);

/// At a call that is the whole job.
const JOBS: [Case; 10] = [
    ("usage", 2, "usage", 1),
    ("field", 2, "usage", 1),
    ("item", 1, "operation", 1),
    ("attachment", 1, "operation", 1),
    ("run", 1, "operation", 1),
    ("retry", 1, "operation", 2),
    ("warning", 0, "", 1),
    ("cancelled", 4, "fault", 1),
    ("fault", 4, "fault", 1),
    ("exit", 4, "fault", 2),
];

/// At a call for one item of many, one scope is less than the job.
fn expected(call: &str, (raise, status, class, attempts): Case) -> Case {
    match (call, raise) {
        ("fetch", "item") => (raise, 3, "", attempts),
        _ => (raise, status, class, attempts),
    }
}

fn each_class_of_error_at_each_call(language: &str) {
    let mut host = TestHost::new();
    host.install_example(language, "errors");
    host.serve();
    host.repository("other", &[("errors.sync", &["hold_ms=600000"])]);
    let other = host.start(&["sync", "other"]);
    wait::until("the other job runs", wait::PATIENCE, || {
        let jobs = host.api("GET", "/api/v1/jobs", b"").json();
        (jobs[0]["progress"]["phase"] == "holding").then_some(())
    });
    for call in ["sync", "list", "fetch", "publish"] {
        for case in JOBS {
            let (raise, status, class, attempts) = expected(call, case);
            let run = raised(&host, call, raise);
            let words = format!("{language}, {raise} at {call}: {run:#?}");
            assert_eq!((run.status, run.class()), (status, class), "{words}");
            assert_eq!(run.json["attempts"], attempts, "{words}");
            told(&run, call, raise, &words);
        }
    }
    // The other job knows nothing of all that, and ends early when it is asked to.
    let jobs = host.api("GET", "/api/v1/jobs?repository=other", b"").json();
    assert_eq!(jobs[0]["state"], "running", "{jobs:#}");
    let id = jobs[0]["id"].to_string();
    host.ok(&["job", "cancel", &id]);
    assert_eq!(other.wait().status, 130);
    host.finish();
}

/// What the user reads.
fn told(run: &Run, call: &str, raise: &str, words: &str) {
    match (call, raise) {
        (_, "warning") => assert_eq!(run.json["state"], "succeeded", "{words}"),
        ("fetch", "item") => {
            assert_eq!(run.json["failed"], 2, "{words}");
        }
        (_, "field") => {
            assert_eq!(run.json["problem"]["at"], "/at", "{words}");
        }
        (_, "exit") => {
            run.says(&["3"]);
        }
        (_, "cancelled") => {
            run.says(&["nobody asked"]);
        }
        _ => {
            run.says(&[&format!("{call} was asked to fail")]);
        }
    }
    if raise == "warning" {
        assert!(run.json["warnings"].as_u64().is_some_and(|warnings| warnings > 0), "{words}");
    }
}

/// A repository of its own, and a job whose plugin raises this at this call.
fn raised(host: &TestHost, call: &str, raise: &str) -> Run {
    let name = format!("{call}-{raise}");
    let settings = [format!("at={call}"), format!("raise={raise}")];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    match call {
        "publish" => {
            host.repository(&name, &[("errors.sync", &[]), ("errors.tree", &settings)]);
            host.ok(&["sync", &name]);
            host.wharf(&["publish", &name])
        }
        "sync" => {
            host.repository(&name, &[("errors.sync", &settings)]);
            host.wharf(&["sync", &name])
        }
        _ => {
            host.repository(&name, &[("errors.files", &settings)]);
            host.wharf(&["sync", &name])
        }
    }
}

fn a_check_that_fails_attaches_nothing(language: &str) {
    let mut host = TestHost::new();
    host.install_example(language, "errors");
    host.serve();
    host.repository("notes", &[]);
    let attach = |raise: &str| {
        let raise = format!("raise={raise}");
        host.wharf(&["attach", "notes", "errors.sync", "--set", "at=check", "--set", &raise])
    };
    for (raise, status, class, _attempts) in JOBS {
        if ["warning", "cancelled"].contains(&raise) {
            continue;
        }
        let run = attach(raise);
        assert_eq!((run.status, run.class()), (status, class), "{language}, {raise}: {run:#?}");
        let shown = host.ok(&["repo", "show", "notes"]);
        assert_eq!(shown["attachments"], json!([]), "{language}, {raise}: {shown:#}");
    }
    assert_eq!(attach("warning").status, 0);
    let done = host.ok(&["sync", "notes"]);
    assert_eq!((&done["added"], &done["attempts"]), (&json!(2), &json!(1)), "{done:#}");
    host.finish();
}
