//! Repositories as they were made long ago, with MD5 and SHA-1 and nothing else.

use std::fs;

use serde_json::{Value, json};
use wharf_tests::apt::{Apt, Archive};
use wharf_tests::{TestHost, Upstream};

const ALLOWED: [&str; 2] = ["--set", "allow_weak_digests=true"];

fn host() -> TestHost {
    let mut host = TestHost::new();
    host.install("deb");
    host.serve();
    host
}

fn arguments(upstream: &Upstream) -> Vec<String> {
    let from = upstream.url("");
    ["mirror", "deb", "apt", "--from", &from, "--set", "suites=stable"].map(str::to_owned).to_vec()
}

/// The one warning of weak digests in what a run came to.
fn warning(told: &Value) -> &str {
    assert_eq!(told["warning_codes"]["policy.weak_digest"], json!(1), "{told:#}");
    let warnings = told["warnings_list"].as_array().expect("a list");
    let weak = warnings.iter().find(|it| it["code"] == json!("policy.weak_digest"));
    weak.and_then(|it| it["text"].as_str()).expect("a text")
}

// F104
#[test]
fn apt_installs_by_sha256_what_upstream_lists_by_md5_once_that_is_allowed() {
    let mut archive = Archive::weak();
    archive.add("hello", "1.0", "amd64", "xz");
    archive.release();
    let upstream = Upstream::of(archive.folder());
    let host = host();
    let arguments = arguments(&upstream);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let refused = host.wharf(&arguments);
    assert_eq!((refused.status, refused.code()), (1, "policy.digest"), "{refused:#?}");
    refused.says(&["md5", "can be forged", "allow_weak_digests"]);

    let told = host.ok(&[&arguments[..], &ALLOWED].concat());
    assert!(warning(&told).starts_with("2 files"), "an index and a package: {told:#}");
    let units = host.ok(&["unit", "list", "apt", "--type", "deb"]);
    let id = units["units"][0]["id"].to_string();
    let unit = host.ok(&["unit", "show", &id]);
    let digests = unit["files"][0]["digests"].to_string();
    assert!(digests.contains("sha1:") && unit["files"][0]["sha256"].is_string(), "{unit:#}");

    let place = host.server().content();
    let apt = Apt::new(&format!("deb [trusted=yes] http://{place}/content/apt stable main"));
    apt.ok(&["update"]);
    apt.ok(&["install", "-y", "hello"]);
    assert_eq!(apt.installed("usr/share/hello/version"), "1.0\n");

    archive.add("other", "1.0", "all", "gzip");
    archive.release();
    let told = host.ok(&["sync", "apt"]);
    assert_eq!((&told["added"], &told["unchanged"]), (&json!(1), &json!(2)), "{told:#}");
    assert!(warning(&told).starts_with("2 files"), "hello is not fetched again: {told:#}");

    archive.add("forged", "1.0", "all", "gzip");
    archive.release();
    let path = archive.folder().join("pool/forged_1.0_all.deb");
    let mut bytes = fs::read(&path).expect("dpkg-deb made it");
    *bytes.last_mut().expect("it is not empty") ^= 1;
    fs::write(&path, bytes).expect("a file");
    let run = host.wharf(&["sync", "apt"]);
    assert_eq!(run.status, 3, "{run:#?}");
    let failed = run.json["items"][0].to_string();
    for word in ["integrity.digest", "forged_1.0_all.deb", "sha1:"] {
        assert!(failed.contains(word), "{word}: {run:#?}");
    }
    host.finish();
}
