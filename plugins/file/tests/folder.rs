//! The component `folder`, as a host sees it. Walking is tested beside the walk.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wharf_plugin_file::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::content::Content;
use wharf_sdk::wire::{ErrorScope, Outcome};

fn tree(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    root
}

fn harness() -> Harness {
    Harness::start(plugin(), FakeHost::new())
}

async fn list(root: &Path, exclude: &[&str]) -> Run {
    let settings = json!({ "path": root, "exclude": exclude });
    harness().call("folder").settings(&settings).list().await
}

#[tokio::test]
async fn files_are_listed_with_where_they_are() {
    let root = tree(&["b", "a/x y.bin"]);
    let run = list(root.path(), &[]).await;
    assert_eq!(run.done().announced, Some(2));
    let item = &run.listed[0];
    let unit = item.unit.as_ref().unwrap();
    assert_eq!(unit.key, r#"{"relative_path":"a/x y.bin"}"#);
    assert_eq!((unit.files[0].path.as_str(), unit.files[0].size), ("a/x y.bin", Some(9)));
    let url = format!("file://{}/a/x y.bin", root.path().display());
    assert_eq!(unit.files[0].sources[0].url, url);
    assert!(!item.revision.is_empty() && item.modified_ms > 0);
}

#[tokio::test]
async fn an_unchanged_folder_is_listed_alike() {
    let root = tree(&["a", "b/c"]);
    let (first, second) = (list(root.path(), &[]).await, list(root.path(), &[]).await);
    assert_eq!(first.listed, second.listed);
}

#[tokio::test]
async fn thousands_of_files_are_listed() {
    let names: Vec<String> = (0..2_345).map(|n| format!("{}/{n}", n % 7)).collect();
    let root = tree(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let run = list(root.path(), &[]).await;
    assert_eq!((run.listed.len(), run.done().announced), (2_345, Some(2_345)));
}

#[tokio::test]
async fn of_some_files_no_others_are_listed() {
    let root = tree(&["a", "b/a"]);
    let settings = json!({ "path": root.path() });
    let run = harness().call("folder").settings(&settings).only(&["b/a", "c"]).list().await;
    assert_eq!((run.listed.len(), run.done().announced), (1, Some(1)));
    assert_eq!(run.listed[0].unit.as_ref().unwrap().key, r#"{"relative_path":"b/a"}"#);
}

#[tokio::test]
async fn what_is_excluded_is_not_announced() {
    let root = tree(&[".git/config", "target/x", "a", "sub/a.tmp"]);
    let run = list(root.path(), &[".git", "target/", "*.tmp"]).await;
    assert_eq!((run.listed.len(), run.done().announced), (1, Some(1)));
}

#[tokio::test]
async fn what_cannot_be_taken_is_announced_and_told() {
    let root = tree(&["a"]);
    std::os::unix::fs::symlink("/etc/hostname", root.path().join("out")).unwrap();
    fs::write(root.path().join("line\nbreak"), "").unwrap();
    let run = list(root.path(), &[]).await;
    assert_eq!((run.listed.len(), run.done().announced), (1, Some(3)));
    let outcomes: Vec<_> =
        run.items.iter().map(|item| (item.key.as_str(), item.outcome())).collect();
    assert_eq!(outcomes, [("line\\u{a}break", Outcome::Failed), ("out", Outcome::Skipped)]);
    assert_eq!(run.items[0].error.as_ref().unwrap().scope(), ErrorScope::Item);
    assert_eq!((run.warnings[0].item.as_str(), run.warnings.len()), ("out", 1));
}

#[tokio::test]
async fn a_missing_folder_is_an_error_of_the_outside_world() {
    let run = list(Path::new("/no/such/folder"), &[]).await;
    assert_eq!(run.failure().code, "source.folder");
    assert!(run.failure().message.contains("/no/such/folder"));
}

#[tokio::test]
async fn fetch_answers_with_the_same_address() {
    let root = tree(&["a/b"]);
    std::os::unix::fs::symlink("a/b", root.path().join("link")).unwrap();
    let harness = harness();
    let call = || harness.call("folder").settings(&json!({ "path": root.path() }));
    for item in call().list().await.listed {
        let run = call().fetch(&item, 2).await;
        let Some(Content::Source(source)) = run.contents.first() else { panic!("{run:?}") };
        assert_eq!(source.url, item.unit.unwrap().files[0].sources[0].url);
        assert!(source.url.ends_with("/a/b"), "a link is fetched from where it leads");
    }
}

#[tokio::test]
async fn fetch_does_not_leave_the_folder_f98() {
    let root = tree(&["sub/a"]);
    fs::write(root.path().join("secret"), "x").unwrap();
    std::os::unix::fs::symlink("../secret", root.path().join("sub/link")).unwrap();
    let harness = harness();
    let settings = json!({ "path": root.path().join("sub") });
    let listed = harness.call("folder").settings(&settings).list().await.listed;
    for path in ["../secret", "/etc/passwd", "link", "gone", ""] {
        let mut item = listed[0].clone();
        path.clone_into(&mut item.unit.as_mut().unwrap().files[0].path);
        let run = harness.call("folder").settings(&settings).fetch(&item, 0).await;
        assert!(run.contents.is_empty(), "{path}");
        assert!(!run.failure().message.is_empty());
    }
}

#[tokio::test]
async fn settings_are_checked_and_normalised() {
    let root = tree(&["a"]);
    let harness = harness();
    let check =
        async |settings: Value| harness.call("folder").settings(&settings).check().await.unwrap();
    let good = check(json!({ "path": format!("{}//", root.path().display()) })).await;
    assert!(good.errors.is_empty());
    let normalised: Value = serde_json::from_str(&good.normalised).unwrap();
    assert_eq!(normalised, json!({ "path": root.path(), "exclude": [] }));
    let bad = check(json!({ "path": "relative", "exclude": ["ok", "a//b"] })).await;
    let fields: Vec<_> = bad.errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["/path", "/exclude/1"]);
    let file = check(json!({ "path": root.path().join("a") })).await;
    assert!(file.errors[0].message.contains("not a folder"));
}
