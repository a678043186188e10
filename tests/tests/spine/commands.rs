//! The command line: one command for a mirror, the demo, exit statuses, words for people and objects for programs.

use std::fs;
use std::path::Path;

use serde_json::json;
use wharf_tests::invariants::published;
use wharf_tests::{TestHost, Tree, Trick, Upstream};

use crate::{mirror, url};

#[test]
fn mirror_does_everything_in_one_go_and_again() {
    let mut tree = Tree::of(10, 300, 41);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    let from = upstream.url("PULP_MANIFEST");
    let first = host.ok(&["mirror", "file", "tools", "--from", &from]);
    assert_eq!((&first["state"], &first["added"]), (&json!("succeeded"), &json!(10)), "{first:#}");
    let again = host.ok(&["mirror", "file", "tools", "--from", &from]);
    assert_eq!((&again["added"], &again["version"]), (&json!(0), &json!(1)), "{again:#}");
    tree.churn(5, 1);
    host.ok(&["mirror", "file", "tools", "--from", &upstream.url("")]);
    host.serve();
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

// F150
#[test]
fn a_command_whose_log_nobody_reads_ends_as_always() {
    let tree = Tree::of(10, 300, 40);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    let wharf = wharf_tests::wharf::program("wharf").display().to_string();
    let script = "set -o pipefail; \"$0\" -vvv sync tools 2>&1 >/dev/null | head -c 1 >/dev/null";
    let run = host.start_program(Path::new("/bin/bash"), &["-c", script, &wharf]).wait();
    assert_eq!(run.status, 0, "{run:#?}");
    host.finish();
}

#[test]
fn mirror_takes_a_folder_too() {
    let tree = Tree::of(10, 300, 42);
    tree.remove_manifest();
    let mut host = TestHost::new();
    let folder = tree.folder().display().to_string();
    let first = host.ok(&["mirror", "file", "photos", "--from", &folder]);
    assert_eq!(first["state"], "succeeded", "{first:#}");
    host.serve();
    assert_eq!(published(&host, "photos"), tree.digests());
    host.finish();
}

#[test]
fn the_demo_shows_everything_and_leaves_nothing() {
    let tree = Tree::of(25, 2000, 43);
    let host = TestHost::new();
    tree.remove_manifest();
    let run = host.wharf(&["--output", "text", "demo", &tree.folder().display().to_string()]);
    assert_eq!(run.status, 0, "{run:#?}");
    for word in ["25", "process", "TLS", "http://127.0.0.1"] {
        assert!(run.stdout.contains(word), "\"{word}\" is missing in: {}", run.stdout);
    }
    let left: Vec<_> = fs::read_dir(host.temporary()).expect("it is there").flatten().collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    assert!(!host.data().exists(), "the demo has a data folder of its own");
    host.finish();
}

#[test]
fn the_demo_takes_an_address() {
    let tree = Tree::of(5, 500, 44);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    host.ok(&["demo", &upstream.url("PULP_MANIFEST")]);
    host.finish();
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_to_do() {
    let host = TestHost::new();
    assert_eq!(host.wharf(&["frobnicate"]).status, 2);
    host.wharf(&["repo", "show", "nope"]).ended(2, "not_found").says(&["nope"]);
    host.wharf(&["sync", "nope"]).ended(2, "not_found");
    host.wharf(&["repo", "create", "../up"]).ended(2, "usage");
    host.ok(&["repo", "create", "tools"]);
    host.wharf(&["repo", "create", "tools"]).ended(2, "conflict").says(&["tools"]);
    host.wharf(&["attach", "tools", "nope.importer"]).ended(2, "not_found").says(&["nope"]);
    host.wharf(&["attach", "tools", "file.nope"]).ended(2, "not_found").says(&["nope"]);
    host.wharf(&["sync", "tools"]).ended(2, "not_found").says(&["importer"]);
    let attach =
        |setting: &str| host.wharf(&["attach", "tools", "file.importer", "--set", setting]);
    attach("urll=http://127.0.0.1/x").ended(2, "usage").says(&["urll"]);
    attach("url=ftp://127.0.0.1/x").ended(2, "usage").says(&["url"]);
    let url = "url=http://127.0.0.1:1/PULP_MANIFEST";
    let policy = host.wharf(&[
        "attach",
        "tools",
        "file.importer",
        "--set",
        url,
        "--set",
        "policy=sometimes",
    ]);
    policy.ended(2, "usage").says(&["policy", "on_demand"]);
    host.finish();
}

#[test]
fn an_unreachable_upstream_ends_with_1_and_names_it() {
    let host = TestHost::new();
    host.repository("tools", &[("file.importer", &["url=http://127.0.0.1:1/PULP_MANIFEST"])]);
    let run = host.wharf(&["sync", "tools"]);
    run.ended(1, "source").says(&["127.0.0.1:1"]);
    assert_eq!((&run.json["state"], run.class()), (&json!("failed"), "operation"));
    host.finish();
}

#[test]
fn a_missing_file_ends_with_3_and_the_rest_is_there() {
    let tree = Tree::of(10, 300, 45);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    upstream.always("d000/f00003.bin", Trick::Status(404, Vec::new()));
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!((run.status, &run.json["state"]), (3, &json!("partial")), "{run:#?}");
    assert_eq!((&run.json["failed"], &run.json["added"]), (&json!(1), &json!(9)), "{run:#?}");
    let item = &run.json["items"][0];
    assert!(item["key"].as_str().is_some_and(|key| key.contains("f00003")), "{item:#}");
    upstream.behave();
    let again = host.ok(&["sync", "tools"]);
    assert_eq!(
        (&again["added"], &again["failed"]),
        (&json!(1), &json!(0)),
        "F113: the rest comes later: {again:#}"
    );
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

#[test]
fn on_file_error_fail_ends_the_job_and_changes_nothing() {
    let tree = Tree::of(10, 300, 46);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &["on_file_error=fail"]);
    upstream.always("d000/f00003.bin", Trick::Status(404, Vec::new()));
    host.wharf(&["sync", "tools"]).ended(1, "source").says(&["f00003"]);
    assert_eq!(host.ok(&["repo", "show", "tools"])["version"], 0);
    host.finish();
}

#[test]
fn people_get_words_and_no_colours_in_a_pipe() {
    let tree = Tree::of(10, 300, 47);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    let run = host.wharf(&["--output", "text", "sync", "tools"]);
    assert_eq!(run.status, 0, "{run:#?}");
    assert!(run.stdout.contains("10") && run.stdout.contains("tools"), "{}", run.stdout);
    assert!(!run.stdout.contains('\x1b') && !run.stdout.contains('\r'), "{:?}", run.stdout);
    assert!(!run.stderr.contains('\x1b'), "{:?}", run.stderr);
    let quiet = host.wharf(&["--output", "text", "--quiet", "sync", "tools"]);
    assert_eq!((quiet.status, quiet.stdout.as_str()), (0, ""), "{quiet:#?}");
    host.finish();
}

#[test]
fn repositories_come_and_go() {
    let tree = Tree::of(5, 300, 48);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    let list = host.ok(&["repo", "list"]);
    assert_eq!(list["repositories"][0]["name"], "tools", "{list:#}");
    let shown = host.ok(&["repo", "show", "tools"]);
    assert_eq!((&shown["version"], &shown["units"]), (&json!(1), &json!(5)), "{shown:#}");
    assert_eq!(shown["attachments"].as_array().map(Vec::len), Some(2), "{shown:#}");
    let url = url(&upstream);
    host.ok(&["detach", "tools", "file.importer"]);
    assert_eq!(
        host.ok(&["repo", "show", "tools"])["attachments"].as_array().map(Vec::len),
        Some(1)
    );
    host.attach("tools", "file.importer", &[&url]);
    host.ok(&["repo", "delete", "tools"]);
    assert_eq!(host.get("/content/tools/PULP_MANIFEST").status, 404);
    host.wharf(&["repo", "show", "tools"]).ended(2, "not_found");
    mirror(&host, &upstream, &[]);
    assert_eq!(host.ok(&["sync", "tools"])["version"], 1, "a new one with an old name begins anew");
    host.finish();
}
