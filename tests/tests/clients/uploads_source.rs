//! Source packages that users bring, and uploads that nobody went on with.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use wharf_tests::TestHost;
use wharf_tests::apt::Apt;
use wharf_tests::debian::Site;
use wharf_tests::gpg::Gpg;

fn host() -> TestHost {
    let mut host = TestHost::new();
    host.install("deb");
    host.serve();
    host
}

/// The two files of a native source package.
fn files(site: &Site, version: &str) -> [PathBuf; 2] {
    site.source("hello", version);
    ["dsc", "tar.xz"].map(|ending| site.folder().join(format!("pool/hello_{version}.{ending}")))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

// F101, F118
#[test]
fn apt_get_source_unpacks_an_uploaded_source_package() {
    let (host, site) = (host(), Site::new());
    let [dsc, tar] = files(&site, "1.0");
    let (dsc, tar) = (text(&dsc), text(&tar));
    let upload = ["upload", "apps", "--type", "deb_source"];
    let with = |more: &[&str]| host.wharf(&[&upload[..], more].concat());
    with(&[dsc]).ended(2, "content").says(&["hello_1.0.tar.xz", "together"]);
    with(&[tar]).ended(2, "content").says(&["hello_1.0.tar.xz", "no .dsc"]);

    let damaged = host.folder().join("hello_1.0.tar.xz");
    let mut bytes = fs::read(tar).expect("dpkg-source made it");
    bytes[100] ^= 1;
    fs::write(&damaged, bytes).expect("a file");
    with(&[dsc, text(&damaged)]).ended(2, "integrity").says(&["hello_1.0.tar.xz"]);
    let misnamed = host.folder().join("hello_2.0.dsc");
    fs::copy(dsc, &misnamed).expect("a file");
    with(&[text(&misnamed), tar]).ended(2, "content").says(&["hello_1.0.dsc"]);

    let told = host.ok(&[&upload[..], &[dsc, tar]].concat());
    assert_eq!((&told["added"], &told["brought"][0]["type"]), (&json!(1), &json!("deb_source")));
    let base = format!("http://{}/content/apps", host.server().content());
    let apt = Apt::new(&format!("deb-src [trusted=yes] {base} stable main"));
    apt.ok(&["update"]);
    apt.ok(&["source", "hello"]);
    let program = |version: &str| {
        let path = apt.downloads().join(format!("hello-{version}/program"));
        fs::read_to_string(path).expect("dpkg-source unpacked it")
    };
    assert_eq!(program("1.0"), "1.0\n");

    let [dsc, tar] = files(&site, "2.0");
    let gpg = Gpg::new();
    gpg.key("maker", "ed25519", "");
    let signed = host.folder().join("signed/hello_2.0.dsc");
    fs::create_dir(host.folder().join("signed")).expect("a folder");
    gpg.sign("maker", &dsc, &signed, &["--clear-sign"]);
    host.ok(&["upload", "apps", text(&signed), text(&tar)]);
    apt.ok(&["update"]);
    apt.ok(&["source", "hello"]);
    assert_eq!(program("2.0"), "2.0\n");
    host.finish();
}

#[test]
fn an_upload_that_nobody_goes_on_with_is_listed_and_forgotten_by_its_number() {
    let host = host();
    host.ok(&["repo", "create", "apps"]);
    host.ok(&["attach", "apps", "deb.importer"]);
    let body = br#"{"name": "a.deb", "size": 2048}"#;
    let begun = host.api("POST", "/api/v1/repositories/apps/uploads", body);
    let id = begun.json()["id"].to_string();
    let listed = host.ok(&["upload", "apps", "--unfinished"]);
    assert_eq!(listed["uploads"][0]["name"], json!("a.deb"), "{listed:#}");
    let shown = host.wharf(&["--output", "text", "upload", "apps", "--unfinished"]).stdout;
    assert!(shown.contains("2.00 KiB") && shown.contains("a.deb"), "{shown}");

    host.wharf(&["upload", "apps", "--forget", "999"])
        .ended(2, "usage")
        .says(&["999", "--unfinished"]);
    let told = host.ok(&["upload", "apps", "--forget", &id]);
    assert_eq!(told["forgotten"][0].to_string(), id);
    assert_eq!(host.ok(&["upload", "apps", "--unfinished"])["uploads"], json!([]));
    host.finish();
}
