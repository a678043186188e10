//! Real programs on both sides: nginx upstream, wget, curl and sha256sum downstream.
//!
//! `WHARF_FILES` sets how many files there are (1,000; the format is done when 10,000 pass).

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use wharf_tests::nginx::Nginx;
use wharf_tests::{TestHost, Tree};

fn files() -> usize {
    std::env::var("WHARF_FILES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

/// Runs a program in a folder; it must succeed.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}{errors}");
    told
}

#[test]
fn a_tree_from_nginx_is_mirrored_back_by_wget_and_curl_and_sha256sum_is_content() {
    let count = files();
    let tree = Tree::of(count, 2_000, 91);
    let nginx = Nginx::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    let from = nginx.url("PULP_MANIFEST");
    let first = host.ok(&["mirror", "file", "tools", "--from", &from]);
    assert_eq!(
        (&first["state"], &first["added"]),
        (&json!("succeeded"), &json!(count)),
        "{first:#}"
    );
    let asked = nginx.requests();
    let second = host.ok(&["sync", "tools"]);
    assert_eq!((&second["changed"], &second["version"]), (&json!(false), &json!(1)), "{second:#}");
    assert_eq!(nginx.requests(), asked + 1, "a second sync is one request");

    let base = format!("http://{}/content/tools/", host.server().content());
    let by_wget = host.folder().join("by-wget");
    fs::create_dir(&by_wget).expect("a folder");
    let mirror =
        ["-q", "-r", "-np", "-nH", "--cut-dirs=2", "-e", "robots=off", "-R", "index.html*", &base];
    run(&by_wget, "wget", &mirror);
    check_sums(&by_wget, count);

    let by_curl = host.folder().join("by-curl");
    fs::create_dir(&by_curl).expect("a folder");
    let list =
        ["PULP_MANIFEST".to_owned(), "SHA256SUMS".to_owned()].into_iter().chain(tree.paths());
    let config = list.fold(String::new(), |mut config, path| {
        writeln!(config, "url = \"{base}{path}\"\noutput = \"{path}\"")
            .expect("a String takes everything");
        config
    });
    fs::write(by_curl.join("config"), config).expect("a file");
    let all = ["-sS", "-f", "--create-dirs", "--parallel", "--parallel-max", "16", "-K", "config"];
    run(&by_curl, "curl", &all);
    check_sums(&by_curl, count);
    host.finish();
}

/// Every file is there and what SHA256SUMS says.
fn check_sums(folder: &Path, count: usize) {
    let told = run(folder, "sha256sum", &["-c", "SHA256SUMS"]);
    let good = told.lines().filter(|line| line.ends_with(": OK")).count();
    assert!(good >= count && good == told.lines().count(), "{good} of {count}: {told}");
}

#[test]
fn curl_resumes_a_download_of_a_published_file() {
    let mut tree = Tree::empty();
    tree.put("large.bin", &wharf_tests::random::Random::new(92).bytes(300_000));
    tree.write_manifest();
    let nginx = Nginx::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    host.ok(&["mirror", "file", "tools", "--from", &nginx.url("PULP_MANIFEST")]);
    let url = format!("http://{}/content/tools/large.bin", host.server().content());
    let half = host.folder().join("large.bin");
    fs::write(&half, &fs::read(tree.at("large.bin")).expect("it is there")[..123_456])
        .expect("a file");
    run(host.folder(), "curl", &["-sS", "-f", "-C", "-", "-o", "large.bin", &url]);
    let sum = run(host.folder(), "sha256sum", &["large.bin"]);
    assert!(sum.starts_with(&tree.digests()["large.bin"]), "{sum}");
    host.finish();
}
