//! The engine inside a program of someone's own, without a server and without `wharf`.

use std::path::Path;

use wharf_tests::invariants::published;
use wharf_tests::wharf::program;
use wharf_tests::{Run, TestHost, Tree, Upstream};

fn embed(host: &TestHost, url: &str) -> Run {
    let (data, plugins) = (host.data(), host.plugins());
    let arguments = [path(&data), path(&plugins), url];
    host.start_program(&program("examples/embed"), &arguments).wait()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a test's folders are plain")
}

#[test]
fn a_program_of_ones_own_syncs_and_publishes_what_wharf_then_serves() {
    let tree = Tree::of(12, 400, 61);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    let url = upstream.url("PULP_MANIFEST");
    let first = embed(&host, &url);
    assert_eq!(first.status, 0, "{first:#?}");
    assert!(
        first.stdout.contains("sync succeeded: 12 added, version 1. All is well."),
        "{first:#?}"
    );
    let again = embed(&host, &url);
    assert!(again.stdout.contains("sync succeeded: 0 added, version 1."), "{again:#?}");
    host.serve();
    let refused = embed(&host, &url);
    assert_ne!(refused.status, 0, "F88: {refused:#?}");
    assert!(refused.stderr.contains("in use by another host"), "{refused:#?}");
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

#[test]
fn a_program_of_ones_own_learns_why_a_sync_failed() {
    let host = TestHost::new();
    let upstream = Upstream::of(Tree::empty().folder());
    let run = embed(&host, &upstream.url("NO_MANIFEST"));
    assert!(run.stdout.contains("sync failed: 0 added, version 0."), "{run:#?}");
    assert!(run.stdout.contains("NO_MANIFEST"), "{run:#?}");
    host.finish();
}
