//! The two styles of importers: the plugin drives (`sync`), or the host does (`list` and `fetch`).

use serde_json::json;
use wharf_tests::invariants::published;
use wharf_tests::{TestHost, Tree};

#[test]
fn a_folder_is_listed_and_fetched_and_only_changes_are_fetched_again() {
    let mut tree = Tree::of(20, 800, 21);
    tree.remove_manifest();
    let mut host = TestHost::new();
    host.serve();
    let path = format!("path={}", tree.folder().display());
    host.repository("photos", &[("file.folder", &[&path]), ("file.distributor", &[])]);
    let first = host.ok(&["sync", "photos"]);
    assert_eq!(first["state"], "succeeded", "{first:#}");
    let second = host.ok(&["sync", "photos"]);
    assert_eq!((&second["changed"], &second["bytes"]), (&json!(false), &json!(0)), "{second:#}");
    let name = tree.paths().first().expect("twenty files").clone();
    tree.put(&name, b"changed, and of another length");
    let third = host.ok(&["sync", "photos"]);
    assert_eq!((&third["added"], &third["removed"]), (&json!(1), &json!(1)), "{third:#}");
    host.ok(&["publish", "photos"]);
    assert_eq!(published(&host, "photos"), tree.digests());
    host.finish();
}

#[test]
fn a_plugin_without_the_sdk_does_the_same() {
    let mut host = TestHost::with_misbehave();
    host.serve();
    for (repository, importer) in [("driven", "misbehave.importer"), ("listed", "misbehave.lister")]
    {
        host.repository(repository, &[(importer, &["units=12"]), ("misbehave.distributor", &[])]);
        let first = host.ok(&["sync", repository]);
        assert_eq!(
            (&first["state"], &first["added"]),
            (&json!("succeeded"), &json!(12)),
            "{first:#}"
        );
        let again = host.ok(&["sync", repository]);
        assert_eq!((&again["changed"], &again["version"]), (&json!(false), &json!(1)), "{again:#}");
        host.ok(&["publish", repository]);
        let file = host.get(&format!("/content/{repository}/d000/u000011.txt"));
        assert_eq!((file.status, file.text().as_str()), (200, "unit 11 of seed 1\n"));
        assert_eq!(host.get(&format!("/content/{repository}/VERSION")).text(), "version 1\n");
    }
    host.finish();
}

#[test]
fn the_forty_lines_of_the_sdks_hello_are_a_whole_importer() {
    let mut list = Tree::empty();
    list.put("greetings.txt", "hello\ngood morning\nmoin\n".as_bytes());
    let host = TestHost::new();
    host.install("hello");
    let url = format!("url=file://{}", list.at("greetings.txt").display());
    host.repository("greetings", &[("hello.importer", &[&url])]);
    let first = host.ok(&["sync", "greetings"]);
    assert_eq!((&first["state"], &first["added"]), (&json!("succeeded"), &json!(3)), "{first:#}");
    list.put("greetings.txt", b"hello\nmoin\nservus\n");
    let second = host.ok(&["sync", "greetings"]);
    assert_eq!((&second["added"], &second["removed"]), (&json!(1), &json!(1)), "{second:#}");
    host.finish();
}

#[test]
fn three_plugins_of_different_styles_fill_one_repository_each_at_the_same_time() {
    let tree = Tree::of(10, 100, 22);
    let mut host = TestHost::with_misbehave();
    host.serve();
    let path = format!("path={}", tree.folder().display());
    host.repository("a", &[("file.folder", &[&path])]);
    host.repository("b", &[("misbehave.importer", &["units=30", "delay_ms=20"])]);
    host.repository("c", &[("misbehave.lister", &["units=30", "delay_ms=20"])]);
    let running: Vec<_> = ["a", "b", "c"].iter().map(|name| host.start(&["sync", name])).collect();
    for run in running {
        let run = run.wait();
        assert_eq!(run.json["state"], "succeeded", "{run:#?}");
    }
    host.finish();
}
