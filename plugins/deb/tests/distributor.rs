//! The component `distributor`, as a host sees it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::{Value, json};
use support::{read, sha256};
use wharf_plugin_deb::plugin;
use wharf_plugin_deb::release::Release;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::event::Event;
use wharf_sdk::wire::published_file::From;
use wharf_sdk::{File, Unit};

/// 2026-11-21 07:37:04, and a bit.
const NOW: i64 = 1_795_246_624_500;

fn deb_in(
    distribution: &str,
    package: &str,
    version: &str,
    architecture: &str,
    body: &str,
) -> Unit {
    let sha256 = sha256(body.as_bytes());
    let key = json!({ "distribution": distribution, "component": "main", "package": package,
        "version": version, "architecture": architecture, "sha256": sha256 });
    let control = format!("Package: {package}\nVersion: {version}\nArchitecture: {architecture}\n");
    let attributes = json!({ "area": format!("{distribution}/main"), "control": control });
    let file = version.split_once(':').map_or(version, |(_, rest)| rest);
    let file = File::at(format!("{package}_{file}_{architecture}.deb"))
        .sha256(&sha256)
        .size(body.len() as u64);
    Unit::new("deb").key(&key).unwrap().attributes(&attributes).unwrap().file(file)
}

fn deb(package: &str, version: &str, architecture: &str) -> Unit {
    deb_in("stable", package, version, architecture, &format!("{package} {version} {architecture}"))
}

fn release(distribution: &str, architectures: &[&str]) -> Unit {
    let key = json!({ "distribution": distribution, "sha256": "00" });
    let fields = json!([["Origin", "Test"], ["Suite", "oldstable"], ["Codename", distribution]]);
    let attributes = json!({ "fields": fields, "architectures": architectures,
        "components": ["main", "empty"], "sources": false });
    Unit::new("deb_release").key(&key).unwrap().attributes(&attributes).unwrap()
}

/// A publication with its files' bytes.
struct Published {
    run: Run,
    files: BTreeMap<String, Vec<u8>>,
    /// Path and the name that it stands for.
    aliases: BTreeMap<String, String>,
}

async fn publish(units: Vec<Unit>, settings: Value, state: Vec<u8>) -> Published {
    let host = units.into_iter().fold(FakeHost::new(), FakeHost::unit);
    let harness = Harness::start(plugin(), host);
    let call = harness.call("distributor").settings(&settings).state(state);
    let run = call.timestamp_ms(NOW).publish().await;
    let mut files = BTreeMap::new();
    for file in &run.files {
        let bytes = match &file.from {
            Some(From::Inline(bytes)) => bytes.clone(),
            Some(From::Staged(name)) => std::fs::read(harness.work_dir().join(name)).unwrap(),
            Some(From::Unit(unit)) => format!("unit {} {}", unit.unit, unit.path).into_bytes(),
            other => panic!("{other:?}"),
        };
        assert!(files.insert(file.path.clone(), bytes).is_none(), "{} twice", file.path);
    }
    let aliases = run.others.iter().filter_map(|event| match event {
        Event::Aliases(aliases) => Some(aliases.aliases.clone()),
        _ => None,
    });
    let aliases = aliases.flatten().map(|alias| (alias.path, alias.target)).collect();
    Published { run, files, aliases }
}

impl Published {
    fn text(&self, path: &str) -> String {
        let bytes = self.files.get(path);
        let bytes = bytes.unwrap_or_else(|| panic!("{path} is not in {:?}", self.files.keys()));
        String::from_utf8(bytes.clone()).unwrap()
    }
}

fn some() -> Vec<Unit> {
    vec![
        release("stable", &["amd64", "arm64"]),
        deb("zlib", "1:1.10", "amd64"),
        deb("zlib", "1:1.9", "amd64"),
        deb("libdoc", "1", "all"),
    ]
}

#[tokio::test]
async fn packages_are_listed_by_name_and_version_and_those_for_all_in_every_list() {
    let published = publish(some(), json!({}), Vec::new()).await;
    let list = published.text("dists/stable/main/binary-amd64/Packages");
    let doc = sha256(b"libdoc 1 all");
    assert!(list.starts_with(&format!(
        "Package: libdoc\nVersion: 1\nArchitecture: all\nFilename: pool/main/libd/libdoc/libdoc_1_all.deb\n\
         Size: 12\nSHA256: {doc}\n\n"
    )));
    let versions: Vec<_> = list.lines().filter(|line| line.starts_with("Version")).collect();
    assert_eq!(versions, ["Version: 1", "Version: 1:1.9", "Version: 1:1.10"]);
    let other = published.text("dists/stable/main/binary-arm64/Packages");
    assert_eq!(other.matches("Package: ").count(), 1);
    assert_eq!(published.text("dists/stable/empty/binary-amd64/Packages"), "");
    assert!(published.text("pool/main/z/zlib/zlib_1.10_amd64.deb").starts_with("unit "));
}

#[tokio::test]
async fn every_index_is_in_the_release_and_can_be_had_by_its_digest() {
    let published = publish(some(), json!({ "compressions": ["gz", "xz"] }), Vec::new()).await;
    let text = published.text("dists/stable/Release");
    let release = Release::read(text.as_bytes()).unwrap();
    assert!(release.by_hash && release.date == Some(NOW / 1000), "{text}");
    assert!(text.starts_with("Origin: Test\nSuite: oldstable\nCodename: stable\nDate: "), "{text}");
    let plain = "main/binary-amd64/Packages";
    assert!(release.digests.get(plain).is_some(), "listed, so that apt asks for the others");
    assert!(!published.files.contains_key(&format!("dists/stable/{plain}")), "and not published");
    let mut compared = 0;
    for (path, listed) in release.digests.iter() {
        let Some(bytes) = published.files.get(&format!("dists/stable/{path}")) else { continue };
        assert_eq!(
            (listed.size, listed.sha256.clone().unwrap()),
            (bytes.len() as u64, sha256(bytes))
        );
        let folder = path.rsplit_once('/').unwrap().0;
        let hashed = format!("dists/stable/{folder}/by-hash/SHA256/{}", sha256(bytes));
        let target = published.aliases.get(&hashed).unwrap();
        assert_eq!(published.files[target], *bytes);
        compared += 1;
    }
    assert_eq!(compared, 8, "two components, two architectures, two compressions");
}

#[tokio::test]
async fn compressed_indexes_unpack_to_the_plain_one() {
    let published = publish(some(), json!({}), Vec::new()).await;
    let path = "dists/stable/main/binary-amd64/Packages";
    for compression in wharf_plugin_deb::unpack::Compression::ALL {
        let Some(bytes) = published.files.get(&format!("{path}{}", compression.suffix())) else {
            continue;
        };
        let mut text = String::new();
        compression.open(bytes.as_slice(), 1 << 20).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, published.text(path), "{compression:?}");
    }
}

#[tokio::test]
async fn the_same_version_at_the_same_time_gives_the_same_bytes() {
    let first = publish(some(), json!({}), Vec::new()).await;
    let second = publish(some(), json!({}), Vec::new()).await;
    assert_eq!((first.files, first.aliases), (second.files, second.aliases));
}

#[tokio::test]
async fn the_date_goes_up_with_every_publication() {
    let first = publish(some(), json!({}), Vec::new()).await;
    let second = publish(some(), json!({}), first.run.state()).await;
    let dates = [&first, &second].map(|published| {
        Release::read(published.text("dists/stable/Release").as_bytes()).unwrap().date.unwrap()
    });
    assert_eq!(dates[1], dates[0] + 1);
    let release = second.run.files.iter().find(|file| file.path.ends_with("/Release")).unwrap();
    assert_eq!((release.entry_point, release.modified_ms), (true, dates[1] * 1000));
}

#[tokio::test]
async fn a_date_far_ahead_of_the_clock_is_told() {
    let state = json!({ "date": NOW / 1000 + 60, "distributions": {} }).to_string();
    let published = publish(some(), json!({}), state.into_bytes()).await;
    assert_eq!(published.run.warnings[0].code, "clock.behind");
    let text = published.text("dists/stable/Release");
    assert_eq!(Release::read(text.as_bytes()).unwrap().date, Some(NOW / 1000 + 61));
}

#[tokio::test]
async fn the_release_goes_by_the_distributions_name() {
    let units = vec![deb("a", "1", "amd64")];
    let settings = json!({ "origin": "Mine", "label": "Our own" });
    let published = publish(units, settings, Vec::new()).await;
    let text = published.text("dists/stable/Release");
    let start = "Origin: Mine\nLabel: Our own\nSuite: stable\nCodename: stable\nDate: ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains("\nArchitectures: amd64\nComponents: main\n"), "{text}");
}

#[tokio::test]
async fn equal_files_of_two_distributions_are_published_once_and_others_apart() {
    let units = vec![
        deb_in("stable", "same", "1", "all", "x"),
        deb_in("testing", "same", "1", "all", "x"),
        deb_in("stable", "other", "1", "all", "y"),
        deb_in("testing", "other", "1", "all", "z"),
    ];
    let published = publish(units, json!({}), Vec::new()).await;
    let pool: Vec<_> = published.files.keys().filter(|path| path.starts_with("pool/")).collect();
    let apart = format!("pool/main/o/other/{}/other_1_all.deb", &sha256(b"z")[..16]);
    assert_eq!(
        pool,
        [&*apart, "pool/main/o/other/other_1_all.deb", "pool/main/s/same/same_1_all.deb"]
    );
    let list = published.text("dists/testing/main/binary-all/Packages");
    assert!(list.contains(&format!("Filename: {apart}\n")), "{list}");
}

#[tokio::test]
async fn sources_have_their_own_list() {
    let (dsc, tar) = (sha256(b"dsc"), sha256(b"tar"));
    let key = json!({ "distribution": "stable", "component": "main", "package": "a",
        "version": "1-1", "sha256": dsc });
    let control = format!("Package: a\nVersion: 1-1\nChecksums-Sha256:\n {dsc} 3 a_1-1.dsc\n");
    let attributes = json!({ "area": "stable/main", "control": control });
    let unit = Unit::new("deb_source").key(&key).unwrap().attributes(&attributes).unwrap();
    let unit = unit.file(File::at("a_1-1.dsc").sha256(&dsc).size(3));
    let unit = unit.file(File::at("a_1.orig.tar.gz").sha256(&tar).size(3));
    let published = publish(vec![unit], json!({}), Vec::new()).await;
    let list = published.text("dists/stable/main/source/Sources");
    assert_eq!(list, format!("{control}Directory: pool/main/a/a\n\n"));
    for name in ["a_1-1.dsc", "a_1.orig.tar.gz"] {
        assert!(published.files.contains_key(&format!("pool/main/a/a/{name}")), "{name}");
    }
}

#[tokio::test]
async fn a_publication_that_goes_live_again_gets_a_fresh_release_only() {
    let host = some().into_iter().fold(FakeHost::new(), FakeHost::unit);
    let harness = Harness::start(plugin(), host);
    let run = harness.call("distributor").timestamp_ms(NOW).reissue(1).await;
    let paths: Vec<_> = run.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["dists/stable/Release"]);
    assert_eq!(read(&run.done().summary)["packages"], 3);
}

#[tokio::test]
async fn a_package_of_unknown_size_fails_alone() {
    let key = json!({ "distribution": "stable", "component": "main", "package": "a",
        "version": "1", "architecture": "all", "sha256": "00" });
    let attributes = json!({ "area": "stable/main", "control": "Package: a\n" });
    let unit = Unit::new("deb").key(&key).unwrap().attributes(&attributes).unwrap();
    let published = publish(
        vec![unit.file(File::at("a_1_all.deb")), deb("b", "1", "all")],
        json!({}),
        Vec::new(),
    )
    .await;
    assert_eq!(published.run.items.len(), 1);
    assert_eq!(
        published.text("dists/stable/main/binary-all/Packages").matches("Package").count(),
        1
    );
}
