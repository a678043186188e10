//! apt-get against published repositories, from upstreams made with dpkg-deb.
//!
//! `WHARF_ROUNDS` sets how often the published version is switched under a client (25; the format is done at 200).

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use serde_json::json;
use wharf_plugin_deb::version::compare;
use wharf_tests::apt::{Apt, Archive};
use wharf_tests::random::{self, Random};
use wharf_tests::{TestHost, Upstream, wait};

/// A host that serves, with the plugin.
fn host() -> TestHost {
    let mut host = TestHost::new();
    host.install("deb");
    host.serve();
    host
}

fn mirror(host: &TestHost, upstream: &Upstream, more: &[&str]) -> serde_json::Value {
    let from = upstream.url("");
    let mut arguments = vec!["mirror", "deb", "apt", "--from", &from, "--set", "suites=stable"];
    arguments.extend(more);
    host.ok(&arguments)
}

fn client(host: &TestHost) -> Apt {
    Apt::new(&format!(
        "deb [trusted=yes] http://{}/content/apt stable main",
        host.server().content()
    ))
}

fn archive() -> Archive {
    let mut archive = Archive::new();
    archive.add("hello", "1.0", "amd64", "xz");
    archive.add("odd+name", "1:2.0~rc1+b1", "all", "gzip");
    archive.release();
    archive
}

#[test]
fn apt_installs_from_a_mirror_and_follows_it() {
    let mut archive = archive();
    let upstream = Upstream::of(archive.folder());
    let host = host();
    let first = mirror(&host, &upstream, &[]);
    assert_eq!((&first["state"], &first["added"]), (&json!("succeeded"), &json!(3)), "{first:#}");
    let apt = client(&host);
    let told = apt.ok(&["update"]);
    assert!(told.contains("main/binary-amd64/by-hash/SHA256/"), "{told}");
    apt.ok(&["install", "-y", "hello", "odd+name"]);
    assert_eq!(apt.installed("usr/share/hello/version"), "1.0\n");
    assert_eq!(apt.installed("usr/share/odd+name/version"), "1:2.0~rc1+b1\n");

    upstream.forget();
    let again = host.ok(&["sync", "apt"]);
    assert_eq!((&again["changed"], &again["version"]), (&json!(false), &json!(1)), "{again:#}");
    let asked: Vec<_> = upstream.seen().into_iter().map(|seen| (seen.path, seen.status)).collect();
    assert_eq!(asked, [("dists/stable/Release".to_owned(), 304)]);

    archive.release();
    upstream.forget();
    let dated = host.ok(&["sync", "apt"]);
    assert_eq!((&dated["changed"], &dated["version"]), (&json!(false), &json!(1)), "{dated:#}");
    let indexes = upstream.seen().into_iter().filter(|seen| seen.path.contains("/Packages"));
    assert_eq!(indexes.count(), 0, "an index with the digest of before is not fetched");

    archive.add("hello", "1.10", "amd64", "xz");
    archive.release();
    let third = mirror(&host, &upstream, &[]);
    assert_eq!((&third["added"], &third["version"]), (&json!(1), &json!(2)), "{third:#}");
    apt.ok(&["update"]);
    apt.ok(&["install", "-y", "hello"]);
    assert_eq!(apt.installed("usr/share/hello/version"), "1.10\n");

    host.ok(&["publish", "apt", "--version", "1"]);
    apt.ok(&["update"]);
    apt.ok(&["download", "hello=1.0"]);
    assert_eq!(apt.take_downloads(), ["hello_1.0_amd64.deb"], "apt sees what was taken back");
    assert!(!apt.get(&["download", "hello=1.10"]).good, "and only that");
    host.finish();
}

#[test]
fn apt_takes_what_client_config_prints_as_it_is() {
    let archive = archive();
    let upstream = Upstream::of(archive.folder());
    let host = host();
    host.ok(&["repo", "create", "apt"]);
    host.wharf(&["client-config", "apt"]).ended(2, "not_found").says(&["distributor"]);
    host.attach("apt", "deb.distributor", &[]);
    host.wharf(&["client-config", "apt"]).ended(2, "usage").says(&["wharf publish apt"]);
    mirror(&host, &upstream, &[]);
    let told = host.wharf(&["--output", "text", "client-config", "apt"]);
    assert_eq!(told.status, 0, "{told:#?}");
    let apt = Apt::with_sources(&told.stdout);
    apt.ok(&["update"]);
    apt.ok(&["install", "-y", "hello"]);
    assert_eq!(apt.installed("usr/share/hello/version"), "1.0\n");
    let elsewhere = ["client-config", "apt", "--base-url", "https://apt.example.org"];
    let elsewhere = host.ok(&elsewhere);
    assert_eq!(elsewhere["component"], "deb.distributor", "{elsewhere:#}");
    assert_eq!(elsewhere["url"], "https://apt.example.org/content/apt/");
    let text = elsewhere["files"][0]["content"].as_str().expect("a text");
    assert!(text.contains("URIs: https://apt.example.org/content/apt/\n"), "{text}");
    for bad in ["ftp://h", "https://", "https://h/\nTrusted: yes", "apt.example.org"] {
        host.wharf(&["client-config", "apt", "--base-url", bad]).ended(2, "usage");
    }
    host.finish();
}

#[test]
fn apt_sees_a_rollback_as_something_newer() {
    let mut archive = archive();
    let upstream = Upstream::of(archive.folder());
    let host = host();
    mirror(&host, &upstream, &[]);
    archive.add("hello", "1.10", "amd64", "xz");
    archive.release();
    mirror(&host, &upstream, &[]);
    let apt = client(&host);
    apt.ok(&["update"]);
    assert_eq!(apt.candidate("hello"), "1.10");
    let modified = || {
        let answer = host.get("/content/apt/dists/stable/Release");
        answer.header("last-modified").expect("it is told").to_owned()
    };
    let before = modified();
    let back = host.ok(&["repo", "rollback", "apt", "--to", "1"]);
    assert_eq!((&back["version"], &back["removed"]), (&json!(3), &json!(1)), "{back:#}");
    host.ok(&["publish", "apt"]);
    assert_ne!(modified(), before, "the entry point is as new as the publication");
    let told = apt.ok(&["update"]);
    assert!(told.contains("Get:"), "{told}");
    assert_eq!(apt.candidate("hello"), "1.0");
    host.ok(&["publish", "apt", "--version", "2"]);
    apt.ok(&["update"]);
    assert_eq!(apt.candidate("hello"), "1.10");
    host.finish();
}

#[test]
fn a_copy_with_dependencies_is_all_that_apt_needs() {
    let mut archive = Archive::new();
    let amd64 = ("amd64", "xz");
    archive.add_with("app", "1.0", amd64, "Depends: lib (>= 2), mta | exim\n");
    archive.add_with("lib", "2.0", amd64, "Pre-Depends: base\n");
    archive.add_with("base", "1", ("all", "gzip"), "");
    archive.add_with("exim", "4", amd64, "Provides: mta\nDepends: gone | nowhere\n");
    archive.add_with("unneeded", "1", amd64, "");
    archive.release();
    let upstream = Upstream::of(archive.folder());
    let host = host();
    mirror(&host, &upstream, &["--set", "policy=on_demand"]);
    host.repository("prod", &[("deb.distributor", &[])]);
    let chosen = ["copy", "apt", "prod", "--type", "deb", "--where", "package=app"];
    let alone = host.ok(&[&chosen[..], &["--dry-run"]].concat());
    assert_eq!(alone["added"], 1, "{alone:#}");
    let copied = host.ok(&[&chosen[..], &["--with-dependencies"]].concat());
    assert_eq!((&copied["added"], &copied["warnings"]), (&json!(4), &json!(1)), "{copied:#}");
    let warning = &copied["warnings_list"][0];
    assert_eq!(warning["code"], "dependency.missing", "{warning:#}");
    assert!(
        warning["text"]
            .as_str()
            .is_some_and(|text| text.contains("exim 4 (amd64) needs gone | nowhere"))
    );
    host.ok(&["publish", "prod"]);
    let apt = Apt::with_sources(&host.wharf(&["--output", "text", "client-config", "prod"]).stdout);
    apt.ok(&["update"]);
    apt.ok(&["download", "app", "lib", "base", "exim"]);
    assert_eq!(apt.take_downloads().len(), 4);
    assert_eq!(apt.candidate("exim"), "4");
    host.repository("files", &[("file.importer", &["url=http://127.0.0.1:1/PULP_MANIFEST"])]);
    host.wharf(&["copy", "apt", "files"]).ended(2, "policy").says(&["deb"]);
    host.finish();
}

#[test]
fn packages_that_wait_upstream_are_fetched_when_apt_asks() {
    let archive = archive();
    let upstream = Upstream::of(archive.folder());
    let host = host();
    mirror(&host, &upstream, &["--set", "policy=on_demand"]);
    let asked =
        || upstream.seen().into_iter().filter(|seen| seen.path.starts_with("pool/")).count();
    assert_eq!(asked(), 0);
    let apt = client(&host);
    apt.ok(&["update"]);
    apt.ok(&["download", "hello"]);
    assert_eq!((asked(), apt.take_downloads()), (1, vec!["hello_1.0_amd64.deb".to_owned()]));
    host.finish();
}

#[test]
fn what_upstream_drops_is_gone_from_a_mirror_and_stays_in_an_additive_one() {
    for (mode, expected) in [("mirror", false), ("additive", true)] {
        let mut archive = archive();
        let upstream = Upstream::of(archive.folder());
        let host = host();
        let mode = format!("mode={mode}");
        mirror(&host, &upstream, &["--set", &mode]);
        archive.forget("hello");
        archive.release();
        mirror(&host, &upstream, &["--set", &mode]);
        let apt = client(&host);
        apt.ok(&["update"]);
        assert_eq!(apt.get(&["download", "hello"]).good, expected, "{mode}");
        host.finish();
    }
}

// F120
#[test]
fn versions_switch_under_a_client_without_a_mismatch() {
    let mut archive = archive();
    let upstream = Upstream::of(archive.folder());
    let host = host();
    mirror(&host, &upstream, &[]);
    archive.forget("hello");
    archive.add("hello", "2.0", "amd64", "xz");
    archive.release();
    mirror(&host, &upstream, &[]);
    let apt = client(&host);
    let (done, cycles) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        let looping = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                apt.ok(&["update"]);
                apt.ok(&["download", "hello", "odd+name"]);
                assert_eq!(apt.take_downloads().len(), 2);
                cycles.fetch_add(1, Ordering::SeqCst);
            }
        });
        for round in 0..random::rounds().min(200) {
            host.ok(&["publish", "apt", "--version", if round % 2 == 0 { "1" } else { "2" }]);
            // The next switch comes in the middle of a later cycle: dates go up by a second with every one.
            let seen = cycles.load(Ordering::SeqCst);
            wait::until("apt goes on", wait::PATIENCE, || {
                (cycles.load(Ordering::SeqCst) > seen || looping.is_finished()).then_some(())
            });
        }
        done.store(true, Ordering::SeqCst);
    });
    host.finish();
}

#[test]
fn versions_have_the_order_that_dpkg_gives_them() {
    let mut random = Random::new(93);
    let mut version = || {
        let letters = b"0011239aAz.+~-:";
        let length = 1 + usize::from(random.bytes(1)[0] % 6);
        let picked = random.bytes(length).into_iter();
        let rest: String = picked
            .map(|byte| char::from(letters[usize::from(byte) % (letters.len() - 1)]))
            .collect();
        format!("1:0{}", rest.trim_end_matches('-'))
    };
    for _pair in 0..150 {
        let (left, right) = (version(), version());
        let holds = |relation: &str| {
            let arguments = ["--compare-versions", &left, relation, &right];
            Command::new("dpkg").args(arguments).status().expect("dpkg starts").success()
        };
        let ours = compare(&left, &right);
        assert_eq!((holds("lt"), holds("eq")), (ours.is_lt(), ours.is_eq()), "{left} {right}");
    }
}
