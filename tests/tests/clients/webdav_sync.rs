//! A WebDAV folder and a whole host: first run, nothing to do, changes, TLS, and what the job says of all that.

use std::fs;

use serde_json::{Value, json};
use wharf_tests::apache::{Apache, PASSWORD, USER};
use wharf_tests::authority::Authority;
use wharf_tests::share::Share as _;
use wharf_tests::{TestHost, wait};

use crate::shares;

/// A host with an attached folder that everybody may read.
fn host(apache: &Apache, more: &[&str]) -> TestHost {
    shares::host::<Apache>(apache.port(), "open", more)
}

fn counts(told: &Value) -> [Value; 4] {
    ["added", "removed", "unchanged", "bytes"].map(|name| told[name].clone())
}

/// What the server was asked since `before`, once it has written so many lines.
fn asked(apache: &Apache, before: usize, at_least: usize) -> Vec<String> {
    wait::until("the server notes its answers", wait::PATIENCE, || {
        let lines = apache.requests().split_off(before);
        (lines.len() >= at_least).then_some(lines)
    })
}

#[test]
fn a_folder_is_mirrored_and_a_run_with_nothing_to_do_is_one_listing() {
    let apache = Apache::start();
    for number in 0..60 {
        apache.write(&format!("d{}/f{number}.txt", number % 7), format!("{number}"));
    }
    let host = host(&apache, &["concurrency=3"]);
    let first = host.ok(&["sync", "school"]);
    assert_eq!((&first["added"], &first["bytes"]), (&json!(60), &json!(110)), "{first:#}");
    // The top and seven folders, then the files.
    let before = asked(&apache, 0, 68).len();
    assert_eq!(before, 68);

    let again = host.ok(&["sync", "school"]);
    assert_eq!((&again["unchanged"], &again["bytes"]), (&json!(60), &json!(0)), "{again:#}");
    assert_eq!(again["changed"], json!(false), "{again:#}");
    let listed = asked(&apache, before, 8);
    assert!(listed.iter().all(|line| line.starts_with("PROPFIND ")), "{listed:#?}");
    assert_eq!(listed.len(), 8, "{listed:#?}");

    apache.write("d0/f0.txt", "other");
    apache.write("new/g.txt", "new");
    fs::remove_file(apache.files().join("d1/f1.txt")).expect("it was there");
    let changed = host.ok(&["sync", "school"]);
    assert_eq!(counts(&changed), [2, 2, 58, 8].map(|number| json!(number)), "{changed:#}");
    let last = host.ok(&["sync", "school"]);
    assert_eq!(counts(&last), [0, 0, 60, 0].map(|number| json!(number)), "{last:#}");
    host.finish();
}

#[test]
fn files_keep_their_names_and_times_in_a_users_folder() {
    let apache = Apache::start();
    let names = ["a b/größe & mehr.txt", "100%25.txt", "#1.txt", "x+y;z=[1].txt"];
    for name in names {
        apache.write(name, name);
    }
    let host = host(&apache, &[]);
    let studies = host.folder().join("studies");
    host.attach("school", "folder", &[&format!("path={}", studies.display())]);
    host.ok(&["sync", "school"]);
    host.ok(&["publish", "school"]);
    for name in names {
        assert_eq!(fs::read_to_string(studies.join(name)).expect("it was written"), name);
        let modified = |path| {
            let time = fs::metadata(path).and_then(|it| it.modified()).expect("a file");
            time.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
        };
        assert_eq!(modified(studies.join(name)), modified(apache.files().join(name)), "{name}");
    }
    host.finish();
}

// F98
#[test]
fn a_name_that_cannot_be_carried_fails_alone() {
    let apache = Apache::start();
    apache.write("good.txt", "good");
    apache.write("bad\u{202e}txt.exe", "bad");
    apache.write("back\\slash.txt", "bad");
    let host = host(&apache, &[]);
    let run = host.wharf(&["sync", "school"]);
    let counts = (run.status, &run.json["added"], &run.json["failed"]);
    assert_eq!(counts, (3, &json!(1), &json!(2)), "{run:#?}");
    for item in run.json["items"].as_array().expect("items") {
        assert_eq!(item["problem"]["code"], json!("content.path"), "{run:#?}");
    }
    host.finish();
}

#[test]
fn a_server_is_mirrored_over_https_with_the_authority_of_the_settings_and_with_no_other() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let apache = Apache::start_secure(&authority);
    apache.write("a.txt", "a");
    apache.write("large.bin", vec![7; 9 << 20]);
    let mut host = TestHost::new();
    host.install("webdav");
    host.serve();
    let set = ["secret", "set", "cloud", "-"];
    assert_eq!(host.given(format!("{PASSWORD}\n").as_bytes(), &set).status, 0);
    let (url, user) = (format!("url={}", apache.url("dav")), format!("username={USER}"));
    let trust = |authority: &Authority| {
        let file = host.folder().join("ca.pem");
        fs::write(&file, authority.pem()).expect("a file");
        format!("certificates=@{}", file.display())
    };
    let trusted = trust(&stranger);
    let settings = [url.as_str(), &user, "password=cloud", &trusted];
    host.repository("school", &[("webdav.importer", &settings)]);
    let run = host.wharf(&["sync", "school"]);
    run.ended(1, "source").says(&["no trusted connection", "certificate"]);
    assert_eq!(run.code(), "source.tls", "{run:#?}");
    assert_eq!(apache.requests(), Vec::<String>::new(), "nothing was asked for");

    let trusted = trust(&authority);
    host.attach("school", "webdav.importer", &[&url, &user, "password=cloud", &trusted]);
    let first = host.ok(&["sync", "school"]);
    assert_eq!((&first["added"], &first["bytes"]), (&json!(2), &json!((9 << 20) + 1)), "{first:#}");
    let again = host.ok(&["sync", "school"]);
    assert_eq!((&again["unchanged"], &again["bytes"]), (&json!(2), &json!(0)), "{again:#}");
    host.finish();
}

#[test]
fn settings_that_cannot_be_right_are_named_before_anything_is_asked() {
    let mut host = TestHost::new();
    host.install("webdav");
    host.serve();
    host.ok(&["repo", "create", "school"]);
    let attach = |url: &str, folder: &str| {
        let settings = ["--set", url, "--set", folder];
        host.wharf(&[&["attach", "school", "webdav.importer"], &settings[..]].concat())
    };
    let run = attach("url=https://me:pw@cloud.example.org/dav", "remote_dir=../x");
    run.ended(2, "usage").says(&["url", "username and password", "remote_dir"]);
    assert!(!run.words().contains("me:pw"), "{run:#?}");
    attach("url=davs://cloud.example.org/dav", "remote_dir=x").ended(2, "usage").says(&["davs://"]);
    assert_eq!(attach("url=http://cloud.example.org/dav", "remote_dir=x").status, 0);
    host.finish();
}
