//! Publications: old or new, never a mixture; back to an older version; after every sync.

use serde_json::json;
use wharf_tests::invariants::published;
use wharf_tests::{TestHost, Tree, Upstream};

use crate::mirror;

#[test]
fn a_published_version_stands_until_the_next_one_and_can_come_back() {
    let mut tree = Tree::of(20, 800, 11);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    let job = host.ok(&["publish", "tools"]);
    assert_eq!((&job["state"], &job["version"]), (&json!("succeeded"), &json!(1)), "{job:#}");
    let first = tree.digests();
    assert_eq!(published(&host, "tools"), first);
    tree.churn(5, 1);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    let back = host.ok(&["publish", "tools", "--version", "1"]);
    assert_eq!(back["version"], 1, "{back:#}");
    assert_eq!(published(&host, "tools"), first);
    let log = host.wharf(&["job", "logs", &back["job"].to_string()]).stdout;
    assert!(log.contains("fresh entry points only"), "its tree was still here: {log}");
    let whole = host.ok(&["publish", "tools", "--version", "2", "--full"]);
    let log = host.wharf(&["job", "logs", &whole["job"].to_string()]).stdout;
    assert!(!log.contains("fresh entry points only"), "{log}");
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

#[test]
fn publishing_what_is_published_changes_nothing() {
    let tree = Tree::of(5, 100, 12);
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    assert_eq!(host.ok(&["publish", "tools"])["changed"], true);
    let again = host.ok(&["publish", "tools"]);
    assert_eq!(
        (&again["state"], &again["changed"]),
        (&json!("succeeded"), &json!(false)),
        "{again:#}"
    );
    host.finish();
}

#[test]
fn auto_publish_follows_a_sync_that_changed_something() {
    let mut tree = Tree::of(5, 100, 13);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &["auto_publish=true"]);
    host.ok(&["sync", "tools"]);
    wait_published(&host, &tree);
    tree.churn(2, 1);
    host.ok(&["sync", "tools"]);
    wait_published(&host, &tree);
    host.finish();
}

fn wait_published(host: &TestHost, tree: &Tree) {
    wharf_tests::wait::until("the new version is published", wharf_tests::wait::PATIENCE, || {
        let answer = host.get("/content/tools/PULP_MANIFEST");
        (answer.status == 200 && answer.text() == tree.manifest()).then_some(())
    });
    assert_eq!(published(host, "tools"), tree.digests());
}

#[test]
fn a_path_belongs_to_one_distributor() {
    let host = TestHost::new();
    host.repository("one", &[("file.distributor", &["path=public/tools"])]);
    host.repository("two", &[]);
    for path in ["path=public/tools", "path=public", "path=public/tools/below"] {
        let run = host.wharf(&["attach", "two", "file.distributor", "--set", path]);
        run.ended(2, "conflict");
    }
    host.attach("two", "file.distributor", &["path=public/tools2"]);
    host.finish();
}

#[test]
fn an_empty_version_can_be_published() {
    let tree = Tree::empty();
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    assert!(published(&host, "tools").is_empty());
    host.finish();
}
