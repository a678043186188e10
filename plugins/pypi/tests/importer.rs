//! The component `importer`, as a host sees it. Rules of the formats are tested beside the parsers.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use wharf_plugin_pypi::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::Outcome;

const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const BASE: &str = "https://x.example/simple/";

fn page_url(name: &str) -> String {
    format!("{BASE}{name}/")
}

fn file(filename: &str, more: &Value) -> Value {
    let mut file = json!({
        "filename": filename, "url": format!("../../f/{filename}"), "hashes": { "sha256": SUM }, "size": 4,
    });
    let object = file.as_object_mut().unwrap();
    object.extend(more.as_object().unwrap().clone());
    file
}

fn page(files: &[Value]) -> String {
    json!({ "meta": { "api-version": "1.1" }, "name": "x", "files": files }).to_string()
}

fn wheel(name: &str, version: &str) -> Value {
    file(&format!("{name}-{version}-py3-none-any.whl"), &json!({}))
}

fn includes(names: &[&str]) -> Value {
    json!({ "url": BASE, "includes": names })
}

async fn sync(host: FakeHost, settings: &Value) -> Run {
    Harness::start(plugin(), host).call("importer").settings(settings).sync().await
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn filenames(run: &Run) -> Vec<String> {
    let files = run.units.iter().filter(|unit| unit.r#type == "python_file");
    files.map(|unit| read(&unit.key)["filename"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_file_of_a_page_is_declared_with_what_is_known_of_it() {
    let more =
        json!({ "core-metadata": { "sha256": SUM }, "requires-python": ">=3.8", "yanked": "why" });
    let host = FakeHost::new()
        .file(&page_url("foo-bar"), page(&[file("Foo_Bar-1.0-py3-none-any.whl", &more)]));
    let run = sync(host, &includes(&["Foo.Bar"])).await;
    assert_eq!(run.done().announced, Some(2));
    let project = &run.units[0];
    assert_eq!((project.r#type.as_str(), project.files.len()), ("python_project", 0));
    assert_eq!(
        read(&project.attributes),
        json!({ "index": BASE, "yanked": { "Foo_Bar-1.0-py3-none-any.whl": "why" } })
    );
    let unit = &run.units[1];
    assert_eq!(
        read(&unit.key),
        json!({ "filename": "Foo_Bar-1.0-py3-none-any.whl", "sha256": SUM })
    );
    assert_eq!(
        read(&unit.attributes),
        json!({ "name": "foo-bar", "version": "1.0", "package_type": "wheel", "requires_python": ">=3.8" })
    );
    let [wheel, metadata] = &unit.files[..] else { panic!("{unit:?}") };
    assert_eq!(wheel.sources[0].url, "https://x.example/f/Foo_Bar-1.0-py3-none-any.whl");
    assert_eq!((wheel.size, wheel.eager), (Some(4), false));
    assert_eq!(
        metadata.sources[0].url,
        "https://x.example/f/Foo_Bar-1.0-py3-none-any.whl.metadata"
    );
    assert!(metadata.eager, "needed by whoever resolves, whatever the policy is");
    assert_eq!(metadata.digests, [format!("sha256:{SUM}")]);
}

#[tokio::test]
async fn a_page_in_html_is_as_good() {
    let text = format!(
        "<!DOCTYPE html><a href='../../f/x-1.tar.gz#sha256={SUM}' data-yanked>x-1.tar.gz</a>"
    );
    let run = sync(FakeHost::new().file(&page_url("x"), text), &includes(&["x"])).await;
    assert_eq!(filenames(&run), ["x-1.tar.gz"]);
    assert_eq!(run.units[1].files[0].sources[0].url, "https://x.example/f/x-1.tar.gz");
}

#[tokio::test]
async fn a_file_without_digest_is_declared_without_one() {
    let host = FakeHost::new()
        .file(&page_url("x"), page(&[file("x-1.tar.gz", &json!({ "hashes": { "md5": "00" } }))]));
    let run = sync(host, &includes(&["x"])).await;
    assert_eq!(read(&run.units[1].key), json!({ "filename": "x-1.tar.gz" }));
    assert!(run.units[1].files[0].digests.is_empty());
}

#[tokio::test]
async fn what_is_wanted_is_chosen_by_name_version_and_kind() {
    let files =
        [wheel("x", "1.0"), wheel("x", "2.0"), file("x-2.0.tar.gz", &json!({})), wheel("x", "3.0")];
    let host = FakeHost::new().file(&page_url("x"), page(&files));
    let settings = json!({
        "url": BASE, "includes": ["x>=2"], "excludes": ["x==3.0"], "package_types": ["wheel"],
    });
    assert_eq!(filenames(&sync(host, &settings).await), ["x-2.0-py3-none-any.whl"]);
}

#[tokio::test]
async fn without_includes_the_whole_index_is_mirrored() {
    let list =
        r#"{"meta":{"api-version":"1.0"},"projects":[{"name":"A"},{"name":"b"},{"name":"c"}]}"#;
    let host = FakeHost::new().file(BASE, list).file(&page_url("a"), page(&[wheel("a", "1")]));
    let host = host.file(&page_url("b"), page(&[wheel("b", "1")]));
    let run = sync(host, &json!({ "url": BASE, "excludes": ["c"] })).await;
    assert_eq!(filenames(&run), ["a-1-py3-none-any.whl", "b-1-py3-none-any.whl"]);
}

#[tokio::test]
async fn entries_that_make_no_sense_are_left_out_and_told() {
    let files = [
        wheel("x", "1"),
        wheel("other", "1"),
        json!({ "filename": 3 }),
        file("x-1.exe.bak", &json!({})),
    ];
    let run = sync(FakeHost::new().file(&page_url("x"), page(&files)), &includes(&["x"])).await;
    assert_eq!(filenames(&run), ["x-1-py3-none-any.whl"]);
    assert_eq!(run.warnings[0].code, "content.entries");
    assert!(run.warnings[0].text.contains('3'), "{}", run.warnings[0].text);
}

#[tokio::test]
async fn unchanged_pages_are_asked_for_and_not_read_again() {
    let host = FakeHost::new().file(&page_url("a"), page(&[wheel("a", "1")]));
    let host = host.file(&page_url("b"), page(&[wheel("b", "1")]));
    let harness = Harness::start(plugin(), host.clone());
    let settings = includes(&["a", "b"]);
    let first = harness.call("importer").settings(&settings).sync().await;
    let again = || harness.call("importer").settings(&settings).state(first.state());
    let second = again().last("succeeded").sync().await;
    assert!(second.done().nothing_to_do && second.units.is_empty());
    assert_eq!(
        host.requests()[2..],
        [page_url("a") + " (unchanged)", page_url("b") + " (unchanged)"]
    );
    let third = again().state(second.state()).last("succeeded").sync().await;
    assert!(third.done().nothing_to_do, "the state of a shortcut is as good as the first");
    assert_eq!(again().last("partial").sync().await.units.len(), 4, "what failed is tried again");
    assert_eq!(again().last("succeeded").full().sync().await.units.len(), 4);
}

#[tokio::test]
async fn a_project_that_is_gone_is_told_and_not_declared() {
    let host = FakeHost::new().file(&page_url("a"), page(&[wheel("a", "1")]));
    let run = sync(host, &includes(&["a", "gone"])).await;
    assert_eq!(run.units.len(), 2);
    assert_eq!(
        (run.warnings[0].code.as_str(), run.warnings[0].item.as_str()),
        ("source.project", "gone")
    );
}

#[tokio::test]
async fn no_project_at_all_at_a_wrong_address_changes_nothing() {
    let run = sync(FakeHost::new(), &includes(&["a"])).await;
    assert_eq!(run.failure().code, "source.index");
    let host = FakeHost::new().file(BASE, r#"{"meta":{"api-version":"1.0"},"projects":[]}"#);
    let run = sync(host, &includes(&["a"])).await;
    assert!(
        run.done().changed && run.units.is_empty(),
        "the last project is gone from an index that is there"
    );
}

#[tokio::test]
async fn a_page_that_cannot_be_read_fails_alone() {
    let host = FakeHost::new().file(&page_url("a"), page(&[wheel("a", "1")]));
    let host = host.file(&page_url("b"), r#"{"meta":{"api-version":"2.0"},"files":[]}"#);
    let run = sync(host, &includes(&["a", "b"])).await;
    assert_eq!(filenames(&run), ["a-1-py3-none-any.whl"]);
    assert_eq!((run.items[0].key.as_str(), run.items[0].outcome()), ("b", Outcome::Failed));
    assert_eq!(run.items[0].error.as_ref().unwrap().code, "content.page");
}

#[tokio::test]
async fn bad_settings_are_errors_of_their_fields() {
    let harness = Harness::start(plugin(), FakeHost::new());
    let settings =
        json!({ "url": "ftp://x", "files_url": "x", "includes": ["ok", "x=1"], "excludes": [">"] });
    let answer = harness.call("importer").settings(&settings).check().await.unwrap();
    let fields: Vec<_> = answer.errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["/url", "/files_url", "/includes/1", "/excludes/0"]);
    let good = json!({ "url": "HTTPS://X.example/simple", "includes": ["six"] });
    let answer = harness.call("importer").settings(&good).check().await.unwrap();
    assert_eq!(read(&answer.normalised)["url"], BASE);
}

#[tokio::test]
async fn validators_of_any_number_of_projects_are_kept() {
    let long = "x".repeat(100);
    let names: Vec<String> = (0..6_000).map(|number| format!("{long}{number}")).collect();
    let listed: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let list = json!({ "meta": { "api-version": "1.0" }, "projects": listed }).to_string();
    let (body, host) = (page(&[]), FakeHost::new().file(BASE, list));
    let host = names.iter().fold(host, |host, name| host.file(&page_url(name), body.clone()));
    let harness = Harness::start(plugin(), host.clone());
    let settings = json!({ "url": BASE });
    let call = || harness.call("importer").settings(&settings);
    let first = call().sync().await;
    assert_eq!(first.units.len(), 6_000);
    assert!(first.state().len() < 1 << 20, "what goes with the job fits into a message");
    let asked = host.requests().len();
    let second = call().state(first.state()).last("succeeded").sync().await;
    assert!(second.done().nothing_to_do, "{:?}", second.done());
    let again = host.requests().split_off(asked);
    let unchanged = again.iter().filter(|url| url.ends_with(" (unchanged)")).count();
    assert_eq!(
        (unchanged, again.len()),
        (6_000, 6_001),
        "all but the list, which is read each time"
    );
}
