//! The component `distributor`, as a host sees it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use serde_json::{Value, json};
use url::Url;
use wharf_plugin_pypi::index::{self, Format, Metadata};
use wharf_plugin_pypi::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::published_file::From;
use wharf_sdk::{File, Unit};

const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const OTHER: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn wheel(name: &str, version: &str) -> Unit {
    let filename = format!("{name}-{version}-py3-none-any.whl");
    let attributes = json!({
        "name": name, "version": version, "package_type": "wheel", "requires_python": ">=3.8",
    });
    Unit::new("python_file")
        .key(&json!({ "filename": filename, "sha256": SUM }))
        .and_then(|unit| unit.attributes(&attributes))
        .unwrap()
        .file(File::at(&filename).sha256(SUM).size(4))
        .file(File::at(format!("{filename}.metadata")).sha256(OTHER).size(0))
}

fn project(name: &str, attributes: &Value) -> Unit {
    let key = json!({ "name": name, "digest": SUM });
    Unit::new("python_project").key(&key).and_then(|unit| unit.attributes(attributes)).unwrap()
}

async fn publish(units: Vec<Unit>) -> Run {
    let host = units.into_iter().fold(FakeHost::new(), FakeHost::unit);
    Harness::start(plugin(), host).call("distributor").timestamp_ms(77).publish().await
}

fn text(run: &Run, path: &str) -> String {
    let file = run.files.iter().find(|file| file.path == path);
    match file.and_then(|file| file.from.clone()) {
        Some(From::Inline(bytes)) => String::from_utf8(bytes).unwrap(),
        other => panic!("{path}: {other:?}"),
    }
}

#[tokio::test]
async fn both_pages_say_what_the_units_say() {
    let yanked = json!({ "yanked": { "x-1.0-py3-none-any.whl": "a <b>\"" } });
    let run = publish(vec![
        wheel("x", "1.10"),
        wheel("x", "1.9"),
        wheel("x", "1.0"),
        project("x", &yanked),
    ])
    .await;
    let base = Url::parse("https://h.example/content/r/simple/x/").unwrap();
    let (json, html) = (text(&run, "simple/x/index.v1.json"), text(&run, "simple/x/index.html"));
    let read = |format, text: &str| index::page(format, text.as_bytes(), &base).unwrap().files;
    let files = read(Format::Json, &json);
    let names: Vec<_> = files.iter().map(|file| file.filename.as_str()).collect();
    assert_eq!(
        names,
        ["x-1.0-py3-none-any.whl", "x-1.9-py3-none-any.whl", "x-1.10-py3-none-any.whl"]
    );
    let first = &files[0];
    assert_eq!(
        first.url,
        format!("https://h.example/content/r/files/x/{}/{}", &SUM[..32], names[0])
    );
    assert_eq!((first.hashes["sha256"].as_str(), first.size), (SUM, Some(4)));
    assert_eq!(first.metadata, Metadata::Sha256(OTHER.to_owned()));
    assert_eq!(first.yanked.as_deref(), Some("a <b>\""));
    assert_eq!(
        (files[1].yanked.clone(), files[1].requires_python.as_deref()),
        (None, Some(">=3.8"))
    );
    let without_size = |mut file: index::File| {
        file.size = None;
        file
    };
    let said: Vec<_> = files.iter().cloned().map(without_size).collect();
    assert_eq!(read(Format::Html, &html), said);
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&value["meta"]["api-version"], &value["versions"]),
        (&json!("1.4"), &json!(["1.0", "1.9", "1.10"]))
    );
    assert_eq!(value["files"][0]["dist-info-metadata"], value["files"][0]["core-metadata"]);
}

#[tokio::test]
async fn every_file_lies_where_the_page_says_and_its_metadata_beside_it() {
    let run = publish(vec![wheel("x", "1.0")]).await;
    let path = format!("files/x/{}/x-1.0-py3-none-any.whl", &SUM[..32]);
    let of = |path: &str| run.files.iter().find(|file| file.path == path).unwrap().from.clone();
    let Some(From::Unit(file)) = of(&path) else { panic!("{run:?}") };
    assert_eq!((file.unit, file.path.as_str()), (1, "x-1.0-py3-none-any.whl"));
    let Some(From::Unit(file)) = of(&format!("{path}.metadata")) else { panic!("{run:?}") };
    assert_eq!(file.path, "x-1.0-py3-none-any.whl.metadata");
}

#[tokio::test]
async fn pages_are_variants_of_their_folders() {
    let run = publish(vec![wheel("x", "1.0")]).await;
    for folder in ["simple/", "simple/x/"] {
        let of: Vec<_> = run
            .variants
            .iter()
            .filter(|variant| variant.path == folder)
            .map(|variant| {
                (variant.media_type.as_str(), variant.target.strip_prefix(folder).unwrap())
            })
            .collect();
        assert_eq!(
            of,
            [
                ("application/vnd.pypi.simple.v1+json", "index.v1.json"),
                ("application/vnd.pypi.simple.v1+html", "index.html"),
                ("text/html; charset=utf-8", "index.html"),
            ]
        );
    }
    assert_eq!(
        index::projects(Format::Json, text(&run, "simple/index.v1.json").as_bytes()).unwrap(),
        ["x"]
    );
    assert_eq!(
        index::projects(Format::Html, text(&run, "simple/index.html").as_bytes()).unwrap(),
        ["x"]
    );
}

#[tokio::test]
async fn metadata_whose_digest_nobody_knows_is_not_announced() {
    let filename = "x-1.0-py3-none-any.whl";
    let attributes = json!({ "name": "x", "version": "1.0", "package_type": "wheel" });
    let unit =
        Unit::new("python_file").key(&json!({ "filename": filename, "sha256": SUM })).unwrap();
    let unit = unit.attributes(&attributes).unwrap().file(File::at(filename).sha256(SUM));
    let run = publish(vec![unit.file(File::at(format!("{filename}.metadata")))]).await;
    let page: Value = serde_json::from_str(&text(&run, "simple/x/index.v1.json")).unwrap();
    assert_eq!(page["files"][0].get("core-metadata"), None);
    assert_eq!(page["meta"]["api-version"], "1.0", "newer versions demand the size of every file");
    assert!(!run.files.iter().any(|file| file.path.ends_with(".metadata")));
}

#[tokio::test]
async fn a_project_without_files_and_an_empty_repository_have_pages() {
    let run = publish(vec![project("x", &json!({ "status": { "status": "archived" } }))]).await;
    let page: Value = serde_json::from_str(&text(&run, "simple/x/index.v1.json")).unwrap();
    assert_eq!(
        (&page["files"], &page["project-status"]["status"]),
        (&json!([]), &json!("archived"))
    );
    let run = publish(Vec::new()).await;
    assert!(text(&run, "simple/index.html").contains("<h1>"));
}

#[tokio::test]
async fn a_large_page_is_staged() {
    let run = publish((0..500).map(|n| wheel("x", &format!("1.{n}"))).collect()).await;
    let page = run.files.iter().find(|file| file.path == "simple/x/index.v1.json").unwrap();
    assert!(matches!(page.from, Some(From::Staged(_))), "{page:?}");
}

#[tokio::test]
async fn large_pages_come_packed_too_and_say_what_may_be_kept() {
    let versions = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"];
    let run = publish(versions.map(|version| wheel("x", version)).to_vec()).await;
    let encoded = run.variants.iter().filter(|variant| !variant.encoding.is_empty());
    let encoded: Vec<_> =
        encoded.map(|it| (it.path.as_str(), it.target.as_str(), it.media_type.as_str())).collect();
    assert_eq!(
        encoded,
        [
            ("simple/x/", "simple/x/index.v1.json.gz", "application/vnd.pypi.simple.v1+json"),
            ("simple/x/", "simple/x/index.html.gz", "application/vnd.pypi.simple.v1+html"),
            ("simple/x/", "simple/x/index.html.gz", "text/html; charset=utf-8"),
        ]
    );
    for file in &run.files {
        let kept = file.headers["cache-control"].as_str();
        let expected = if file.path.starts_with("files/") {
            "max-age=31536000, immutable"
        } else {
            "max-age=60"
        };
        assert_eq!(kept, expected, "{}", file.path);
    }
}

#[tokio::test]
async fn metadata_that_was_added_counts_for_its_own_wheel_only() {
    let bare = |name: &str| {
        let filename = format!("{name}-1.0-py3-none-any.whl");
        let attributes = json!({ "name": name, "version": "1.0", "package_type": "wheel" });
        let unit = Unit::new("python_file").key(&json!({ "filename": filename, "sha256": SUM }));
        let unit = unit.and_then(|unit| unit.attributes(&attributes)).unwrap();
        unit.file(File::at(&filename).sha256(SUM).size(4))
    };
    let added = |name: &str, of: &str| {
        let filename = format!("{name}-1.0-py3-none-any.whl.metadata");
        let unit =
            Unit::new("python_metadata").key(&json!({ "filename": filename, "sha256": OTHER }));
        let unit = unit.and_then(|unit| unit.attributes(&json!({ "name": name, "wheel": of })));
        unit.unwrap().file(File::at(&filename).sha256(OTHER).size(0))
    };
    let run = publish(vec![bare("x"), added("x", SUM), bare("y"), added("y", OTHER)]).await;
    let of = |name: &str| {
        let page = text(&run, &format!("simple/{name}/index.v1.json"));
        serde_json::from_str::<Value>(&page).unwrap()["files"][0]["core-metadata"].clone()
    };
    assert_eq!((of("x"), of("y")), (json!({ "sha256": OTHER }), Value::Null));
    let path = format!("files/x/{}/x-1.0-py3-none-any.whl.metadata", &SUM[..32]);
    let file = run.files.iter().find(|file| file.path == path).unwrap();
    let Some(From::Unit(from)) = &file.from else { panic!("{file:?}") };
    assert_eq!((from.unit, from.path.as_str()), (2, "x-1.0-py3-none-any.whl.metadata"));
}

#[tokio::test]
async fn a_status_is_told_in_both_representations() {
    let status = json!({ "status": { "status": "archived", "reason": "a \"<b>\" took over" } });
    let run = publish(vec![wheel("x", "1.0"), project("x", &status)]).await;
    let base = Url::parse("https://h.example/content/r/simple/x/").unwrap();
    for (format, name) in [(Format::Json, "index.v1.json"), (Format::Html, "index.html")] {
        let text = text(&run, &format!("simple/x/{name}"));
        let told = index::page(format, text.as_bytes(), &base).unwrap().status.unwrap();
        assert_eq!(told.status, "archived", "{name}");
        assert_eq!(told.reason.as_deref(), Some("a \"<b>\" took over"), "{name}");
    }
}
