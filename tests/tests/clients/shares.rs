//! What holds for every server that people keep files on, whatever it speaks: a whole host, and what goes wrong with the
//! server.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use wharf_tests::gate::Gate;
use wharf_tests::invariants::{files, published};
use wharf_tests::share::Share;
use wharf_tests::tree::sha256;
use wharf_tests::{Run, TestHost};

/// A server with several places that lead to the same folder.
pub(crate) trait Server: Share {
    /// The plugin that reads it.
    const PLUGIN: &str;
    /// The place that everybody may read.
    const OPEN: &str;
    /// One that everybody may read where a file's rights count.
    const STRANGER: &str;
    /// The one that only [`Server::user`] may read.
    const OWN: &str;
    /// What that one logs in with.
    const PASSWORD: &str;
    /// Files that come by chunks, more than a connection holds on its way.
    const LARGE: usize;
    /// Files that the plugin stages.
    const STAGED: usize;

    fn start() -> Self;

    fn user(&self) -> &str;

    /// What an importer is told of one of its places, behind this port.
    fn settings(port: u16, place: &str) -> Vec<String>;
}

/// A host with an attached place of a server.
pub(crate) fn host<S: Server>(port: u16, place: &str, more: &[&str]) -> TestHost {
    let host = served::<S>();
    host.ok(&["repo", "create", "school"]);
    attach::<S>(&host, port, place, more);
    host
}

fn served<S: Server>() -> TestHost {
    let mut host = TestHost::new();
    host.install(S::PLUGIN);
    host.serve();
    host
}

fn attach<S: Server>(host: &TestHost, port: u16, place: &str, more: &[&str]) {
    let settings = S::settings(port, place);
    let settings: Vec<&str> =
        settings.iter().map(String::as_str).chain(more.iter().copied()).collect();
    host.attach("school", &format!("{}.importer", S::PLUGIN), &settings);
}

fn counts(run: &Value) -> [Value; 4] {
    ["added", "removed", "unchanged", "failed"].map(|name| run[name].clone())
}

/// Nothing is visible of a run that failed, and nothing of it lies around.
pub(crate) fn nothing_came_of(host: &TestHost, run: &Run, version: u64) {
    assert_eq!(host.ok(&["repo", "show", "school"])["version"], version, "{run:#?}");
    let left = files(&host.data().join("work"));
    assert!(left.is_empty(), "a run left {left:?}");
}

/// The problem names this place.
pub(crate) fn a_folder_may_not_be_read<S: Server>(place: &str) {
    let server = S::start();
    for path in ["open/a.txt", "closed/b.txt", "closed/deep/c.txt"] {
        server.write(path, path);
    }
    let host = host::<S>(server.port(), S::STRANGER, &[]);
    assert_eq!(host.ok(&["sync", "school"])["added"], 3);
    let closed = server.files().join("closed");
    fs::set_permissions(&closed, Permissions::from_mode(0o0)).expect("it is ours");
    fs::remove_file(server.files().join("open/a.txt")).expect("it is there");
    let run = host.wharf(&["sync", "school"]);
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).expect("it is ours");
    assert_eq!(counts(&run.json), [0, 1, 2, 1].map(|number| json!(number)), "{run:#?}");
    let failed = &run.json["items"][0];
    assert_eq!((run.status, &failed["key"]), (3, &json!("closed")), "{run:#?}");
    let problem = &failed["problem"];
    let told = problem["message"].as_str().unwrap_or_default();
    assert_eq!(problem["code"], "source.folder", "{run:#?}");
    assert!(told.contains(place) && told.contains("ask"), "{told}");

    fs::remove_file(closed.join("b.txt")).expect("it is there");
    let mended = host.ok(&["sync", "school"]);
    assert_eq!(counts(&mended), [0, 1, 1, 0].map(|number| json!(number)), "{mended:#}");
    host.finish();
}

/// The problem names this place, where a folder `in` was. What else is not there is what `others` asks for.
pub(crate) fn a_folder_is_not_there<S: Server>(place: &str, others: impl Fn(&S, &TestHost)) {
    let server = S::start();
    server.write("in/a.txt", "a");
    let host = host::<S>(server.port(), S::OPEN, &["remote_dir=in"]);
    host.ok(&["sync", "school"]);
    let (from, to) = (server.files().join("in"), server.files().join("away"));
    fs::rename(&from, &to).expect("it is ours");
    let run = host.wharf(&["sync", "school"]);
    run.ended(1, "source").says(&[place, "no such folder", "remote_dir"]);
    nothing_came_of(&host, &run, 1);
    fs::rename(&to, &from).expect("it is ours");

    others(&server, &host);
    let mended = host.ok(&["sync", "school"]);
    assert_eq!(counts(&mended), [0, 0, 1, 0].map(|number| json!(number)), "{mended:#}");
    host.finish();
}

pub(crate) fn a_password_is_wrong<S: Server>() {
    let server = S::start();
    server.write("a.txt", "a");
    let host = served::<S>();
    let keep = |value: &str| {
        let line = format!("{value}\n");
        assert_eq!(host.given(line.as_bytes(), &["secret", "set", "school", "-"]).status, 0);
    };
    keep(S::PASSWORD);
    host.ok(&["repo", "create", "school"]);
    let user = format!("username={}", server.user());
    attach::<S>(&host, server.port(), S::OWN, &[&user, "password=school"]);
    assert_eq!(host.ok(&["sync", "school"])["added"], 1);
    server.write("b.txt", "b");
    keep("battery staple");
    let run = host.wharf(&["sync", "school"]);
    run.ended(2, "usage").says(&["does not let in", server.user(), "wharf secret set school"]);
    assert!(!run.words().contains("battery"), "{run:#?}");
    nothing_came_of(&host, &run, 1);
    keep(S::PASSWORD);
    let mended = host.ok(&["sync", "school"]);
    assert_eq!(counts(&mended), [1, 0, 1, 0].map(|number| json!(number)), "{mended:#}");
    host.finish();
}

/// People are told these words.
pub(crate) fn a_server_is_gone<S: Server>(words: &[&str]) {
    let mut server = S::start();
    server.write("a.txt", "a");
    let host = host::<S>(server.port(), S::OPEN, &[]);
    host.ok(&["sync", "school"]);
    server.kill();
    let run = host.wharf(&["sync", "school"]);
    run.ended(1, "source").says(words);
    nothing_came_of(&host, &run, 1);
    server.write("b.txt", "b");
    server.restart();
    let mended = host.ok(&["sync", "school"]);
    assert_eq!(counts(&mended), [1, 0, 1, 0].map(|number| json!(number)), "{mended:#}");
    host.finish();
}

/// A gate that holds back what comes after half of a file, and a host that asks through it.
fn halved<S: Server>(server: &S, size: usize, more: &[&str]) -> (Gate, TestHost) {
    let gate = Gate::to(server.port());
    let host = host::<S>(gate.port(), S::OPEN, more);
    gate.close_after(size / 2);
    (gate, host)
}

/// `ended` looks how the run ended.
pub(crate) fn a_server_is_killed_in_mid_download<S: Server>(ended: impl Fn(&Run)) {
    for size in [S::LARGE, S::STAGED] {
        let mut server = S::start();
        server.write("a.bin", vec![1; size]);
        let (gate, host) = halved(&server, size, &[]);
        let sync = host.start(&["sync", "school"]);
        gate.wait_held();
        server.kill();
        gate.open();
        let run = sync.wait();
        ended(&run);
        nothing_came_of(&host, &run, 0);
        server.restart();
        let mended = host.ok(&["sync", "school"]);
        assert_eq!((&mended["added"], &mended["bytes"]), (&json!(1), &json!(size)), "{mended:#}");
        assert!(files(&host.data().join("work")).is_empty(), "{size}");
        host.finish();
    }
}

pub(crate) fn a_stop_in_mid_download<S: Server>() {
    let server = S::start();
    server.write("a.bin", vec![1; S::STAGED]);
    let (gate, host) = halved(&server, S::STAGED, &[]);
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
fn interrupted<S: Server>(server: &S, meanwhile: impl Fn(&str)) -> (TestHost, Run) {
    let names = ["a.bin", "b.bin", "c.bin"];
    for name in names {
        server.write(name, vec![1; S::LARGE]);
    }
    let (gate, host) = halved(server, S::LARGE, &["concurrency=1"]);
    host.attach("school", "file.distributor", &[]);
    let sync = host.start(&["sync", "school"]);
    gate.wait_held();
    for name in names {
        meanwhile(name);
    }
    gate.open();
    let run = sync.wait();
    // The gate ends here; the server itself is asked from now on.
    attach::<S>(&host, server.port(), S::OPEN, &[]);
    (host, run)
}

pub(crate) fn files_vanish<S: Server>() {
    let server = S::start();
    server.write("stays.txt", "stays");
    let gone = |name: &str| fs::remove_file(server.files().join(name)).expect("it is there");
    let (host, run) = interrupted(&server, gone);
    assert_eq!((run.status, &run.json["failed"]), (3, &json!(3)), "{run:#?}");
    for item in run.json["items"].as_array().expect("items") {
        assert_eq!(item["problem"]["code"], "source.vanished", "{run:#?}");
    }
    let mended = host.ok(&["sync", "school"]);
    assert_eq!((&mended["failed"], &mended["unchanged"]), (&json!(0), &json!(1)), "{mended:#}");
    host.finish();
}

pub(crate) fn files_change<S: Server>() {
    // What is staged then, though the first file's beginning came by chunks, is no other case to the user.
    for size in [S::LARGE + 1, S::STAGED] {
        let server = S::start();
        let other = vec![2; size];
        let (host, run) = interrupted(&server, |name| server.write(name, &other));
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
