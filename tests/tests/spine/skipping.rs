//! What is not done again, and why it is when it is: syncs that look at everything, publishes that are skipped,
//! settings for one run, distributors that come after others.

use serde_json::{Value, json};
use wharf_tests::invariants::{files, published};
use wharf_tests::{TestHost, Tree, Upstream};

use crate::{mirror, url};

/// Why a sync looked at everything, as its log says; empty: it did not.
fn reasons(host: &TestHost, job: &Value) -> String {
    let id = job["job"].to_string();
    let log = host.wharf(&["job", "logs", &id, "--output", "text"]).stdout;
    let line = log.lines().find_map(|line| line.split_once("everything is looked at: "));
    line.map(|(_before, reasons)| reasons.trim().to_owned()).unwrap_or_default()
}

#[test]
fn a_sync_says_why_it_looks_at_everything() {
    let mut tree = Tree::of(6, 200, 31);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    let sync = |further: &[&str]| {
        let arguments: Vec<&str> = ["sync", "tools"].iter().chain(further).copied().collect();
        reasons(&host, &host.ok(&arguments))
    };
    assert_eq!(sync(&[]), "first");
    assert_eq!(sync(&[]), "");
    assert_eq!(sync(&["--full"]), "asked");
    assert_eq!(sync(&[]), "", "having been asked once is no reason later");
    assert_eq!(sync(&["--set", "concurrency=2"]), "settings");
    assert_eq!(sync(&["--set", "concurrency=2"]), "");
    assert_eq!(sync(&[]), "settings", "the run before had another setting");
    assert_eq!(sync(&["--set", "policy=on_demand"]), "policy");
    let url = url(&upstream);
    host.attach("tools", "file.importer", &[&url, "policy=on_demand"]);
    assert_eq!(sync(&[]), "");
    host.attach("tools", "file.importer", &[&url, "mode=additive"]);
    assert_eq!(sync(&[]), "settings, policy");
    tree.churn(2, 1);
    assert_eq!(sync(&[]), "");
    host.finish();
}

#[test]
fn a_setting_for_one_run_is_checked_and_then_forgotten() {
    let tree = Tree::of(5, 200, 32);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &["policy=on_demand"]);
    host.wharf(&["sync", "tools", "--set", "polici=immediate"])
        .ended(2, "usage")
        .says(&["polici", "no such setting"]);
    host.wharf(&["sync", "tools", "--set", "concurrency=many"]).ended(2, "usage").says(&["many"]);
    host.ok(&["sync", "tools"]);
    assert!(files(&host.data().join("blobs")).is_empty(), "on demand means nothing yet");
    host.ok(&["sync", "tools", "--set", "policy=immediate"]);
    assert_eq!(files(&host.data().join("blobs")).len(), 5, "this run brought the bytes");
    let shown = host.ok(&["repo", "show", "tools"]);
    assert_eq!(shown["attachments"][0]["settings"]["policy"], "on_demand", "{shown:#}");
    host.wharf(&["publish", "tools", "--set", "path=elsewhere"])
        .ended(2, "usage")
        .says(&["path", "attach again"]);
    host.finish();
}

#[test]
fn a_publish_is_skipped_when_nothing_is_different_and_says_so() {
    let mut tree = Tree::of(5, 100, 33);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    let publish = |further: &[&str]| {
        let arguments: Vec<&str> = ["publish", "tools"].iter().chain(further).copied().collect();
        let job = host.ok(&arguments);
        assert_eq!(job["state"], "succeeded", "{job:#}");
        (job["changed"] == true, job["skipped_because"].as_str().unwrap_or_default().to_owned())
    };
    let last =
        || host.ok(&["repo", "show", "tools"])["attachments"][1]["last"]["finished_ms"].as_i64();
    let skipped = "version 1 is published with these settings".to_owned();
    assert_eq!(publish(&[]), (true, String::new()));
    let before = last();
    assert_eq!(publish(&[]), (false, skipped.clone()));
    assert!(last() > before, "a run that was skipped is a run");
    assert_eq!(publish(&["--full"]), (true, String::new()));
    assert_eq!(publish(&[]), (false, skipped.clone()));
    assert_eq!(publish(&["--set", "manifest=MANIFEST"]), (true, String::new()));
    assert!(publish(&["--set", "manifest=MANIFEST"]).1.contains("version 1"), "the same override");
    assert_eq!(publish(&[]), (true, String::new()), "the override is gone");
    host.attach("tools", "file.distributor", &["sha256sums=false"]);
    assert_eq!(publish(&[]), (true, String::new()), "settings");
    host.attach("tools", "file.distributor", &[]);
    tree.churn(1, 2);
    host.ok(&["sync", "tools"]);
    assert_eq!(publish(&[]), (true, String::new()), "content");
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

#[test]
fn a_distributor_publishes_what_the_one_before_it_has_published() {
    let mut tree = Tree::of(5, 100, 34);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &["auto_publish=true"]);
    for (settings, words) in [
        ("after=file.importer", "no distributor"),
        ("after=deb.distributor", "no distributor"),
        ("after=file.distributor@late", "after itself"),
    ] {
        let set = ["path=late", settings];
        host.wharf(&["attach", "tools", "file.distributor@late", "--set", set[0], "--set", set[1]])
            .ended(2, "usage")
            .says(&[words]);
    }
    // Attached first, yet published last.
    host.ok(&["detach", "tools", "file.distributor"]);
    host.attach("tools", "file.distributor@late", &["path=late"]);
    host.attach("tools", "file.distributor", &[]);
    host.attach("tools", "file.distributor@late", &["path=late", "after=file.distributor"]);
    host.wharf(&["attach", "tools", "file.distributor", "--set", "after=file.distributor@late"])
        .ended(2, "usage")
        .says(&["after itself"]);
    let through = ["publish", "tools", "--through", "file.distributor@late"];
    let early = host.ok(&through);
    assert_eq!(early["skipped_because"], "file.distributor has published nothing yet", "{early:#}");
    host.ok(&["sync", "tools"]);
    both_published(&host, &tree);
    tree.churn(2, 3);
    host.ok(&["sync", "tools"]);
    both_published(&host, &tree);
    let again = host.ok(&through);
    assert_eq!(again["skipped_because"], "file.distributor has published nothing since");
    host.ok(&["publish", "tools", "--through", "file.distributor", "--version", "1"]);
    let back = host.ok(&through);
    assert_eq!((&back["changed"], &back["version"]), (&json!(true), &json!(1)), "{back:#}");
    host.finish();
}

fn both_published(host: &TestHost, tree: &Tree) {
    wharf_tests::wait::until("both are published", wharf_tests::wait::PATIENCE, || {
        let good = ["tools", "late"].iter().all(|path| {
            let answer = host.get(&format!("/content/{path}/PULP_MANIFEST"));
            answer.status == 200 && answer.text() == tree.manifest()
        });
        good.then_some(())
    });
    for path in ["tools", "late"] {
        assert_eq!(published(host, path), tree.digests());
    }
}

#[test]
fn a_refused_path_names_both_repositories() {
    let host = TestHost::new();
    host.repository("one", &[("file.distributor", &["path=public/tools"])]);
    host.repository("two", &[]);
    for path in ["public/tools", "public", "public/tools/below"] {
        let set = format!("path={path}");
        host.wharf(&["attach", "two", "file.distributor", "--set", &set])
            .ended(2, "conflict")
            .says(&[path, "public/tools", "file.distributor of repository one"]);
    }
    // Of one repository too, and by the name that a repository lends.
    host.wharf(&["attach", "one", "file.distributor@b", "--set", "path=public/tools/b"])
        .ended(2, "conflict");
    host.ok(&["repo", "create", "public"]);
    host.wharf(&["attach", "public", "file.distributor"]).ended(2, "conflict");
    host.attach("one", "file.distributor", &["path=public/tools"]);
    host.finish();
}
