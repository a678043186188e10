//! Syncs of a PULP_MANIFEST: first, unchanged, changed, additive, dry, full.

use std::fs;

use serde_json::{Value, json};
use wharf_tests::invariants::{files, published};
use wharf_tests::{TestHost, Tree, Upstream};

use crate::{mirror, url};

/// The numbers of a job.
fn counts(job: &Value) -> Value {
    let pick = |name: &str| job[name].clone();
    json!([pick("state"), pick("added"), pick("removed"), pick("failed"), pick("version")])
}

#[test]
fn a_first_sync_brings_everything_and_a_second_one_moves_nothing() {
    let tree = Tree::of(30, 3000, 1);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    let first = host.ok(&["sync", "tools"]);
    assert_eq!(counts(&first), json!(["succeeded", 30, 0, 0, 1]), "{first:#}");
    let manifest = fs::metadata(tree.at("PULP_MANIFEST")).expect("it is there").len();
    assert_eq!(first["bytes"], tree.bytes() + manifest, "{first:#}");
    assert!(first["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{first:#}");
    assert_eq!(first["plugin"]["tls"], true, "{first:#}");
    upstream.forget();
    let second = host.ok(&["sync", "tools"]);
    assert_eq!(counts(&second), json!(["succeeded", 0, 0, 0, 1]), "{second:#}");
    assert_eq!((&second["changed"], &second["unchanged"]), (&json!(false), &json!(30)));
    assert_eq!(
        upstream.total(),
        1,
        "an unchanged upstream costs one request: {:#?}",
        upstream.seen()
    );
    host.finish();
}

#[test]
fn a_changed_upstream_makes_a_version_with_exactly_the_difference() {
    let mut tree = Tree::of(30, 3000, 2);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    let before = tree.digests();
    let moved = tree.churn(10, 7) as u64;
    upstream.forget();
    let second = host.ok(&["sync", "tools"]);
    assert_eq!(counts(&second), json!(["succeeded", 2 * moved, 2 * moved, 0, 2]), "{second:#}");
    assert_eq!(upstream.total() as u64, 1 + 2 * moved, "only the new bytes are fetched");
    assert_eq!(published(&host, "tools"), before, "I1: a sync alone publishes nothing");
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    let versions = host.ok(&["repo", "versions", "tools"]);
    let last = &versions["versions"][0];
    assert_eq!(
        (&last["number"], &last["units"], &last["added"]),
        (&json!(2), &json!(30), &json!(2 * moved))
    );
    let diff = host.ok(&["repo", "diff", "tools"]);
    assert_eq!((&diff["added"], &diff["removed"]), (&json!(2 * moved), &json!(2 * moved)));
    let entries = diff["entries"].as_array().expect("a list");
    assert!(
        entries
            .iter()
            .all(|entry| entry["type"] == "file" && entry["key"]["relative_path"].is_string())
    );
    host.finish();
}

#[test]
fn additive_mode_takes_nothing_out() {
    let mut tree = Tree::of(20, 500, 3);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &["mode=additive"]);
    host.ok(&["sync", "tools"]);
    let moved = tree.churn(10, 8) as u64;
    let second = host.ok(&["sync", "tools"]);
    // The changed ones replace what lay in their places; the removed ones stay.
    assert_eq!(counts(&second), json!(["succeeded", 2 * moved, moved, 0, 2]), "{second:#}");
    let repository = host.ok(&["repo", "show", "tools"]);
    assert_eq!(repository["units"], 20 + moved);
    host.finish();
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let tree = Tree::of(20, 500, 4);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    let dry = host.ok(&["sync", "tools", "--dry-run"]);
    assert_eq!((&dry["added"], &dry["removed"]), (&json!(20), &json!(0)), "{dry:#}");
    assert_eq!(upstream.total(), 1, "only the manifest is read");
    assert_eq!(host.ok(&["repo", "show", "tools"])["version"], 0);
    assert_eq!(counts(&host.ok(&["sync", "tools"])), json!(["succeeded", 20, 0, 0, 1]));
    host.finish();
}

#[test]
fn a_full_sync_looks_at_everything_and_fetches_nothing_twice() {
    let tree = Tree::of(10, 500, 5);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    upstream.forget();
    let full = host.ok(&["sync", "tools", "--full"]);
    assert_eq!(counts(&full), json!(["succeeded", 0, 0, 0, 1]), "{full:#}");
    assert_eq!(upstream.total(), 1, "{:#?}", upstream.seen());
    host.finish();
}

#[test]
fn changed_settings_are_honoured_though_upstream_says_unchanged() {
    let tree = Tree::of(10, 500, 6);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &["policy=on_demand"]);
    host.ok(&["sync", "tools"]);
    assert_eq!(upstream.total(), 1);
    assert!(files(&host.data().join("blobs")).is_empty(), "on demand means nothing yet");
    let url = url(&upstream);
    host.attach("tools", "file.importer", &[&url, "policy=immediate"]);
    let second = host.ok(&["sync", "tools"]);
    assert_eq!(second["failed"], 0, "{second:#}");
    assert_eq!(files(&host.data().join("blobs")).len(), 10, "now the bytes are here: {second:#}");
    host.finish();
}

#[test]
fn awkward_names_and_empty_files_come_through() {
    let mut tree = Tree::empty();
    let names = [
        "a b.txt",
        "100%.txt",
        "1+1=2.txt",
        "a#b.txt",
        "what?.txt",
        "ä/ö ü.txt",
        "a,b,c.txt",
        "semi;colon&amp.txt",
        "quo'te.txt",
        "[x]{y}.txt",
        "~tilde/.hidden",
        "empty",
    ];
    for (number, name) in names.into_iter().enumerate() {
        let text = format!("{number} {name}\n");
        tree.put(name, if name == "empty" { b"" } else { text.as_bytes() });
    }
    tree.write_manifest();
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    let first = host.ok(&["sync", "tools"]);
    assert_eq!(counts(&first), json!(["succeeded", names.len(), 0, 0, 1]), "{first:#}");
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

#[test]
fn two_repositories_share_the_bytes_of_equal_files() {
    let tree = Tree::of(10, 500, 9);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    let url = url(&upstream);
    host.repository("other", &[("file.importer", &[&url])]);
    host.ok(&["sync", "tools"]);
    upstream.forget();
    let other = host.ok(&["sync", "other"]);
    assert_eq!(counts(&other), json!(["succeeded", 10, 0, 0, 1]), "{other:#}");
    assert_eq!(upstream.total(), 1, "the bytes are here already");
    assert_eq!(files(&host.data().join("blobs")).len(), 10);
    host.finish();
}
