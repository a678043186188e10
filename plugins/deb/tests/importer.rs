//! The component `importer`, as a host sees it. Rules of the formats are tested beside the parsers.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use serde_json::json;
use support::{URL, Upstream, package, read, settings, sha256};
use wharf_plugin_deb::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::Outcome;

const AMD64: &str = "main/binary-amd64/Packages";
const ARM64: &str = "main/binary-arm64/Packages";

fn two() -> String {
    package("hello", "1:2.3~rc+1", "amd64") + &package("docs", "1.0", "all")
}

async fn sync(upstream: &Upstream) -> Run {
    upstream.harness().0.call("importer").settings(&settings(&json!({}))).sync().await
}

fn names(run: &Run, kind: &str) -> Vec<String> {
    let units = run.units.iter().filter(|unit| unit.r#type == kind);
    units.flat_map(|unit| unit.files.iter().map(|file| file.path.clone())).collect()
}

#[tokio::test]
async fn every_package_is_declared_with_its_place_and_its_own_words() {
    let run = sync(&Upstream::new().index(AMD64, &two())).await;
    assert_eq!(run.done().announced, Some(3), "{run:#?}");
    let unit = run.units.iter().find(|unit| unit.r#type == "deb").unwrap();
    let digest = sha256(b"hello 1:2.3~rc+1 amd64");
    assert_eq!(
        read(&unit.key),
        json!({ "distribution": "stable", "component": "main", "package": "hello",
            "version": "1:2.3~rc+1", "architecture": "amd64", "sha256": digest })
    );
    let attributes = read(&unit.attributes);
    assert_eq!(attributes["area"], "stable/main");
    assert_eq!(
        attributes["control"],
        "Package: hello\nVersion: 1:2.3~rc+1\nArchitecture: amd64\nOdd-Field: kept\n\
         Description: about hello\n long\n .\n more\n"
    );
    let file = &unit.files[0];
    assert_eq!((file.path.as_str(), file.size), ("hello_2.3~rc+1_amd64.deb", Some(22)));
    assert_eq!(file.digests, [format!("sha256:{digest}")]);
    assert_eq!(file.sources[0].url, format!("{URL}/pool/main/hello_2.3~rc%2B1_amd64.deb"));
}

#[tokio::test]
async fn of_some_packages_no_others_are_declared() {
    let (harness, _host) = Upstream::new().index(AMD64, &two()).harness();
    let call = harness.call("importer").settings(&settings(&json!({})));
    let run = call.only(&["docs_1.0_all.deb", "other"]).sync().await;
    assert_eq!((run.units.len(), run.done().announced), (1, Some(1)), "{run:#?}");
    assert_eq!(names(&run, "deb"), ["docs_1.0_all.deb"]);
}

#[tokio::test]
async fn the_smallest_index_is_fetched_by_its_digest_where_that_is_announced() {
    let upstream = Upstream { by_hash: true, ..Upstream::new() }.index(AMD64, &two());
    let (harness, host) = upstream.harness();
    let run = harness.call("importer").settings(&settings(&json!({}))).sync().await;
    assert_eq!(names(&run, "deb").len(), 2, "{run:#?}");
    let packed = [&upstream.files[&format!("{AMD64}.gz")], &upstream.files[&format!("{AMD64}.xz")]];
    let smallest = packed.into_iter().min_by_key(|bytes| bytes.len()).unwrap();
    let index = format!("{URL}/dists/stable/main/binary-amd64/by-hash/SHA256/{}", sha256(smallest));
    assert_eq!(host.requests(), [format!("{URL}/dists/stable/InRelease"), index]);
}

#[tokio::test]
async fn nothing_changed_is_one_request() {
    let (harness, host) = Upstream::new().index(AMD64, &two()).harness();
    let call = || harness.call("importer").settings(&settings(&json!({})));
    let first = call().sync().await;
    let asked = host.requests().len();
    let second = call().state(first.state()).last("succeeded").sync().await;
    assert!(second.done().nothing_to_do);
    let in_release = format!("{URL}/dists/stable/InRelease (unchanged)");
    assert_eq!(host.requests()[asked..], [in_release]);
    let third = call().state(second.state()).last("succeeded").sync().await;
    assert!(third.done().nothing_to_do, "the state of a shortcut is as good as the first");
    assert!(!call().state(second.state()).last("partial").sync().await.done().nothing_to_do);
    assert!(!call().state(second.state()).full().sync().await.done().nothing_to_do);
}

#[tokio::test]
async fn where_there_is_no_inrelease_the_release_is_read_and_asked_for_again() {
    let (harness, host) =
        Upstream { signed: false, ..Upstream::new().index(AMD64, &two()) }.harness();
    let call = || harness.call("importer").settings(&settings(&json!({})));
    let first = call().sync().await;
    assert_eq!(names(&first, "deb").len(), 2);
    let asked = host.requests().len();
    assert!(call().state(first.state()).sync().await.done().nothing_to_do);
    assert_eq!(host.requests()[asked..], [format!("{URL}/dists/stable/Release (unchanged)")]);
}

#[tokio::test]
async fn an_index_with_the_digest_of_the_last_time_is_not_read_again() {
    let before = Upstream::new().index(AMD64, &two());
    let first = sync(&before).await;
    let after = Upstream { fields: before.fields.replace("07:37", "08:37"), ..before };
    let (harness, host) = after.harness();
    let call = harness.call("importer").settings(&settings(&json!({})));
    let run = call.state(first.state()).last("succeeded").sync().await;
    assert!(!run.done().nothing_to_do && run.units.len() == 1, "{run:#?}");
    assert_eq!((run.kept.len(), run.kept[0].r#type.as_str()), (1, "deb"));
    let field = run.kept[0].field.clone().unwrap();
    assert_eq!((field.name.as_str(), field.value.as_str()), ("area", "\"stable/main\""));
    assert_eq!(host.requests(), [format!("{URL}/dists/stable/InRelease")]);
}

#[tokio::test]
async fn a_package_for_all_architectures_is_declared_once() {
    let upstream =
        Upstream::new().index(AMD64, &two()).index(ARM64, &package("docs", "1.0", "all"));
    let settings = settings(&json!({ "architectures": ["amd64", "arm64"] }));
    let run = upstream.harness().0.call("importer").settings(&settings).sync().await;
    assert_eq!(names(&run, "deb"), ["hello_2.3~rc+1_amd64.deb", "docs_1.0_all.deb"]);
}

#[tokio::test]
async fn what_is_not_offered_and_foreign_packages_are_told() {
    let upstream = Upstream::new().index(AMD64, &(two() + &package("odd", "1", "mips")));
    let settings =
        settings(&json!({ "architectures": ["amd64", "sparc"], "components": ["main", "extra"] }));
    let run = upstream.harness().0.call("importer").settings(&settings).sync().await;
    let codes: Vec<_> =
        run.warnings.iter().map(|it| (it.code.as_str(), it.item.as_str())).collect();
    assert_eq!(
        codes,
        [
            ("source.not_offered", "architecture sparc"),
            ("source.not_offered", "component extra"),
            ("source.not_offered", "main/binary-sparc/Packages"),
            ("content.foreign", AMD64),
        ]
    );
}

// F101
#[tokio::test]
async fn an_index_that_is_not_what_the_release_lists_changes_nothing() {
    let mut upstream = Upstream::new().index(AMD64, &two());
    let (plain, other) = (AMD64.to_owned(), support::gz(b"Package: other\n"));
    upstream.files.remove(&format!("{AMD64}.xz"));
    upstream.files.insert(format!("{AMD64}.gz"), other);
    assert!(upstream.files.contains_key(&plain));
    assert_eq!(sync(&upstream).await.failure().code, "integrity.digest");
}

// F102
#[tokio::test]
async fn an_index_that_unpacks_to_more_than_is_listed_is_cut() {
    let mut upstream = Upstream::new().index(AMD64, "Package: a\n");
    upstream.files.remove(&format!("{AMD64}.xz"));
    upstream.files.insert(format!("{AMD64}.gz"), support::gz(&b"Package: a\n".repeat(100_000)));
    assert_eq!(sync(&upstream).await.failure().code, "limit.index");
}

// F98, F104
#[tokio::test]
async fn packages_that_cannot_be_taken_fail_alone() {
    let weak = package("weak", "1", "amd64").replace("SHA256", "Sha-Nothing");
    let outside = package("outside", "1", "amd64").replace("pool/main", "../../etc");
    let nameless = package("x/../y", "1", "amd64");
    let text = [two(), weak, outside, nameless, "Package: bare\n\n".to_owned()].concat();
    let run = sync(&Upstream::new().index(AMD64, &text)).await;
    assert_eq!((run.units.len(), run.done().announced), (3, Some(7)));
    let failed: Vec<_> = run
        .items
        .iter()
        .map(|it| (it.outcome(), it.error.as_ref().unwrap().code.as_str()))
        .collect();
    let expected = ["policy.digest", "content.path", "content.field", "content.field"];
    assert_eq!(failed, expected.map(|code| (Outcome::Failed, code)));
}

#[tokio::test]
async fn of_two_packages_in_one_place_the_first_is_taken() {
    let first = package("a", "1", "amd64");
    let second = first.replace(&sha256(b"a 1 amd64"), &sha256(b"other"));
    let run = sync(&Upstream::new().index(AMD64, &(first + &second))).await;
    assert_eq!((run.units.len(), run.done().announced), (2, Some(3)));
    assert_eq!(run.items[0].outcome(), Outcome::Skipped);
    assert_eq!(run.warnings[0].code, "content.conflict");
}

#[tokio::test]
async fn an_empty_index_is_no_request() {
    let upstream = Upstream::new().index(AMD64, "");
    let (harness, host) = upstream.harness();
    let run = harness.call("importer").settings(&settings(&json!({}))).sync().await;
    assert_eq!((run.units.len(), host.requests().len()), (1, 1), "{run:#?}");
}

#[tokio::test]
async fn flat_repositories_have_no_components() {
    let upstream = Upstream::new().file("Packages", two().replace("pool/main", "./deb"));
    let host = upstream.serve(FakeHost::new(), "");
    let harness = Harness::start(plugin(), host);
    let settings = json!({ "url": URL, "flat": true });
    let run = harness.call("importer").settings(&settings).sync().await;
    let unit = run.units.iter().find(|unit| unit.r#type == "deb").unwrap();
    let key = read(&unit.key);
    assert_eq!((&key["distribution"], &key["component"]), (&json!("flat"), &json!("main")));
    assert_eq!(unit.files[0].sources[0].url, format!("{URL}/deb/hello_2.3~rc%2B1_amd64.deb"));
}

#[tokio::test]
async fn sources_and_translations_come_when_asked_for() {
    let (dsc, orig) = (sha256(b"dsc"), sha256(b"orig"));
    let source = format!(
        "Package: hello\nVersion: 2.3-1\nDirectory: pool/h\nFiles:\n 00 3 hello_2.3-1.dsc\n\
         Checksums-Sha256:\n {dsc} 3 hello_2.3-1.dsc\n {orig} 4 hello_2.3.orig.tar.gz\n\n"
    );
    let upstream = Upstream::new()
        .index(AMD64, &two())
        .index("main/source/Sources", &source)
        .index("main/i18n/Translation-en", "Package: hello\n");
    let settings = settings(&json!({ "sources": true, "translations": ["en"] }));
    let run = upstream.harness().0.call("importer").settings(&settings).sync().await;
    assert_eq!(names(&run, "deb_source"), ["hello_2.3-1.dsc", "hello_2.3.orig.tar.gz"]);
    let unit = run.units.iter().find(|unit| unit.r#type == "deb_source").unwrap();
    assert_eq!(read(&unit.key)["sha256"], json!(dsc));
    assert_eq!(unit.files[1].sources[0].url, format!("{URL}/pool/h/hello_2.3.orig.tar.gz"));
    assert!(!unit.attributes.contains("Directory"));
    let index = run.units.iter().find(|unit| unit.r#type == "deb_index").unwrap();
    assert!(index.files[0].eager && read(&index.attributes)["path"] == "main/i18n/Translation-en");
}

// F107
#[tokio::test]
async fn a_release_with_text_outside_its_signature_is_refused() {
    let upstream = Upstream::new().index(AMD64, &two());
    let host = upstream.serve(FakeHost::new(), "dists/stable/");
    let host = host
        .file(&format!("{URL}/dists/stable/InRelease"), format!("X: 1\n{}", upstream.release()));
    let run = Harness::start(plugin(), host)
        .call("importer")
        .settings(&settings(&json!({})))
        .sync()
        .await;
    assert_eq!(run.failure().code, "content.release");
}

#[tokio::test]
async fn an_uploaded_package_becomes_a_unit() {
    let (harness, _host) = Upstream::new().harness();
    let bytes = deb("Package: mine\nVersion: 1:1\nArchitecture: all\nSource: yours (1)\n");
    std::fs::write(harness.work_dir().join("brought"), &bytes).unwrap();
    let file = wharf_sdk::File::at("any.deb").sha256(&sha256(&bytes)).size(7).staged("brought");
    let run =
        harness.call("importer").settings(&settings(&json!({}))).upload("deb", vec![file]).await;
    let unit = &run.units[0];
    assert_eq!(unit.files[0].path, "mine_1_all.deb");
    assert_eq!(read(&unit.attributes)["source"], "yours");
    assert_eq!(read(&unit.key)["distribution"], "stable");
}

// F118
#[tokio::test]
async fn a_package_under_the_name_of_another_is_refused() {
    let (harness, _host) = Upstream::new().harness();
    let bytes = deb("Package: mine\nVersion: 1:1\nArchitecture: all\n");
    std::fs::write(harness.work_dir().join("brought"), &bytes).unwrap();
    for (name, fits) in [
        ("mine_1_all.deb", true),
        ("mine_1%3a1_all.deb", true),
        ("what-you-like.deb", true),
        ("yours_1_all.deb", false),
        ("mine_2_all.deb", false),
        ("mine_1_amd64.deb", false),
    ] {
        let file = wharf_sdk::File::at(name).sha256(&sha256(&bytes)).size(7).staged("brought");
        let run = harness.call("importer").settings(&json!({})).upload("", vec![file]).await;
        if fits {
            let key = read(&run.units[0].key);
            assert_eq!(
                (&key["distribution"], &key["component"]),
                (&json!("stable"), &json!("main"))
            );
        } else {
            assert_eq!(run.failure().code, "content.name", "{name}");
        }
    }
}

/// A package of nothing but this control file.
fn deb(control: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(control.len() as u64);
    archive.append_data(&mut header, "./control", control.as_bytes()).unwrap();
    let inner = archive.into_inner().unwrap();
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, member) in [("debian-binary", b"2.0\n".as_slice()), ("control.tar", &inner)] {
        bytes.extend(format!("{name:<16}{:<32}{:<10}`\n", 0, member.len()).bytes());
        bytes.extend(member);
    }
    bytes
}

#[tokio::test]
async fn bad_settings_are_errors_of_their_fields() {
    let harness = Harness::start(plugin(), FakeHost::new());
    let answer = harness.call("importer").settings(&json!({ "url": "x" })).check().await.unwrap();
    let fields: Vec<_> = answer.errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["/url", "/suites"]);
}
