//! Named instances: made once, bound to several repositories, changed in one place.

use serde_json::json;
use wharf_tests::{TestHost, Tree};

/// A host with a share of these files in two folders, whose password is a secret `school`.
pub(crate) fn school(tree: &mut Tree) -> TestHost {
    tree.put("share/.password", b"correct horse\n");
    tree.put("share/maths/a.txt", b"one");
    tree.put("share/maths/deep/b.txt", b"two");
    tree.put("share/physics/c.txt", b"three");
    let host = TestHost::new();
    host.install("share");
    assert_eq!(host.given(b"correct horse\n", &["secret", "set", "school", "-"]).status, 0);
    host
}

/// Makes the instance `school` of the share.
pub(crate) fn make(host: &TestHost, tree: &Tree, more: &[&str]) {
    let root = format!("root={}", tree.folder().join("share").display());
    let mut arguments = vec!["instance", "create", "school", "share.importer"];
    for setting in [root.as_str(), "password=school"].iter().chain(more) {
        arguments.extend(["--set", setting]);
    }
    host.ok(&arguments);
}

#[test]
fn one_instance_serves_many_repositories_and_is_changed_in_one_place() {
    let mut tree = Tree::empty();
    let mut host = school(&mut tree);
    host.serve();
    make(&host, &tree, &[]);
    for subject in ["maths", "physics"] {
        let folder = format!("remote_dir={subject}");
        host.repository(subject, &[("share.importer@school", &[&folder])]);
    }
    let maths = host.ok(&["sync", "maths"]);
    assert_eq!((&maths["added"], &maths["secrets"]["school"]), (&json!(2), &json!(3)), "{maths:#}");
    assert_eq!(host.ok(&["sync", "physics"])["added"], json!(1));
    let shown = host.ok(&["instance", "show", "school"]);
    assert_eq!(shown["used_by"], json!(["maths", "physics"]), "{shown:#}");
    assert_eq!(shown["settings"]["password"], json!("school"));
    // Another share, for all who use it.
    tree.put("other/.password", b"correct horse");
    tree.put("other/maths/z.txt", b"new");
    let other = format!("root={}", tree.folder().join("other").display());
    host.ok(&["instance", "set", "school", "--set", &other]);
    let maths = host.ok(&["sync", "maths"]);
    assert_eq!((&maths["added"], &maths["removed"]), (&json!(1), &json!(2)), "{maths:#}");
    host.wharf(&["instance", "remove", "school"]).ended(2, "conflict").says(&["maths", "detach"]);
    host.ok(&["detach", "maths", "share.importer@school"]);
    host.ok(&["detach", "physics", "share.importer@school"]);
    host.ok(&["instance", "remove", "school"]);
    assert_eq!(host.ok(&["instance", "list"])["instances"], json!([]));
    host.finish();
}

#[test]
fn settings_are_held_against_the_schema_and_checked_by_the_plugin() {
    let mut tree = Tree::empty();
    let mut host = school(&mut tree);
    host.serve();
    let create = |settings: &[&str]| {
        let mut arguments = vec!["instance", "create", "school", "share.importer"];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        host.wharf(&arguments)
    };
    create(&["password=school"]).ended(2, "usage").says(&["root", "must be set"]);
    let root = format!("root={}", tree.folder().join("share").display());
    create(&[&root, "password=school", "hots=x"]).ended(2, "usage").says(&["hots"]);
    create(&[&root, "password=school", "remote_dir=x"]).ended(2, "usage").says(&["remote_dir"]);
    host.repository("maths", &[]);
    let attach = ["attach", "maths", "share.importer@school", "--set", "remote_dir=maths"];
    host.wharf(&attach).ended(2, "not_found").says(&["wharf instance create school"]);
    make(&host, &tree, &[]);
    host.wharf(&["instance", "create", "school", "share.importer"]).ended(2, "conflict");
    host.wharf(&["attach", "maths", "share.importer@school"])
        .ended(2, "usage")
        .says(&["remote_dir"]);
    host.ok(&attach);
    assert_eq!(host.ok(&["instance", "check", "school"])["errors"], json!([]));
    // The server has another password now.
    tree.put("share/.password", b"other");
    let report = host.wharf(&["instance", "check", "school"]);
    assert_eq!(
        (report.status, &report.json["errors"][0]["setting"]),
        (2, &json!("password")),
        "{report:#?}"
    );
    host.finish();
}
