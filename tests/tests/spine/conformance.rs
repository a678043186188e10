//! `wharf plugin verify` and `wharf plugin testbed`: good plugins reach every level, and each fault of a bad one fails the
//! cases that it should, and no others.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use wharf_tests::{TestHost, http, wait};

/// A verification of an installed plugin, as an object.
fn verify(host: &TestHost, name: &str, more: &[&str]) -> (i32, Value) {
    let folder = host.plugins().join(name);
    let folder = folder.to_str().expect("a path of ours");
    let run = host.wharf(&[&["plugin", "verify", folder], more].concat());
    (run.status, run.json["verify"].clone())
}

/// The names of what did not pass, with what it is of.
fn failed(report: &Value) -> Vec<String> {
    let rows = report["cases"].as_array().expect("rows").iter();
    let failed = rows.filter(|row| row["outcome"] == "failed");
    failed
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default();
            assert!(!text("reason").is_empty() && !text("hint").is_empty(), "{row:#}");
            format!("{} {}", text("case"), text("of")).trim_end().to_owned()
        })
        .collect()
}

fn reaches_robust(name: &str) {
    let host = TestHost::new();
    host.install(name);
    let (status, report) = verify(&host, name, &[]);
    assert_eq!(failed(&report), [""; 0], "{report:#}");
    assert_eq!((status, &report["reached"]), (0, &json!("robust")), "{report:#}");
    assert_eq!(report["totals"]["skipped"], 0, "its samples leave nothing out: {report:#}");
    host.finish();
}

#[test]
fn the_hello_example_reaches_robust() {
    reaches_robust("hello");
}

#[test]
fn the_file_plugin_reaches_robust() {
    reaches_robust("file");
}

#[test]
fn the_deb_plugin_reaches_robust() {
    reaches_robust("deb");
}

#[test]
fn the_pypi_plugin_reaches_robust() {
    reaches_robust("pypi");
}

/// What can be told from one call of each operation.
const OF_CALLS: &[&str] = &[
    "--only=operation.works",
    "--only=stream.closing",
    "--only=stream.batches",
    "--only=stream.kinds",
    "--only=stream.units",
    "--only=stream.paths",
    "--only=stream.progress",
    "--only=ready.reasons",
    "--only=reissue.entry-points",
    "--only=unpublish.identifier",
    "--only=client-config.named",
];

// F30, F39, F40, F41, F48, F65, F67, F98, F100
#[test]
fn each_fault_of_a_call_fails_its_own_case_and_no_other() {
    let host = TestHost::with_misbehave();
    assert_eq!(failed(&verify(&host, "misbehave", OF_CALLS).1), [""; 0], "it can do without");
    for (settings, case) in [
        (&["importer.fault=no-result"][..], "stream.closing importer.sync"),
        (&["importer.fault=two-results"], "stream.closing importer.sync"),
        (&["importer.fault=after-result"], "stream.closing importer.sync"),
        (&["importer.units=1500", "importer.batch=1500"], "stream.batches importer.sync"),
        (&["importer.fault=unknown-type"], "stream.units importer.sync"),
        (&["importer.fault=bad-key"], "stream.units importer.sync"),
        (&["importer.fault=key-no-json"], "stream.units importer.sync"),
        (&["importer.fault=hostile-path"], "stream.paths importer.sync"),
        (&["importer.fault=progress-nonsense"], "stream.progress importer.sync"),
        (&["importer.fault=status"], "operation.works importer.sync"),
        (&["importer.fault=crash"], "operation.works importer.sync"),
        (&["importer.fault=cut"], "operation.works importer.sync"),
        (&["distributor.fault=no-result"], "stream.closing distributor.publish"),
        (&["distributor.fault=hostile-path"], "stream.paths distributor.publish"),
        (&["distributor.fault=doubled"], "stream.paths distributor.publish"),
        (&["distributor.fault=stale-entry"], "reissue.entry-points distributor.reissue"),
        (&["distributor.fault=nameless-file"], "client-config.named distributor"),
        (&["importer.fault=wordless"], "ready.reasons importer"),
    ] {
        let set: Vec<&str> = settings.iter().flat_map(|setting| ["--set", *setting]).collect();
        let (status, report) = verify(&host, "misbehave", &[OF_CALLS, &set].concat());
        assert_eq!(failed(&report), [case], "{settings:?}: {report:#}");
        assert_eq!((status, &report["reached"]), (1, &json!("speaks")), "{settings:?}");
    }
    host.finish();
}

// F25
#[test]
fn each_fault_of_a_process_fails_its_own_case_and_no_other() {
    let host = TestHost::new();
    let only = [
        "--only=handshake.by-hand",
        "--only=describe.manifest",
        "--only=stop.shutdown",
        "--only=stop.sigterm",
        "--only=stop.sigint",
        "--only=outlive.host",
    ];
    for (mode, cases) in [
        ("", &[][..]),
        ("mute", &["handshake.by-hand"]),
        ("other-version", &["describe.manifest"]),
        ("interruptible", &["stop.sigint"]),
        ("orphan", &["outlive.host"]),
    ] {
        host.install_with("misbehave", |manifest| manifest["env"]["MISBEHAVE"] = json!(mode));
        let (_status, report) = verify(&host, "misbehave", &only);
        assert_eq!(failed(&report), cases, "{mode}: {report:#}");
    }
    host.finish();
}

#[test]
fn each_fault_of_a_hook_or_of_a_push_fails_its_own_case_and_no_other() {
    let host = TestHost::new();
    let hooks = ["--only=hook.decides", "--only=hook.unsubscribed"];
    for (mode, subscribes, only, cases) in [
        ("", false, &hooks[..], &[][..]),
        ("undecided", false, &hooks, &["hook.unsubscribed"]),
        ("undecided", true, &hooks, &["hook.decides importer"]),
        ("fuse", true, &["--only=hook.cancelled"], &["hook.cancelled importer"]),
        (
            "fragile",
            false,
            &["--only=ready.absurd"],
            &["ready.absurd importer", "ready.absurd lister", "ready.absurd distributor"],
        ),
    ] {
        host.install_with("misbehave", |manifest| {
            manifest["env"]["MISBEHAVE"] = json!(mode);
            if subscribes {
                manifest["components"][0]["hooks"] = json!([{ "on": "before:sync" }]);
            }
        });
        let (_status, report) = verify(&host, "misbehave", only);
        assert_eq!(failed(&report), cases, "{mode}: {report:#}");
    }
    host.install_with("misbehave", |manifest| {
        manifest["components"][2]["operations"] = json!(["publish", "unpublish"]);
    });
    let push = [OF_CALLS, &["--set=distributor.fault=anonymous-push"]].concat();
    let (_status, report) = verify(&host, "misbehave", &push);
    assert_eq!(failed(&report), ["unpublish.identifier distributor.unpublish"], "{report:#}");
    host.finish();
}

#[test]
fn a_plugin_that_does_not_go_fails_the_stop_of_a_busy_process_only() {
    let host = TestHost::with_misbehave();
    let more = ["--only=stop.shutdown", "--only=stop.busy", "--set=importer.fault=stubborn"];
    let (status, report) = verify(&host, "misbehave", &more);
    assert_eq!((status, failed(&report)), (1, vec!["stop.busy importer.sync".to_owned()]));
    host.finish();
}

// F8, F11, F12
#[test]
fn a_wrong_handshake_reaches_no_level_and_is_told_with_a_hint() {
    let host = TestHost::new();
    for (fault, says) in [("silent", "ended"), ("banner", "Welcome"), ("few", "handshake")] {
        host.install_handshake(&[fault]);
        let more = ["--only=handshake.line", "--level=speaks"];
        let (status, report) = verify(&host, "handshake", &more);
        assert_eq!((status, &report["reached"]), (1, &Value::Null), "{report:#}");
        let reason = report["cases"][0]["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(says), "{fault}: {reason}");
    }
    host.finish();
}

#[test]
fn what_nobody_gave_is_skipped_and_told_how_to_give() {
    let host = TestHost::new();
    host.install("hello");
    fs::remove_file(host.plugins().join("hello/verify.json")).expect("it was installed");
    let only = "--only=operation.works";
    let (status, report) = verify(&host, "hello", &[only]);
    let row = &report["cases"][0];
    assert_eq!((status, &row["outcome"]), (0, &json!("skipped")), "{report:#}");
    assert!(
        row["hint"].as_str().is_some_and(|hint| hint.contains("--set importer.url=")),
        "{row:#}"
    );
    let wrong = ["--set", "importer.url=http://upstream.test/none", only];
    let (status, report) = verify(&host, "hello", &wrong);
    assert_eq!((status, failed(&report)), (1, vec!["operation.works importer.sync".to_owned()]));
    host.finish();
}

#[test]
fn reports_are_written_for_people_programs_and_build_servers() {
    let host = TestHost::new();
    host.install("hello");
    let folder = host.plugins().join("hello").display().to_string();
    let file = host.folder().join("report.xml").display().to_string();
    let quick = ["--level", "speaks", "--only", "describe.manifest", "--junit", &file];
    let run =
        host.wharf(&[&["--output", "text", "plugin", "verify", &folder], &quick[..]].concat());
    assert_eq!(run.status, 0, "{run:#?}");
    assert!(
        run.stdout.contains("describe.manifest") && run.stdout.contains("reaches level speaks")
    );
    let xml = fs::read_to_string(&file).expect("it was written");
    assert!(
        xml.contains("<testcase classname=\"hello.speaks\" name=\"describe.manifest\""),
        "{xml}"
    );
    let list = host.ok(&["plugin", "verify", "--list"]);
    assert!(list["cases"].as_array().is_some_and(|cases| cases.len() > 40), "{list:#}");
    host.wharf(&["plugin", "verify", &folder, "--only", "no.case"]).ended(2, "usage");
    host.wharf(&["plugin", "verify", "/proc"]).ended(2, "usage");
    host.finish();
}

#[test]
fn the_testbed_tells_its_address_and_misbehaves_until_it_is_stopped() {
    let host = TestHost::new();
    let testbed = host.start(&["--output", "text", "plugin", "testbed"]);
    let address = wait::until("its address", wait::PATIENCE, || {
        let said = testbed.stdout();
        Some(said.split_once("http://")?.1.split_once('/')?.0.to_owned())
    });
    let get = |path: &str| http::get(&address, path, &[]).expect("an answer");
    assert!(get("/").text().contains("truncate"));
    let good = get("/good/list.txt").text();
    assert_eq!(get("/wrong-bytes/list.txt").text().len(), good.len());
    let cut = get("/truncate/list.txt");
    assert_eq!((cut.text().len(), cut.whole), (64, false));
    let statuses = [(); 3].map(|()| get("/busy/2/list.txt").status);
    assert_eq!(statuses, [429, 429, 200]);
    assert_eq!(get("/circle/list.txt").header("location"), Some("/circle/list.txt"));
    testbed.signal(Signal::INT);
    let ended = testbed.wait();
    assert_eq!(ended.status, 0, "{ended:#?}");
    assert!(ended.took < Duration::from_mins(1));
    host.finish();
}
