//! The component `importer`, as a host sees it. Rules of the format are tested beside the parser.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use wharf_plugin_file::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::{CheckResponse, ErrorClass, Outcome};

const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const OTHER: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const URL: &str = "https://x.example/tree/PULP_MANIFEST";

fn manifest(paths: &[&str]) -> String {
    paths.iter().fold(String::new(), |text, path| text + path + "," + SUM + ",4\n")
}

async fn sync(text: impl Into<String>) -> Run {
    let host = FakeHost::new().file(URL, text.into());
    Harness::start(plugin(), host).call("importer").settings(&json!({ "url": URL })).sync().await
}

fn key(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn every_listed_file_is_declared() {
    let run = sync(manifest(&["a", "dir/b c.bin"])).await;
    assert_eq!(run.done().announced, Some(2));
    let unit = &run.units[1];
    assert_eq!(key(&unit.key), json!({ "relative_path": "dir/b c.bin", "sha256": SUM }));
    let file = &unit.files[0];
    assert_eq!((file.path.as_str(), file.size), ("dir/b c.bin", Some(4)));
    assert_eq!(file.digests, [format!("sha256:{SUM}")]);
    assert_eq!(file.sources[0].url, "https://x.example/tree/dir/b%20c.bin");
}

#[tokio::test]
async fn of_some_files_no_others_are_declared_and_the_manifest_does_not_count_as_read() {
    let host = FakeHost::new().file(URL, manifest(&["a", "b/a"]));
    let harness = Harness::start(plugin(), host);
    let call = harness.call("importer").settings(&json!({ "url": URL }));
    let run = call.state(*b"before").only(&["b/a", "c"]).sync().await;
    assert_eq!((run.units.len(), run.done().announced), (1, Some(1)));
    assert_eq!(key(&run.units[0].key)["relative_path"], "b/a");
    assert_eq!(run.state(), b"before");
}

#[tokio::test]
async fn an_empty_manifest_declares_nothing() {
    let run = sync("# nothing here\n\n").await;
    assert_eq!((run.units.len(), run.done().announced), (0, Some(0)));
    assert!(!run.done().nothing_to_do);
}

#[tokio::test]
async fn a_hundred_thousand_files_are_declared() {
    let lines: Vec<String> = (0..100_000).map(|n| format!("d/{n},{SUM},{n}")).collect();
    let text = lines.join("\n");
    let run = sync(text).await;
    assert_eq!((run.units.len(), run.done().announced), (100_000, Some(100_000)));
}

#[tokio::test]
async fn an_unchanged_manifest_is_asked_for_and_not_read_again() {
    let host = FakeHost::new().file(URL, manifest(&["a"]));
    let harness = Harness::start(plugin(), host.clone());
    let settings = json!({ "url": URL });
    let first = harness.call("importer").settings(&settings).sync().await;
    let second = harness.call("importer").settings(&settings).state(first.state()).sync().await;
    assert!(second.done().nothing_to_do);
    assert!(second.units.is_empty());
    assert_eq!(host.requests(), [URL.to_owned(), format!("{URL} (unchanged)")]);
    let third = harness.call("importer").settings(&settings).state(second.state()).sync().await;
    assert!(third.done().nothing_to_do, "the state of a shortcut is as good as the first");
}

#[tokio::test]
async fn a_manifest_with_equal_bytes_and_new_validators_is_not_read_again() {
    let host = FakeHost::new().file(URL, manifest(&["a"]));
    let harness = Harness::start(plugin(), host);
    let settings = json!({ "url": URL });
    let first = harness.call("importer").settings(&settings).sync().await;
    let mut kept: Value = serde_json::from_slice(&first.state()).unwrap();
    kept["etag"] = json!("\"another\"");
    let second = harness.call("importer").settings(&settings).state(kept.to_string()).sync().await;
    assert!(second.done().nothing_to_do);
    assert_eq!(second.state(), first.state());
}

#[tokio::test]
async fn a_full_sync_uses_no_shortcut() {
    let host = FakeHost::new().file(URL, manifest(&["a"]));
    let harness = Harness::start(plugin(), host.clone());
    let settings = json!({ "url": URL });
    let first = harness.call("importer").settings(&settings).sync().await;
    let call = harness.call("importer").settings(&settings).state(first.state()).full();
    let second = call.sync().await;
    assert_eq!((second.units.len(), second.done().nothing_to_do), (1, false));
    assert_eq!(host.requests(), [URL, URL]);
}

#[tokio::test]
async fn after_a_partial_sync_no_shortcut_is_used() {
    let host = FakeHost::new().file(URL, manifest(&["a"]));
    let harness = Harness::start(plugin(), host);
    let call = || harness.call("importer").settings(&json!({ "url": URL }));
    let state = call().sync().await.state();
    assert!(call().state(state.clone()).last("succeeded").sync().await.done().nothing_to_do);
    assert_eq!(call().state(state).last("partial").sync().await.units.len(), 1);
}

#[tokio::test]
async fn another_address_makes_the_kept_state_void() {
    let other = "https://y.example/PULP_MANIFEST";
    let text = manifest(&["a"]);
    let host = FakeHost::new().file(URL, text.clone()).file(other, text);
    let harness = Harness::start(plugin(), host);
    let first = harness.call("importer").settings(&json!({ "url": URL })).sync().await;
    let call = harness.call("importer").settings(&json!({ "url": other })).state(first.state());
    let second = call.sync().await;
    assert_eq!(second.units[0].files[0].sources[0].url, "https://y.example/a");
}

#[tokio::test]
async fn state_of_another_form_is_no_obstacle() {
    let host = FakeHost::new().file(URL, manifest(&["a"]));
    let harness = Harness::start(plugin(), host);
    let call = harness.call("importer").settings(&json!({ "url": URL })).state(*b"\x00junk");
    assert_eq!(call.sync().await.units.len(), 1);
}

#[tokio::test]
async fn a_bad_line_is_a_content_error_that_names_it() {
    let run = sync(format!("{}../etc/passwd,{SUM},4\n", manifest(&["a"]))).await;
    let error = run.failure();
    assert_eq!((error.class(), error.code.as_str()), (ErrorClass::Operation, "content.manifest"));
    assert!(error.message.contains("line 2"), "{}", error.message);
    assert!(error.message.contains(URL), "{}", error.message);
}

#[tokio::test]
async fn a_path_with_two_digests_is_an_error() {
    let run = sync(format!("a,{SUM},4\na,{OTHER},4\n")).await;
    assert_eq!(run.failure().code, "content.manifest");
}

#[tokio::test]
async fn doubled_lines_are_warnings_and_told_in_bounds_f68() {
    let run = sync(manifest(&["a"; 101])).await;
    assert_eq!((run.units.len(), run.done().announced), (1, Some(1)));
    assert_eq!(run.warnings.len(), 21);
    assert_eq!(
        (run.warnings[0].code.as_str(), run.warnings[0].item.as_str()),
        ("content.doubled", "a")
    );
    assert!(run.warnings[20].text.contains("100"), "{}", run.warnings[20].text);
}

#[tokio::test]
async fn a_name_that_the_host_cannot_carry_fails_alone_f98() {
    let run = sync(manifest(&["good", "back\\slash"])).await;
    assert_eq!((run.units.len(), run.done().announced), (1, Some(2)));
    let item = &run.items[0];
    assert_eq!((item.key.as_str(), item.outcome()), ("back\\slash", Outcome::Failed));
    assert_eq!(item.error.as_ref().unwrap().code, "content.path");
}

#[tokio::test]
async fn a_manifest_that_is_not_there_is_the_hosts_error() {
    let harness = Harness::start(plugin(), FakeHost::new());
    let run = harness.call("importer").settings(&json!({ "url": URL })).sync().await;
    assert_eq!(run.failure().code, "source.not_found");
}

#[tokio::test]
async fn a_manifest_on_this_machine_needs_no_escaping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my list");
    std::fs::write(&path, manifest(&["a b#?%.bin"])).unwrap();
    let harness = Harness::start(plugin(), FakeHost::new());
    let url = format!("file://{}", path.display());
    let run = harness.call("importer").settings(&json!({ "url": url })).sync().await;
    let expected = format!("file://{}/a b#?%.bin", folder.path().display());
    assert_eq!(run.units[0].files[0].sources[0].url, expected);
}

async fn check(url: &str) -> CheckResponse {
    let harness = Harness::start(plugin(), FakeHost::new());
    harness.call("importer").settings(&json!({ "url": url })).check().await.unwrap()
}

#[tokio::test]
async fn good_settings_are_normalised() {
    let answer = check(" HTTPS://X.example:443/a/PULP_MANIFEST#x ").await;
    assert!(answer.errors.is_empty());
    assert_eq!(key(&answer.normalised), json!({ "url": "https://x.example/a/PULP_MANIFEST" }));
}

#[tokio::test]
async fn bad_settings_are_errors_of_their_field() {
    for url in ["", "x", "ftp://x/M", "https://x.example/", "https://u:p@x.example/M", "file:///"] {
        let answer = check(url).await;
        assert_eq!(answer.errors.len(), 1, "{url}");
        assert_eq!(
            (answer.errors[0].field.as_str(), answer.errors[0].code.as_str()),
            ("/url", "config.url")
        );
    }
}

#[tokio::test]
async fn settings_of_another_shape_are_errors_too() {
    let harness = Harness::start(plugin(), FakeHost::new());
    let answer = harness.call("importer").settings(&json!({ "url": 7 })).check().await.unwrap();
    assert_eq!(answer.errors.len(), 1);
}
