//! Repositories of less common shapes, as a host sees both components: the installer's packages, variants of
//! architectures, lists of contents, doubled versions, and files of upstream's own.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use serde_json::{Value, json};
use support::{URL, Upstream, package, read, settings, sha256};
use wharf_plugin_deb::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::{File, Unit};

const AMD64: &str = "main/binary-amd64/Packages";

async fn sync(upstream: &Upstream, more: Value) -> Run {
    upstream.harness().0.call("importer").settings(&settings(&more)).sync().await
}

fn keys(run: &Run, kind: &str, field: &str) -> Vec<String> {
    let units = run.units.iter().filter(|unit| unit.r#type == kind);
    units.map(|unit| read(&unit.key)[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn packages_of_the_installer_are_a_component_in_their_component() {
    let udeb = package("kernel", "1", "amd64").replace("_amd64.deb", "_amd64.udeb");
    let upstream = Upstream::new()
        .index(AMD64, &package("hello", "1", "amd64"))
        .index("main/debian-installer/binary-amd64/Packages", &udeb);
    let run = sync(&upstream, json!({})).await;
    assert_eq!(keys(&run, "deb", "component"), ["main"]);
    let run = sync(&upstream, json!({ "installer": true })).await;
    assert_eq!(keys(&run, "deb", "component"), ["main", "main/debian-installer"]);
    let file = &run.units.last().unwrap().files[0];
    assert_eq!(file.path, "kernel_1_amd64.udeb");
}

#[tokio::test]
async fn packages_for_all_that_are_listed_apart_and_not_served_are_read_from_the_others() {
    let all = "main/binary-all/Packages";
    let mut upstream = Upstream::new()
        .index(AMD64, &(package("hello", "1", "amd64") + &package("docs", "1", "all")))
        .index(all, &package("docs", "1", "all"));
    upstream.unserved.extend([format!("{all}.gz"), format!("{all}.xz")]);
    let run = sync(&upstream, json!({})).await;
    assert_eq!(keys(&run, "deb", "package"), ["hello", "docs"], "{run:#?}");
    assert!(run.warnings.iter().any(|warning| warning.code == "source.not_served"));
}

#[tokio::test]
async fn a_variant_of_an_architecture_stands_beside_the_plain_one() {
    let plain = package("hello", "1", "amd64");
    let tuned = plain
        .replace("Architecture: amd64\n", "Architecture: amd64\nArchitecture-Variant: amd64v3\n");
    let tuned = tuned.replace("_amd64.deb", "_amd64v3.deb").replace("SHA256: ", "SHA256: 0a");
    // Two digits more at the front, two less at the end: another digest.
    let tuned: String = tuned
        .lines()
        .map(|line| match line.strip_prefix("SHA256: ") {
            Some(hex) => format!("SHA256: {}\n", &hex[..64]),
            None => format!("{line}\n"),
        })
        .collect();
    let mut upstream = Upstream::new().index(AMD64, &plain);
    upstream = upstream.index("main/binary-amd64v3/Packages", &(tuned + "\n"));
    let run = sync(&upstream, json!({ "architectures": ["amd64", "amd64v3"] })).await;
    assert_eq!(keys(&run, "deb", "architecture"), ["amd64", "amd64v3"], "{run:#?}");
    let names: Vec<_> = run.units.iter().flat_map(|unit| &unit.files).map(|it| &it.path).collect();
    assert_eq!(names, ["hello_1_amd64.deb", "hello_1_amd64v3.deb"]);
}

#[tokio::test]
async fn lists_of_contents_are_passed_on_when_asked_for() {
    let upstream = Upstream::new()
        .index(AMD64, &package("hello", "1", "amd64"))
        .index("main/Contents-amd64", "usr/bin/hello hello\n");
    assert!(keys(&sync(&upstream, json!({})).await, "deb_index", "path").is_empty());
    let run = sync(&upstream, json!({ "contents": true })).await;
    let paths = keys(&run, "deb_index", "path");
    assert!(paths.len() == 1 && paths[0].starts_with("main/Contents-amd64."), "{paths:?}");
}

#[tokio::test]
async fn a_doubled_version_ends_the_sync_when_that_is_wished() {
    let other = package("hello", "1", "amd64").replace("SHA256: ", "SHA256: 0a");
    let other: String = other
        .lines()
        .map(|line| match line.strip_prefix("SHA256: ") {
            Some(hex) => format!("SHA256: {}\n", &hex[..64]),
            None => format!("{line}\n"),
        })
        .collect();
    let text = package("hello", "1", "amd64") + &other + "\n";
    let upstream = Upstream::new().index(AMD64, &text);
    let run = sync(&upstream, json!({})).await;
    assert_eq!((keys(&run, "deb", "package").len(), run.warnings.len()), (1, 1), "{run:#?}");
    let run = sync(&upstream, json!({ "duplicates": "fail" })).await;
    assert_eq!(run.error.unwrap().code, "content.conflict");
}

#[tokio::test]
async fn files_of_upstreams_own_are_kept_as_far_as_they_are_served() {
    let upstream = Upstream::new().index(AMD64, &package("hello", "1", "amd64"));
    let upstream = upstream.index("main/binary-arm64/Packages", "");
    let (harness, host) = upstream.harness();
    let wish = settings(&json!({ "verbatim": true }));
    let call = || harness.call("importer").settings(&wish);
    let run = call().sync().await;
    let dist = "dists/stable/";
    let mut paths = keys(&run, "deb_file", "path");
    paths.sort();
    let expected =
        ["InRelease", "Release", "main/binary-amd64/Packages.gz", "main/binary-amd64/Packages.xz"];
    assert_eq!(paths, expected.map(|name| format!("{dist}{name}")), "the plain one is not served");
    let first = run.state();
    let asked = host.requests().len();
    let run = call().state(first.clone()).last("succeeded").sync().await;
    assert!(run.done().nothing_to_do && host.requests().len() == asked + 1, "{run:#?}");

    let fields = upstream.fields.replace("07:37", "08:37");
    let later = Upstream { fields, ..upstream }.harness();
    let run = later.0.call("importer").settings(&wish).state(first).last("succeeded").sync().await;
    assert_eq!(keys(&run, "deb_file", "path").len(), 4, "{run:#?}");
    let asked = later.1.requests();
    assert!(
        asked.iter().all(|url| !url.contains("Packages.")),
        "what is held is not asked for: {asked:?}"
    );
    assert!(asked.contains(&format!("{URL}/{dist}Release.gpg")));
}

#[tokio::test]
async fn a_release_of_another_state_than_the_inrelease_is_left_out() {
    let upstream = Upstream::new().index(AMD64, &package("hello", "1", "amd64"));
    let host = upstream.serve(FakeHost::new(), "dists/stable/");
    let other = upstream.release().replace("07:37", "09:37");
    let host = host.file(&format!("{URL}/dists/stable/Release"), other);
    let harness = Harness::start(plugin(), host);
    let run =
        harness.call("importer").settings(&settings(&json!({ "verbatim": true }))).sync().await;
    let paths = keys(&run, "deb_file", "path");
    assert!(!paths.contains(&"dists/stable/Release".to_owned()), "{paths:?}");
    assert!(run.warnings.iter().any(|warning| warning.code == "source.changing"));
}

#[tokio::test]
async fn a_verbatim_publication_needs_files_of_upstreams_own() {
    let body = b"hello";
    let key = json!({ "distribution": "stable", "component": "main", "package": "hello",
        "version": "1", "architecture": "amd64", "sha256": sha256(body) });
    let unit = Unit::new("deb")
        .key(&key)
        .and_then(|unit| unit.attributes(&json!({ "area": "stable/main", "control": "" })))
        .unwrap()
        .file(File::at("hello_1_amd64.deb").sha256(&sha256(body)).size(5));
    let harness = Harness::start(plugin(), FakeHost::new().unit(unit));
    let call = harness.call("distributor").settings(&json!({ "verbatim": true }));
    assert_eq!(call.publish().await.error.unwrap().code, "content.verbatim");
}

#[tokio::test]
async fn the_installers_packages_are_listed_and_no_component_of_clients() {
    let body = b"udeb";
    let component = "main/debian-installer";
    let key = json!({ "distribution": "stable", "component": component, "package": "kernel",
        "version": "1", "architecture": "amd64", "sha256": sha256(body) });
    let attributes =
        json!({ "area": format!("stable/{component}"), "control": "Package: kernel\n" });
    let unit = Unit::new("deb")
        .key(&key)
        .and_then(|unit| unit.attributes(&attributes))
        .unwrap()
        .file(File::at("kernel_1_amd64.udeb").sha256(&sha256(body)).size(4));
    let told = json!({ "fields": [], "architectures": ["amd64"], "components": ["main", component],
        "sources": false });
    let release = Unit::new("deb_release")
        .key(&json!({ "distribution": "stable", "sha256": "00" }))
        .and_then(|unit| unit.attributes(&told))
        .unwrap();
    let host = FakeHost::new().unit(unit).unit(release);
    let run = Harness::start(plugin(), host).call("distributor").publish().await;
    let paths: Vec<&str> = run.files.iter().map(|file| file.path.as_str()).collect();
    assert!(
        paths.contains(&"dists/stable/main/debian-installer/binary-amd64/Packages"),
        "{paths:?}"
    );
    assert!(paths.iter().any(|path| path.ends_with("/kernel_1_amd64.udeb")), "{paths:?}");
    let release = run.files.iter().find(|file| file.path == "dists/stable/Release").unwrap();
    let Some(wharf_sdk::wire::published_file::From::Inline(text)) = &release.from else {
        unreachable!("a small Release is inline")
    };
    let text = String::from_utf8_lossy(text);
    assert!(
        text.contains("Components: main\n")
            && text.contains(" main/debian-installer/binary-amd64/Packages\n")
    );
}
