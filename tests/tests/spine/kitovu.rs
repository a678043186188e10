//! A configuration of kitovu, taken over, and everything brought up to date at once.

use std::fs;

use serde_json::json;
use wharf_tests::Tree;

use crate::instances::school;

/// A file with two subjects of the made-up share.
fn file(tree: &Tree, more: &str) -> String {
    format!(
        "root-dir: {studies}\n\
         global-ignore: [Thumbs.db]\n\
         connections:\n  - name: school\n    plugin: share\n    root: {root}\n    password: school\n\
         subjects:\n  - name: Maths & more\n    sources:\n      - {{connection: school, remote-dir: maths, ignore: ['*.tmp']}}\n  \
         - name: physics\n    sources:\n      - {{connection: school, remote-dir: physics}}\n{more}",
        studies = tree.at("studies").display(),
        root = tree.at("share").display(),
    )
}

#[test]
fn a_configuration_is_taken_over_and_everything_synced_at_once() {
    let mut tree = Tree::empty();
    let mut host = school(&mut tree);
    tree.put("share/maths/Thumbs.db", b"x");
    tree.put("share/maths/deep/draft.tmp", b"x");
    host.serve();
    let yaml = host.folder().join("kitovu.yaml");
    fs::write(&yaml, file(&tree, "")).expect("a file");
    let yaml = yaml.to_str().expect("UTF-8");
    let dry = host.ok(&["kitovu", "import", yaml, "--dry-run"]);
    assert_eq!(dry["plan"]["repositories"].as_array().map(Vec::len), Some(2), "{dry:#}");
    assert_eq!(host.ok(&["instance", "list"])["instances"], json!([]));
    host.ok(&["kitovu", "import", yaml]);
    let first = host.ok(&["sync", "--all"]);
    assert_eq!(
        (&first["totals"]["sync"]["added"], &first["totals"]["folder"]["added"]),
        (&json!(3), &json!(3)),
        "{first:#}"
    );
    let read = |path: &str| fs::read_to_string(tree.at("studies").join(path)).unwrap_or_default();
    assert_eq!(
        (read("Maths & more/deep/b.txt"), read("physics/c.txt")),
        ("two".to_owned(), "three".to_owned())
    );
    assert!(!tree.at("studies/Maths & more/Thumbs.db").exists());
    assert!(!tree.at("studies/Maths & more/deep/draft.tmp").exists());
    // Nothing to do; then one subject fails, and the other goes on.
    let again = host.ok(&["sync", "--all"]);
    assert_eq!(
        (&again["exit"], &again["totals"]["sync"]["bytes"]),
        (&json!(0), &json!(0)),
        "{again:#}"
    );
    fs::remove_dir_all(tree.at("share/physics")).expect("it goes");
    fs::write(tree.at("share/maths/new.txt"), "new").expect("a file");
    let dry = host.wharf(&["sync", "--all", "--dry-run"]);
    assert_eq!((dry.status, read("Maths & more/new.txt")), (1, String::new()), "{dry:#?}");
    let run = host.wharf(&["sync", "--all"]);
    assert_eq!((run.status, &run.json["trouble"]), (1, &json!(["physics"])), "{run:#?}");
    assert_eq!(
        (read("Maths & more/new.txt"), read("physics/c.txt")),
        ("new".to_owned(), "three".to_owned())
    );
    // The same file again changes nothing.
    host.ok(&["kitovu", "import", yaml]);
    assert_eq!(host.ok(&["repo", "list"])["repositories"].as_array().map(Vec::len), Some(2));
    host.finish();
}

#[test]
fn all_that_is_wrong_with_a_file_is_told_at_once_with_its_places() {
    let tree = Tree::empty();
    let host = wharf_tests::TestHost::new();
    let yaml = host.folder().join("kitovu.yaml");
    let wrong = file(&tree, "colour: red\n")
        .replace("connection: school, remote-dir: physics", "connection: scool");
    fs::write(&yaml, wrong).expect("a file");
    let yaml = yaml.to_str().expect("UTF-8");
    let run = host.wharf(&["kitovu", "validate", yaml]);
    assert_eq!((run.status, run.json["errors"].as_array().map(Vec::len)), (2, Some(3)), "{run:#?}");
    let places: Vec<_> = run.json["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|error| error["line"].clone())
        .collect();
    assert_eq!(places, [14, 14, 15], "{run:#?}");
    let refused = host.wharf(&["kitovu", "import", yaml]);
    refused.ended(2, "usage").says(&["scool", "colour", "remote-dir"]);
    assert!(!refused.words().contains("1b"), "no escapes: {refused:#?}");
    fs::write(yaml, file(&tree, "")).expect("a file");
    host.ok(&["kitovu", "validate", yaml]);
    host.finish();
}
