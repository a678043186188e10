//! The component `distributor`, as a host sees it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use serde_json::json;
use wharf_plugin_file::manifest::{Next, Reader};
use wharf_plugin_file::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::PublishedFile;
use wharf_sdk::wire::published_file::From;
use wharf_sdk::{File, Unit};

const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn unit(path: &str) -> Unit {
    let key = json!({ "relative_path": path, "sha256": SUM });
    Unit::new("file").key(&key).unwrap().file(File::at(path).sha256(SUM).size(4))
}

fn with(units: impl IntoIterator<Item = Unit>) -> Harness {
    let host = units.into_iter().fold(FakeHost::new(), FakeHost::unit);
    Harness::start(plugin(), host)
}

async fn publish(units: impl IntoIterator<Item = Unit>) -> Run {
    with(units).call("distributor").timestamp_ms(77).publish().await
}

fn file<'a>(run: &'a Run, path: &str) -> &'a PublishedFile {
    run.files.iter().find(|file| file.path == path).unwrap()
}

fn text(run: &Run, path: &str) -> String {
    match &file(run, path).from {
        Some(From::Inline(bytes)) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn files_keep_their_paths_and_are_listed_sorted() {
    let run = publish(["b", "a/c", "a-b"].map(unit)).await;
    assert!(run.done().changed);
    let paths: Vec<_> = run.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a-b", "a/c", "b", "PULP_MANIFEST", "SHA256SUMS"]);
    match &file(&run, "a/c").from {
        Some(From::Unit(from)) => assert_eq!((from.unit, from.path.as_str()), (2, "a/c")),
        other => panic!("{other:?}"),
    }
    assert_eq!(text(&run, "PULP_MANIFEST"), format!("a-b,{SUM},4\na/c,{SUM},4\nb,{SUM},4\n"));
    assert_eq!(text(&run, "SHA256SUMS"), format!("{SUM}  a-b\n{SUM}  a/c\n{SUM}  b\n"));
}

#[tokio::test]
async fn the_same_version_gives_the_same_bytes() {
    let (first, second) =
        (publish(["a", "b"].map(unit)).await, publish(["a", "b"].map(unit)).await);
    assert_eq!(first.files, second.files);
}

#[tokio::test]
async fn lists_are_entry_points_with_the_publications_time() {
    let run = publish([unit("a")]).await;
    for (path, entry_point, modified_ms) in
        [("PULP_MANIFEST", true, 77), ("SHA256SUMS", true, 77), ("a", false, 0)]
    {
        let file = file(&run, path);
        assert_eq!((file.entry_point, file.modified_ms), (entry_point, modified_ms), "{path}");
    }
}

#[tokio::test]
async fn an_empty_version_has_empty_lists() {
    let run = publish([]).await;
    assert_eq!((text(&run, "PULP_MANIFEST").as_str(), run.files.len()), ("", 2));
}

#[tokio::test]
async fn lists_can_be_renamed_and_switched_off() {
    let harness = with([unit("a")]);
    let paths = async |settings| {
        let run = harness.call("distributor").settings(&settings).publish().await;
        run.files.into_iter().map(|file| file.path).collect::<Vec<_>>()
    };
    assert_eq!(paths(json!({ "manifest": "LIST" })).await, ["a", "LIST", "SHA256SUMS"]);
    assert_eq!(paths(json!({ "manifest": "off" })).await, ["a", "SHA256SUMS"]);
    assert_eq!(paths(json!({ "manifest": "off", "sha256sums": false })).await, ["a"]);
}

#[tokio::test]
async fn a_large_list_is_staged() {
    let harness = with((0..2_000).map(|n| unit(&format!("dir/file-{n:05}"))));
    let run = harness.call("distributor").publish().await;
    for list in ["PULP_MANIFEST", "SHA256SUMS"] {
        assert_eq!(file(&run, list).from, Some(From::Staged(list.to_owned())));
    }
    let staged = std::fs::read(harness.work_dir().join("PULP_MANIFEST")).unwrap();
    let mut reader = Reader::new(staged.as_slice(), "PULP_MANIFEST");
    let mut count = 0;
    while let Some(next) = reader.read_next().unwrap() {
        assert!(matches!(next, Next::File(_)));
        count += 1;
    }
    assert_eq!((count, run.files.len()), (2_000, 2_002));
}

#[tokio::test]
async fn a_file_in_the_place_of_a_list_is_an_error_that_names_it() {
    for path in ["PULP_MANIFEST", "SHA256SUMS", "PULP_MANIFEST/x"] {
        let run = publish([unit(path)]).await;
        let error = run.failure();
        assert_eq!((error.code.as_str(), error.item.as_str()), ("conflict.path", path));
        assert!(error.message.contains("set `"), "{}", error.message);
    }
    assert!(publish([unit("sub/PULP_MANIFEST")]).await.done().changed);
    let harness = with([unit("PULP_MANIFEST")]);
    let off = harness.call("distributor").settings(&json!({ "manifest": "off" })).publish().await;
    assert_eq!(off.files.len(), 2);
}

#[tokio::test]
async fn a_file_whose_size_or_digest_is_not_known_is_published_and_told() {
    let bare = |path| Unit::new("file").key(&json!({ "relative_path": path })).unwrap();
    let run = publish([
        bare("nothing").file(File::at("nothing")),
        bare("no-size").file(File::at("no-size").sha256(SUM)),
        unit("whole"),
    ])
    .await;
    assert_eq!(run.files.len(), 5);
    assert_eq!(text(&run, "PULP_MANIFEST"), format!("whole,{SUM},4\n"));
    assert_eq!(text(&run, "SHA256SUMS"), format!("{SUM}  no-size\n{SUM}  whole\n"));
    let told: Vec<_> = run.warnings.iter().map(|w| (w.code.as_str(), w.item.as_str())).collect();
    assert_eq!(told, [("file.not_listed", "no-size"), ("file.not_listed", "nothing")]);
}

#[tokio::test]
async fn a_name_that_no_line_can_say_is_published_and_told() {
    let run = publish(["#x#", "\"q\""].map(unit)).await;
    assert_eq!((run.files.len(), run.warnings.len()), (4, 2));
    assert_eq!(text(&run, "PULP_MANIFEST"), "");
    assert_eq!(text(&run, "SHA256SUMS"), format!("{SUM}  \"q\"\n{SUM}  #x#\n"));
}

#[tokio::test]
async fn a_rollback_gets_fresh_lists_only() {
    let harness = with([unit("a")]);
    let run = harness.call("distributor").timestamp_ms(99).reissue(5).await;
    let files: Vec<_> =
        run.files.iter().map(|file| (file.path.as_str(), file.modified_ms)).collect();
    assert_eq!(files, [("PULP_MANIFEST", 99), ("SHA256SUMS", 99)]);
}

#[tokio::test]
async fn settings_are_checked() {
    let harness = with([]);
    for name in ["a/b", "..", "SHA256SUMS"] {
        let call = harness.call("distributor").settings(&json!({ "manifest": name }));
        assert_eq!(call.check().await.unwrap().errors[0].field, "/manifest", "{name}");
    }
    let good =
        harness.call("distributor").settings(&json!({ "manifest": "" })).check().await.unwrap();
    assert_eq!(good.normalised, r#"{"manifest":"off","sha256sums":true}"#);
}
