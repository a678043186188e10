//! The hello plugin: a list becomes units, and a second run brings what was added.

use serde_json::json;
use wharf_tests::{TestHost, Tree, Upstream};

crate::in_every_language!(a_unit_of_every_line);

fn a_unit_of_every_line(language: &str) {
    let host = TestHost::new();
    host.install_example(language, "hello");
    let tree = Tree::empty();
    let list = tree.folder().join("list");
    std::fs::write(&list, "hello\ngood morning\n").expect("a file");
    let upstream = Upstream::of(tree.folder());
    let url = format!("url={}", upstream.url("list"));
    host.repository("words", &[("hello.importer", &[&url])]);
    let first = host.ok(&["sync", "words"]);
    assert_eq!((&first["added"], &first["version"]), (&json!(2), &json!(1)), "{first:#}");
    std::fs::write(&list, "hello\ngood evening\nwelcome\n").expect("a file");
    let second = host.ok(&["sync", "words"]);
    let counts = (&second["added"], &second["removed"], &second["unchanged"]);
    assert_eq!(counts, (&json!(2), &json!(1), &json!(1)), "{second:#}");
    // A source that is not there is an error of the outside world, in the words of the host.
    std::fs::remove_file(&list).expect("it was there");
    host.wharf(&["sync", "words"]).ended(1, "source").says(&["list", "404"]);
    host.finish();
}
