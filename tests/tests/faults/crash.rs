//! Group H: the host dies, and starts again.

use std::fs;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use wharf_tests::invariants::{blobs_are_what_they_are_called, published};
use wharf_tests::random::{Random, rounds};
use wharf_tests::wharf::GONE;
use wharf_tests::{TestHost, Tree, Trick, Upstream, processes, wait};

use crate::mirror;

#[test]
fn f155_a_host_killed_at_any_moment_keeps_what_it_acknowledged() {
    let mut tree = Tree::of(40, 3000, 81);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    let mut random = Random::new(155);
    let mut known = vec![tree.digests()];
    for round in 0..rounds() {
        tree.churn(8, round);
        known.push(tree.digests());
        let before = host.ok(&["repo", "show", "tools"])["version"].as_u64().expect("a number");
        let sync = host.start(&["sync", "tools"]);
        let publish = (round % 2 == 0).then(|| host.start(&["publish", "tools"]));
        thread::sleep(Duration::from_micros(random.below(120_000)));
        host.kill_server();
        processes::wait_none(&format!("{}/plugins/", host.mark()), GONE);
        drop((sync, publish));
        blobs_are_what_they_are_called(&host.data());
        host.serve();
        let after = host.ok(&["repo", "show", "tools"])["version"].as_u64().expect("a number");
        assert!(
            after == before || after == before + 1,
            "I2: round {round}: {before} became {after}"
        );
        settle(&host);
        let seen = published(&host, "tools");
        assert!(known.contains(&seen), "I1: round {round}: no version that ever was");
    }
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

// F90
#[test]
fn f90_a_host_killed_while_it_frees_takes_nothing_that_is_needed() {
    let mut tree = Tree::of(40, 3000, 90);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["repo", "set", "tools", "--retain", "1"]);
    let mut random = Random::new(90);
    for round in 0..rounds() {
        tree.churn(12, round);
        host.ok(&["sync", "tools"]);
        host.ok(&["publish", "tools"]);
        let gc = host.start(&["gc", "--protect", "0"]);
        thread::sleep(Duration::from_micros(random.below(60_000)));
        host.kill_server();
        drop(gc);
        blobs_are_what_they_are_called(&host.data());
        host.serve();
        settle(&host);
        assert_eq!(published(&host, "tools"), tree.digests(), "round {round}");
    }
    host.ok(&["gc", "--protect", "0"]);
    let again = host.ok(&["gc", "--protect", "0"]);
    assert_eq!(
        (&again["summary"]["units"], &again["summary"]["blobs"]),
        (&json!(0), &json!(0)),
        "{again:#}"
    );
    let asked = upstream.total();
    host.ok(&["sync", "tools", "--full"]);
    assert_eq!(upstream.total(), asked + 1, "all that is needed is here");
    host.finish();
}

/// Waits until what the restart took up has ended (I5).
fn settle(host: &TestHost) {
    wait::until("no job is open", wait::PATIENCE, || open_job(host).is_none().then_some(()));
}

#[test]
fn f155_an_interrupted_sync_is_taken_up_by_the_next_start() {
    let tree = Tree::of(20, 3000, 82);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    upstream.once("d001/f00015.bin", [Trick::Stall(1)]);
    let sync = host.start(&["sync", "tools"]);
    upstream.wait_for("d001/f00015.bin");
    host.kill_server();
    let run = sync.wait();
    assert_ne!(run.status, 0, "a command that lost its server says so: {run:#?}");
    host.serve();
    settle(&host);
    let jobs = host.ok(&["job", "list"]);
    let job = &jobs["jobs"][0];
    assert_eq!((&job["state"], &job["attempts"]), (&json!("succeeded"), &json!(2)), "{job:#}");
    assert_eq!(host.ok(&["repo", "show", "tools"])["units"], 20);
    host.finish();
}

#[test]
fn f156_no_child_outlives_a_killed_host() {
    let mut host = TestHost::with_misbehave();
    host.serve();
    let names: Vec<String> = (0..4).map(|number| format!("r{number}")).collect();
    for name in &names {
        let settings = ["fault=daemon", "units=1000", "delay_ms=200"];
        host.repository(name, &[("misbehave.importer", &settings)]);
    }
    let syncs: Vec<_> = names.iter().map(|name| host.start(&["sync", name])).collect();
    let mark = format!("{}/plugins/misbehave", host.mark());
    wait::until("four plugins and their daemons live", wait::PATIENCE, || {
        let lingering = processes::marked(&mark);
        let daemons =
            lingering.iter().filter(|process| process.command.trim_end().ends_with("linger"));
        (daemons.count() >= 4).then_some(())
    });
    host.kill_server();
    // Two seconds are the promise; a busy machine gets more, and the benchmark measures the rest.
    processes::wait_none(&mark, Duration::from_secs(4));
    for sync in syncs {
        drop(sync);
    }
    host.serve();
    // The jobs were taken up again; each is cancelled, so that the test ends.
    wait::until("all jobs have ended", wait::PATIENCE, || match open_job(&host) {
        Some(job) => {
            host.wharf(&["job", "cancel", &job]);
            None
        }
        None => Some(()),
    });
    host.finish();
}

/// A job that has not ended.
fn open_job(host: &TestHost) -> Option<String> {
    let jobs = host.api("GET", "/api/v1/jobs?limit=20", b"").json();
    let ended = ["succeeded", "partial", "failed", "cancelled", "skipped"];
    let has_ended = |job: &&serde_json::Value| ended.iter().any(|state| job["state"] == **state);
    let open = jobs.as_array()?.iter().find(|job| !has_ended(job))?;
    Some(open["id"].to_string())
}

#[test]
fn f156_a_killed_command_leaves_no_child_either() {
    let tree = Tree::of(10, 3000, 83);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    upstream.once("d000/f00004.bin", [Trick::Stall(1)]);
    let sync = host.start(&["sync", "tools"]);
    upstream.wait_for("d000/f00004.bin");
    sync.signal(Signal::KILL);
    drop(sync.wait());
    processes::wait_none(&host.mark(), Duration::from_secs(4));
    upstream.release();
    // The next command takes the folder over and takes up the job that was cut off.
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!((run.status, &run.json["version"]), (0, &json!(1)), "{run:#?}");
    host.finish();
}

#[test]
fn f160_what_a_dead_host_left_is_removed_at_the_next_start() {
    let tree = Tree::of(10, 3000, 84);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    upstream.once("d000/f00004.bin", [Trick::Stall(1)]);
    let sync = host.start(&["sync", "tools"]);
    upstream.wait_for("d000/f00004.bin");
    let runtime = host.server().runtime().expect("it has sockets");
    assert!(runtime.starts_with(host.runtime()), "nobody else looks after what is in there");
    // Guardians would clean up after their host; they die with it.
    let guardians = || {
        processes::marked(&host.mark())
            .into_iter()
            .filter(|one| one.command.contains("wharf-launch"))
    };
    guardians().for_each(|guardian| processes::kill(guardian.pid, Signal::STOP));
    let stopped: Vec<u32> = guardians().map(|guardian| guardian.pid).collect();
    assert!(!stopped.is_empty());
    host.kill_server();
    for guardian in stopped {
        processes::kill(guardian, Signal::KILL);
    }
    drop(sync.wait());
    processes::wait_none(&host.mark(), GONE);
    assert!(runtime.exists(), "a killed host cannot clean up");
    let foreign = host.data().join("keep-me.txt");
    fs::write(&foreign, "not ours to remove").expect("a file");
    upstream.behave();
    host.serve();
    wait::until("the sockets of the dead host are gone", GONE, || {
        (!runtime.exists()).then_some(())
    });
    settle(&host);
    assert!(foreign.exists(), "only what carries our mark is removed");
    host.finish();
}

#[test]
fn f48_f155_a_plugin_killed_at_any_moment_costs_one_job_at_most() {
    let mut tree = Tree::of(40, 3000, 85);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    let mut random = Random::new(48);
    for round in 0..rounds() {
        tree.churn(8, round);
        let sync = host.start(&["sync", "tools"]);
        thread::sleep(Duration::from_micros(random.below(60_000)));
        let plugin = format!("{}/plugins/file/", host.mark());
        for process in processes::marked(&plugin) {
            if process.command.contains("wharf-plugin-file")
                && !process.command.contains("wharf-launch")
            {
                processes::kill(process.pid, Signal::KILL);
            }
        }
        let run = sync.wait();
        let code = run.code().split('.').next().unwrap_or_default();
        assert!(
            run.status == 0
                || (run.status == 4 && ["crashed", "launch", "handshake"].contains(&code)),
            "round {round}: {run:#?}"
        );
        assert_eq!(host.get("/health").status, 200, "I4");
    }
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!(run.status, 0, "{run:#?}");
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}
