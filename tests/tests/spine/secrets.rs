//! Secrets are handed to the calls that need them and stand nowhere else, whatever a plugin does with them.

use std::path::Path;

use serde_json::json;
use wharf_tests::Tree;

use crate::instances::{make, school};

const VALUE: &str = "correct horse";
/// As it stands in addresses and in base64.
const FORMS: [&str; 4] = [VALUE, "correct%20horse", "correct+horse", "Y29ycmVjdCBob3JzZQ"];

/// Every file below a folder that holds the secret.
pub(crate) fn told_below(folder: &Path) -> Vec<String> {
    let mut told = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            told.extend(told_below(&path));
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).expect("a file");
            let holds = |form: &&str| bytes.windows(form.len()).any(|part| part == form.as_bytes());
            told.extend(
                FORMS
                    .iter()
                    .copied()
                    .find(holds)
                    .map(|form| format!("{form} in {}", path.display())),
            );
        }
    }
    told
}

// F186, F71
#[test]
fn a_secret_that_a_plugin_prints_everywhere_stands_in_no_file_of_the_host() {
    let mut tree = Tree::empty();
    let mut host = school(&mut tree);
    host.serve();
    make(&host, &tree, &["leak=true"]);
    host.repository("maths", &[("share.importer@school", &["remote_dir=maths"])]);
    let good = host.wharf(&["sync", "maths", "-vv"]);
    assert_eq!((good.status, &good.json["state"]), (3, &json!("partial")), "{good:#?}");
    assert_eq!(good.json["summary"]["as"], json!("[secret]"));
    assert_eq!(good.json["secrets"]["school"], json!(3), "{good:#?}");
    let bad = host.wharf(&["sync", "maths", "-vv", "--set", "fail=true"]);
    bad.ended(1, "source").says(&["[secret] was refused"]);
    let job = good.json["job"].to_string();
    host.ok(&["job", "show", &job]);
    host.ok(&["job", "logs", &job]);
    // Wrong from now on: the problem tells the password where the plugin put it.
    tree.put("share/.password", b"other");
    host.wharf(&["sync", "maths"]).ended(2, "unauthorized").says(&["[secret] is wrong"]);
    host.stop_server();
    // Outputs of all commands and of the server lie beside the data.
    assert_eq!(told_below(&host.folder().join("data")), Vec::<String>::new());
    let outputs = std::fs::read_dir(host.folder()).expect("the folder").flatten();
    for output in outputs.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
        let text = std::fs::read_to_string(output.path()).unwrap_or_default();
        assert!(!FORMS.iter().any(|form| text.contains(form)), "{:?}: {text}", output.path());
    }
    host.finish();
}

// F71
#[test]
fn a_job_is_handed_its_own_secrets_and_no_others() {
    let mut tree = Tree::empty();
    let mut host = school(&mut tree);
    assert_eq!(host.given(b"another", &["secret", "set", "other", "-"]).status, 0);
    host.serve();
    make(&host, &tree, &["other=other"]);
    host.repository("maths", &[("share.importer@school", &["remote_dir=maths"])]);
    let run = host.wharf(&["sync", "maths"]);
    assert_ne!(run.status, 0, "{run:#?}");
    run.says(&["handed the secrets that its own settings name"]);
    assert!(run.json["secrets"].get("other").is_none(), "{run:#?}");
    host.finish();
}

// F188
#[test]
fn a_secret_that_is_changed_counts_with_the_next_call() {
    let mut tree = Tree::empty();
    let mut host = school(&mut tree);
    host.serve();
    make(&host, &tree, &[]);
    host.repository("maths", &[("share.importer@school", &["remote_dir=maths"])]);
    host.ok(&["sync", "maths"]);
    tree.put("share/.password", b"battery staple");
    host.wharf(&["sync", "maths"]).ended(2, "unauthorized");
    let test = host.wharf(&["secret", "test", "school"]);
    assert_eq!((test.status, &test.json["checked"][0]["of"]), (2, &json!("share.importer@school")));
    assert_eq!(host.given(b"battery staple", &["secret", "set", "school", "-"]).status, 0);
    assert_eq!(host.ok(&["secret", "test", "school"])["checked"][0]["errors"], json!([]));
    host.ok(&["sync", "maths"]);
    host.finish();
}

#[test]
fn settings_name_secrets_that_there_are_and_what_is_written_instead_is_not_repeated() {
    let mut tree = Tree::empty();
    let host = school(&mut tree);
    let root = format!("root={}", tree.folder().join("share").display());
    for written in ["password=hunter99", "password=hunter 99", "password={\"secret\":\"hunter99\"}"]
    {
        let arguments =
            ["instance", "create", "x", "share.importer", "--set", &root, "--set", written];
        let run = host.wharf(&arguments);
        run.ended(2, "usage").says(&["password", "wharf secret set NAME"]);
        assert!(!run.words().contains("hunter"), "{run:#?}");
    }
    host.finish();
}

#[test]
fn a_secret_that_is_used_is_forgotten_by_force_only() {
    let mut tree = Tree::empty();
    let mut host = school(&mut tree);
    host.serve();
    make(&host, &tree, &[]);
    let listed = host.ok(&["secret", "list"]);
    assert_eq!(listed["secrets"][0]["used_by"], json!(["share.importer@school"]), "{listed:#}");
    host.wharf(&["secret", "forget", "school"])
        .ended(2, "conflict")
        .says(&["share.importer@school"]);
    host.ok(&["secret", "forget", "school", "--force"]);
    host.wharf(&["secret", "test", "school"]).ended(2, "not_found");
    host.wharf(&["secret", "set", "school"]).ended(2, "usage").says(&["no terminal"]);
    host.wharf(&["secret", "set", "../x", "-"]).ended(2, "usage");
    host.finish();
}
