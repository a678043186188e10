//! A share, a whole host, and what goes wrong with the share: what people are told, with which status, that what was
//! there stays whole, and that the next run mends.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wharf_tests::gate::Gate;
use wharf_tests::invariants::published;
use wharf_tests::samba::{PASSWORD, Samba};
use wharf_tests::share::Share as _;
use wharf_tests::tree::sha256;
use wharf_tests::{Run, TestHost};

/// Files that no single answer holds.
const LARGE: usize = 6 << 20;
/// Files that the plugin stages.
const STAGED: usize = 12 << 20;

/// A host with an attached share, and a publication of it.
fn host(port: u16, settings: &[&str]) -> TestHost {
    let mut host = TestHost::new();
    host.install("smb");
    host.install("file");
    host.serve();
    let port = format!("port={port}");
    let settings = [&["hostname=127.0.0.1", &port], settings].concat();
    host.repository("school", &[("smb.importer", &settings)]);
    host
}

fn counts(run: &Value) -> [Value; 4] {
    ["added", "removed", "unchanged", "failed"].map(|name| run[name].clone())
}

/// Nothing is visible of a run that failed, and nothing of it lies around.
fn nothing_came_of(host: &TestHost, run: &Run, version: u64) {
    assert_eq!(host.ok(&["repo", "show", "school"])["version"], version, "{run:#?}");
    let left = files(&host.data().join("work"));
    assert!(left.is_empty(), "a run left {left:?}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(|entry| below(entry.path())).collect()
}

#[test]
fn a_folder_that_may_not_be_read_fails_and_what_stood_below_it_stays() {
    let samba = Samba::start();
    for path in ["open/a.txt", "closed/b.txt", "closed/deep/c.txt"] {
        samba.write(path, path);
    }
    let host = host(samba.port(), &["share=stranger"]);
    assert_eq!(host.ok(&["sync", "school"])["added"], 3);
    let closed = samba.files().join("closed");
    fs::set_permissions(&closed, Permissions::from_mode(0o0)).expect("it is ours");
    fs::remove_file(samba.files().join("open/a.txt")).expect("it is there");
    let run = host.wharf(&["sync", "school"]);
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).expect("it is ours");
    assert_eq!(counts(&run.json), [0, 1, 2, 1].map(|number| json!(number)), "{run:#?}");
    let failed = &run.json["items"][0];
    assert_eq!((run.status, &failed["key"]), (3, &json!("closed")), "{run:#?}");
    let problem = &failed["problem"];
    let told = problem["message"].as_str().unwrap_or_default();
    assert_eq!(problem["code"], "source.folder", "{run:#?}");
    assert!(told.contains("//127.0.0.1/stranger/closed") && told.contains("ask"), "{told}");

    fs::remove_file(closed.join("b.txt")).expect("it is there");
    let mended = host.ok(&["sync", "school"]);
    assert_eq!(counts(&mended), [0, 1, 1, 0].map(|number| json!(number)), "{mended:#}");
    host.finish();
}

#[test]
fn a_share_or_a_folder_that_is_not_there_changes_nothing() {
    let samba = Samba::start();
    samba.write("in/a.txt", "a");
    let host = host(samba.port(), &["share=open", "remote_dir=in"]);
    host.ok(&["sync", "school"]);
    let (from, to) = (samba.files().join("in"), samba.files().join("away"));
    fs::rename(&from, &to).expect("it is ours");
    let run = host.wharf(&["sync", "school"]);
    run.ended(1, "source").says(&["//127.0.0.1/open/in", "no such folder", "remote_dir"]);
    nothing_came_of(&host, &run, 1);

    let run = host.wharf(&["sync", "school", "--set", "share=none"]);
    run.ended(2, "usage").says(&["has no share", "none", "smbclient --list"]);
    nothing_came_of(&host, &run, 1);

    fs::rename(&to, &from).expect("it is ours");
    let mended = host.ok(&["sync", "school"]);
    assert_eq!(counts(&mended), [0, 0, 1, 0].map(|number| json!(number)), "{mended:#}");
    host.finish();
}

#[test]
fn a_wrong_password_changes_nothing_and_is_told_nowhere() {
    let samba = Samba::start();
    samba.write("a.txt", "a");
    let mut host = TestHost::new();
    host.install("smb");
    host.serve();
    let keep = |value: &str| {
        let line = format!("{value}\n");
        assert_eq!(host.given(line.as_bytes(), &["secret", "set", "school", "-"]).status, 0);
    };
    keep(PASSWORD);
    let (port, user) = (format!("port={}", samba.port()), format!("username={}", samba.user()));
    let settings = ["hostname=127.0.0.1", &port, &user, "share=files", "password=school"];
    host.repository("school", &[("smb.importer", &settings)]);
    assert_eq!(host.ok(&["sync", "school"])["added"], 1);
    samba.write("b.txt", "b");
    keep("battery staple");
    let run = host.wharf(&["sync", "school"]);
    run.ended(2, "usage").says(&["does not let in", samba.user(), "wharf secret set school"]);
    assert!(!run.words().contains("battery"), "{run:#?}");
    nothing_came_of(&host, &run, 1);
    keep(PASSWORD);
    let mended = host.ok(&["sync", "school"]);
    assert_eq!(counts(&mended), [1, 0, 1, 0].map(|number| json!(number)), "{mended:#}");
    host.finish();
}

#[test]
fn a_server_that_is_killed_in_mid_download_leaves_nothing_half_written() {
    for size in [LARGE, STAGED] {
        let mut samba = Samba::start();
        samba.write("a.bin", vec![1; size]);
        let gate = Gate::to(samba.port());
        let host = host(gate.port(), &["share=open"]);
        gate.close_after(size / 2);
        let sync = host.start(&["sync", "school"]);
        gate.wait_held();
        samba.kill();
        gate.open();
        let run = sync.wait();
        run.ended(1, "source").says(&["//127.0.0.1/open", "look whether the server runs"]);
        nothing_came_of(&host, &run, 0);
        samba.restart();
        let mended = host.ok(&["sync", "school"]);
        assert_eq!((&mended["added"], &mended["bytes"]), (&json!(1), &json!(size)), "{mended:#}");
        assert!(files(&host.data().join("work")).is_empty(), "{size}");
        host.finish();
    }
}

#[test]
fn a_stop_in_mid_download_leaves_nothing_half_written() {
    let samba = Samba::start();
    samba.write("a.bin", vec![1; STAGED]);
    let gate = Gate::to(samba.port());
    let host = host(gate.port(), &["share=open"]);
    gate.close_after(STAGED / 2);
    let sync = host.start(&["sync", "school"]);
    gate.wait_held();
    sync.signal(rustix::process::Signal::INT);
    let run = sync.wait();
    assert_eq!((run.status, &run.json["state"]), (130, &json!("cancelled")), "{run:#?}");
    nothing_came_of(&host, &run, 0);
    gate.open();
    assert_eq!(host.ok(&["sync", "school"])["added"], 1);
    host.finish();
}

/// Three files, the first of them half fetched and no other begun when `meanwhile` happens to all.
fn interrupted(samba: &Samba, meanwhile: impl Fn(&str)) -> (TestHost, Run) {
    let names = ["a.bin", "b.bin", "c.bin"];
    for name in names {
        samba.write(name, vec![1; LARGE]);
    }
    let gate = Gate::to(samba.port());
    let host = host(gate.port(), &["share=open", "concurrency=1"]);
    host.attach("school", "file.distributor", &[]);
    gate.close_after(LARGE / 2);
    let sync = host.start(&["sync", "school"]);
    gate.wait_held();
    for name in &names {
        meanwhile(name);
    }
    gate.open();
    let run = sync.wait();
    // The gate ends here; the server itself is asked from now on.
    let port = format!("port={}", samba.port());
    host.attach("school", "smb.importer", &["hostname=127.0.0.1", &port, "share=open"]);
    (host, run)
}

#[test]
fn files_that_vanish_between_listing_and_fetch_fail_alone() {
    let samba = Samba::start();
    samba.write("stays.txt", "stays");
    let gone = |name: &str| fs::remove_file(samba.files().join(name)).expect("it is there");
    let (host, run) = interrupted(&samba, gone);
    assert_eq!((run.status, &run.json["failed"]), (3, &json!(3)), "{run:#?}");
    for item in run.json["items"].as_array().expect("items") {
        assert_eq!(item["problem"]["code"], "source.vanished", "{run:#?}");
    }
    let mended = host.ok(&["sync", "school"]);
    assert_eq!((&mended["failed"], &mended["unchanged"]), (&json!(0), &json!(1)), "{mended:#}");
    host.finish();
}

#[test]
fn files_that_change_between_listing_and_fetch_come_as_what_they_are_now() {
    // What is staged then, though the first file's beginning came by chunks, is no other case to the user.
    for size in [LARGE + 1, STAGED] {
        let samba = Samba::start();
        let other = vec![2; size];
        let (host, run) = interrupted(&samba, |name| samba.write(name, &other));
        assert_eq!(counts(&run.json), [3, 0, 0, 0].map(|number| json!(number)), "{run:#?}");
        host.ok(&["publish", "school"]);
        for (path, digest) in published(&host, "school") {
            assert_eq!(digest, sha256(&other), "{path} is of two states");
        }
        let again = host.ok(&["sync", "school"]);
        assert_eq!((&again["unchanged"], &again["bytes"]), (&json!(3), &json!(0)), "{again:#}");
        host.finish();
    }
}
