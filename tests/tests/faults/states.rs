//! What people see of a plugin's processes: that it crashes again and again, and that nobody uses it.

use serde_json::Value;
use wharf_tests::wharf::Patience;
use wharf_tests::{TestHost, processes, wait};

fn plugin(host: &TestHost, name: &str) -> Value {
    let list = host.api("GET", "/api/v1/plugins", b"").json();
    let plugins = list.as_array().expect("a list");
    plugins.iter().find(|plugin| plugin["name"] == name).expect("it is listed").clone()
}

// F75
#[test]
fn f75_a_plugin_that_always_crashes_is_left_alone_and_shown_so() {
    let mut host = TestHost::new();
    host.install_handshake(&["silent"]);
    host.serve_with(Patience::Short);
    host.ok(&["repo", "create", "odd"]);
    let attach = || host.wharf(&["attach", "odd", "handshake.importer"]);
    attach().ended(4, "launch");
    let first = plugin(&host, "handshake");
    assert_eq!(first["failures"], 1, "{first:#}");
    for _failure in 2..=5 {
        attach().ended(4, "launch").says(&["before the handshake"]);
    }
    let looping = plugin(&host, "handshake");
    assert_eq!((&looping["state"], &looping["failures"]), (&"crash-loop".into(), &5.into()));
    let reason = looping["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("before the handshake"), "{looping:#}");
    assert!(looping["retry_in_ms"].as_u64().is_some_and(|ms| ms <= 1_600), "{looping:#}");
    let run = attach();
    run.ended(4, "launch").says(&[
        "5 times in a row",
        "before the handshake",
        "plugin reset handshake",
    ]);
    let people = host.wharf(&["--output", "text", "plugin", "list"]);
    let reset = host.wharf(&["plugin", "reset", "handshake"]);
    assert_eq!((reset.status, &reset.json["plugin"]["failures"]), (0, &0.into()), "{reset:#?}");
    attach().ended(4, "launch").says(&["before the handshake"]);
    host.wharf(&["plugin", "reset", "nobody"]).ended(2, "not_found");
    for words in ["crash-loop", "failed 5 times in a row, tried again in"] {
        assert!(people.stdout.contains(words), "{words}: {people:#?}");
    }
    // The others work.
    host.repository("tools", &[("file.distributor", &[])]);
    host.finish();
}

#[test]
fn a_process_that_nobody_uses_is_stopped_and_the_next_job_gets_a_new_one() {
    let mut host = TestHost::new();
    host.serve_with(Patience::Short);
    host.repository("tools", &[("file.distributor", &[])]);
    let pids = plugin(&host, "file")["pids"].clone();
    assert_eq!(pids.as_array().map(Vec::len), Some(1), "{pids}");
    let idle = wait::until("it is stopped", wait::PATIENCE, || {
        let idle = plugin(&host, "file");
        (idle["state"] == "stopped").then_some(idle)
    });
    assert_eq!(
        (&idle["idle_stops"], &idle["failures"], &idle["reason"]),
        (&1.into(), &0.into(), &Value::Null)
    );
    let people = host.wharf(&["--output", "text", "plugin", "list"]);
    assert!(people.stdout.contains("idle"), "{people:#?}");
    let pid = pids[0].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a number");
    processes::wait_gone(pid, wait::PATIENCE);
    host.attach("tools", "file.distributor", &[]);
    assert_ne!(plugin(&host, "file")["pids"], pids);
    host.finish();
}
