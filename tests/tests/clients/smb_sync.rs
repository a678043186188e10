//! A share and a whole host: first run, nothing to do, changes, and what the job says of all that.

use std::fs;

use serde_json::json;
use wharf_tests::TestHost;
use wharf_tests::samba::{PASSWORD, Samba};
use wharf_tests::share::Share as _;

use crate::shares;

/// A host with an attached share.
fn host(samba: &Samba, more: &[&str]) -> TestHost {
    shares::host::<Samba>(samba.port(), "open", more)
}

#[test]
fn a_share_is_mirrored_and_a_run_with_nothing_to_do_fetches_nothing() {
    let samba = Samba::start();
    for number in 0..60 {
        samba.write(&format!("d{}/f{number}.txt", number % 7), format!("{number}"));
    }
    let host = host(&samba, &["concurrency=3"]);
    let first = host.ok(&["sync", "school"]);
    assert_eq!((&first["added"], &first["bytes"]), (&json!(60), &json!(110)), "{first:#}");
    let again = host.ok(&["sync", "school"]);
    assert_eq!((&again["unchanged"], &again["bytes"]), (&json!(60), &json!(0)), "{again:#}");
    assert_eq!(again["changed"], json!(false), "{again:#}");

    samba.write("d0/f0.txt", "other");
    fs::remove_file(samba.files().join("d1/f1.txt")).expect("it was there");
    let changed = host.ok(&["sync", "school"]);
    let counts = ["added", "removed", "unchanged", "bytes"].map(|name| changed[name].clone());
    assert_eq!(counts, [json!(1), json!(2), json!(58), json!(5)], "{changed:#}");
    host.finish();
}

// F98
#[test]
fn a_name_that_cannot_be_carried_fails_alone() {
    let samba = Samba::start();
    samba.write("good.txt", "good");
    samba.write("bad\u{202e}txt.exe", "bad");
    let host = host(&samba, &[]);
    let run = host.wharf(&["sync", "school"]);
    let counts = (run.status, &run.json["added"], &run.json["failed"]);
    assert_eq!(counts, (3, &json!(1), &json!(1)), "{run:#?}");
    assert_eq!(run.json["items"][0]["problem"]["code"], json!("content.path"), "{run:#?}");
    host.finish();
}

#[test]
fn a_server_that_is_gone_changes_nothing_and_is_found_again() {
    shares::a_server_is_gone::<Samba>(&[
        "//127.0.0.1/open",
        "refused",
        "look whether the server runs",
    ]);
}

#[test]
fn settings_that_cannot_be_right_are_named_before_anything_is_asked() {
    let mut host = TestHost::new();
    host.install("smb");
    host.serve();
    host.ok(&["repo", "create", "school"]);
    let run = host.wharf(&[
        "attach",
        "school",
        "smb.importer",
        "--set",
        "hostname=smb://h/x",
        "--set",
        "share=a/b",
        "--set",
        "remote_dir=../x",
    ]);
    run.ended(2, "usage").says(&["hostname", "share", "remote_dir", "smb://"]);
    host.finish();
}

#[test]
fn a_configuration_of_kitovu_is_taken_over_as_it_is() {
    let samba = Samba::start();
    samba.write("Lectures/a.txt", "one");
    samba.write("Lectures/deep/b.txt", "two");
    samba.write("Lectures/Thumbs.db", "x");
    let mut host = TestHost::new();
    host.install("smb");
    host.serve();
    let set = ["secret", "set", "school", "-"];
    assert_eq!(host.given(format!("{PASSWORD}\n").as_bytes(), &set).status, 0);
    let studies = host.folder().join("studies");
    let yaml = host.folder().join("kitovu.yaml");
    let text = format!(
        "root-dir: {}\nglobal-ignore: [Thumbs.db]\nconnections:\n  - name: school\n    plugin: smb\n    \
         hostname: 127.0.0.1\n    port: {}\n    share: files\n    username: {}\n    domain: ''\n    \
         use_ntlm_v2: true\n    sign_options: when_supported\n    is_direct_tcp: true\n\
         subjects:\n  - name: Physics\n    sources:\n      - {{connection: school, remote-dir: /Lectures}}\n",
        studies.display(),
        samba.port(),
        samba.user()
    );
    fs::write(&yaml, text).expect("a file");
    host.ok(&["kitovu", "import", yaml.to_str().expect("UTF-8")]);
    let first = host.ok(&["sync", "--all"]);
    assert_eq!(first["totals"]["sync"]["added"], json!(2), "{first:#}");
    let read = |path: &str| fs::read_to_string(studies.join("Physics").join(path));
    assert_eq!(read("deep/b.txt").expect("it was written"), "two");
    assert!(read("Thumbs.db").is_err(), "it is ignored");
    let again = host.ok(&["sync", "--all"]);
    assert_eq!(again["totals"]["sync"]["bytes"], json!(0), "{again:#}");

    assert_eq!(host.given(b"battery staple\n", &set).status, 0);
    let run = host.wharf(&["sync", "Physics"]);
    run.ended(2, "usage").says(&["wharf secret set school"]);
    assert!(!run.words().contains("battery"), "{run:#?}");
    assert_eq!(read("a.txt").expect("it stays"), "one");
    host.finish();
}
