//! pip and uv against published Python package indexes; upstream is an index that the test makes.
//!
//! `WHARF_ROUNDS` sets how often the version is switched while clients install (25).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};
use wharf_tests::http::{self, Answer};
use wharf_tests::python::{Client, Index, installed};
use wharf_tests::{TestHost, Trick, Upstream};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "application/vnd.pypi.simple.v1+html";
const METADATA: &str = "metadata";

fn rounds() -> usize {
    std::env::var("WHARF_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

/// A host that serves, with the pypi plugin.
fn host() -> TestHost {
    let mut host = TestHost::new();
    host.install("pypi");
    host.serve();
    host
}

/// An application that needs a library, of which some versions are not to be chosen.
fn packages() -> Index {
    let mut index = Index::new();
    index.add(&[
        json!({ "name": "Demo.App", "version": "1.0", "requires": ["demo-lib>=1"] }),
        json!({ "name": "demo-lib", "version": "1.0" }),
        json!({ "name": "demo-lib", "version": "2.0" }),
        json!({ "name": "demo-lib", "version": "2.5", "yanked": "it eats files" }),
        json!({ "name": "demo-lib", "version": "3.0", "requires_python": ">=99" }),
    ]);
    index
}

const BOTH: &str = r#"includes=["demo-app", "Demo_Lib"]"#;

fn mirror(host: &TestHost, upstream: &Upstream, settings: &[&str]) -> Value {
    let from = upstream.url("simple/");
    let mut arguments = vec!["mirror", "pypi", "py", "--from", &from];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    host.ok(&arguments)
}

fn simple(host: &TestHost) -> String {
    format!("http://{}/content/py/simple/", host.server().content())
}

fn folder(host: &TestHost, name: &str) -> PathBuf {
    let folder = host.folder().join(name);
    fs::create_dir(&folder).expect("a folder");
    folder
}

fn told(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{}: {}{}", output.status, both[0], both[1])
}

/// Installs with a client; it must succeed. Gives the folder.
fn install(host: &TestHost, client: Client, name: &str, arguments: &[&str]) -> PathBuf {
    let target = folder(host, &format!("{name}-{client:?}"));
    let output = client.install(&simple(host), &target, arguments);
    assert!(output.status.success(), "{client:?}: {}", told(&output));
    target
}

/// Requests for distributions themselves.
fn bytes_asked(upstream: &Upstream) -> usize {
    let is_one = |path: &str| path.starts_with("files/") && !path.ends_with(METADATA);
    upstream.seen().iter().filter(|seen| is_one(&seen.path)).count()
}

#[test]
fn pip_and_uv_install_what_the_index_says() {
    let index = packages();
    let upstream = Upstream::of(index.folder());
    let host = host();
    let first = mirror(&host, &upstream, &[BOTH]);
    assert_eq!((&first["state"], &first["added"]), (&json!("succeeded"), &json!(7)), "{first:#}");
    for client in Client::ALL {
        let target = install(&host, client, "newest", &["demo_app"]);
        assert_eq!(installed(&target, "demo_app").as_deref(), Some("1.0"));
        let chosen = installed(&target, "demo_lib");
        assert_eq!(chosen.as_deref(), Some("2.0"), "neither yanked nor for another Python");
        let target = install(&host, client, "pinned", &["demo-lib==2.5"]);
        assert_eq!(installed(&target, "demo_lib").as_deref(), Some("2.5"), "yanked, but asked for");
    }
    host.finish();
}

#[test]
fn pip_takes_what_client_config_prints_as_it_is() {
    let index = packages();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[BOTH]);
    let told = host.wharf(&["--output", "text", "client-config", "py"]);
    assert_eq!(told.status, 0, "{told:#?}");
    let file = host.folder().join("pip.conf");
    fs::write(&file, &told.stdout).expect("a file");
    let target = folder(&host, "configured");
    let output = Client::Pip.install_configured(&file, &target, &["demo-app"]);
    assert!(output.status.success(), "{}", self::told(&output));
    assert_eq!(installed(&target, "demo_lib").as_deref(), Some("2.0"));
    host.finish();
}

#[test]
fn an_index_in_html_alone_is_mirrored_as_well() {
    let index = packages();
    index.without_json();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[BOTH]);
    for client in Client::ALL {
        let target = install(&host, client, "html", &["demo-app", "demo-lib<2"]);
        assert_eq!(installed(&target, "demo_lib").as_deref(), Some("1.0"));
    }
    host.finish();
}

#[test]
fn on_demand_clients_resolve_without_a_wheel_and_fetch_each_once() {
    let index = packages();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[BOTH, "policy=on_demand"]);
    assert_eq!(bytes_asked(&upstream), 0, "metadata came with the sync, and no wheel");
    let url = simple(&host);
    let home = folder(&host, "resolve");
    let dry = ["--dry-run", "demo-app"];
    for client in Client::ALL {
        let output = client.install(&url, &home.join(format!("{client:?}")), &dry);
        assert!(output.status.success(), "{}", told(&output));
        let said = told(&output).to_lowercase();
        assert!(said.contains("demo-lib-2.0") || said.contains("demo-lib==2.0"), "{said}");
    }
    let output =
        Client::Uv.call(&home, &["pip", "compile", "--no-cache", "--index-url", &url, "none.in"]);
    assert!(!output.status.success(), "a file that is not there is an error: {}", told(&output));
    assert_eq!(bytes_asked(&upstream), 0, "resolving needs metadata only");
    for client in Client::ALL {
        install(&host, client, "fetch", &["demo-app"]);
    }
    assert_eq!(bytes_asked(&upstream), 2, "each wheel is fetched once, whoever asks");
    host.finish();
}

#[test]
fn hashes_are_checked_by_the_host_and_by_the_clients() {
    let index = packages();
    let upstream = Upstream::of(index.folder());
    let host = host();
    upstream.always("files/demo_lib-2.0-py3-none-any.whl", Trick::WrongBytes);
    let from = upstream.url("simple/");
    let run = host.wharf(&["mirror", "pypi", "py", "--from", &from, "--set", BOTH]);
    assert_eq!(run.status, 3, "one item failed, the rest is published: {run:#?}");
    upstream.behave();
    for client in Client::ALL {
        let target = install(&host, client, "without", &["demo-lib"]);
        assert_eq!(
            installed(&target, "demo_lib").as_deref(),
            Some("1.0"),
            "the bad file is not there"
        );
        let list = host.folder().join("requirements.txt");
        let good = index.sha256("demo_lib-1.0-py3-none-any.whl");
        fs::write(&list, format!("demo-lib==1.0 --hash=sha256:{good}\n")).expect("a file");
        let list = list.to_string_lossy().into_owned();
        install(&host, client, "hashes", &["--require-hashes", "-r", &list]);
        fs::write(&list, format!("demo-lib==1.0 --hash=sha256:{}\n", "0".repeat(64)))
            .expect("a file");
        let target = folder(&host, &format!("refused-{client:?}"));
        let output = client.install(&simple(&host), &target, &["--require-hashes", "-r", &list]);
        assert!(
            !output.status.success() && installed(&target, "demo_lib").is_none(),
            "{}",
            told(&output)
        );
    }
    host.finish();
}

// F101
#[test]
fn on_demand_wrong_bytes_reach_no_client() {
    let index = packages();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[BOTH, "policy=on_demand"]);
    upstream.always("files/demo_lib-1.0-py3-none-any.whl", Trick::WrongBytes);
    for client in Client::ALL {
        let target = folder(&host, &format!("bad-{client:?}"));
        let output = client.install(&simple(&host), &target, &["demo-lib==1.0"]);
        assert!(
            !output.status.success() && installed(&target, "demo_lib").is_none(),
            "{}",
            told(&output)
        );
    }
    upstream.behave();
    for client in Client::ALL {
        install(&host, client, "good", &["demo-lib==1.0"]);
    }
    host.finish();
}

#[test]
fn source_distributions_are_built_and_odd_names_escaped() {
    let mut index = Index::new();
    index.add(&[
        json!({ "name": "demo-src", "version": "1.0+local.7", "kind": "sdist" }),
        json!({ "name": "demo-src", "version": "0.9", "kind": "sdist" }),
    ]);
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &["includes=[\"demo-src\"]", "policy=on_demand"]);
    for client in Client::ALL {
        let target = install(&host, client, "built", &["demo-src"]);
        assert_eq!(installed(&target, "demo_src").as_deref(), Some("1.0+local.7"));
    }
    host.finish();
}

#[test]
fn what_did_not_change_is_not_asked_twice_and_what_went_is_gone() {
    let mut index = packages();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[BOTH]);
    upstream.forget();
    let second = host.ok(&["sync", "py"]);
    assert_eq!((&second["changed"], &second["version"]), (&json!(false), &json!(1)), "{second:#}");
    let asked: Vec<_> = upstream.seen().into_iter().map(|seen| (seen.path, seen.status)).collect();
    assert_eq!(asked.len(), 2, "one request a project: {asked:?}");
    assert!(asked.iter().all(|(_, status)| *status == 304), "{asked:?}");

    index.add(&[json!({ "name": "demo-lib", "version": "2.1" })]);
    upstream.forget();
    let third = host.ok(&["sync", "py"]);
    assert_eq!((&third["added"], &third["removed"]), (&json!(1), &json!(0)), "{third:#}");
    assert_eq!(bytes_asked(&upstream), 1, "only what is new is fetched");
    let published = host.ok(&["publish", "py"]);
    assert_eq!(published["summary"]["pages_reused"], json!(1), "{published:#}");

    index.entries("demo-lib")[1]["yanked"] = json!(true);
    index.write();
    let fourth = host.ok(&["sync", "py"]);
    assert_eq!((&fourth["added"], &fourth["removed"]), (&json!(1), &json!(1)), "{fourth:#}");
    index.remove("demo-app");
    let fifth = host.ok(&["sync", "py"]);
    assert_eq!((&fifth["added"], &fifth["removed"]), (&json!(0), &json!(2)), "{fifth:#}");
    host.ok(&["publish", "py"]);
    assert_eq!(page(&host, "demo-app/", &[]).status, 404);
    for client in Client::ALL {
        let target = folder(&host, &format!("gone-{client:?}"));
        assert!(!client.install(&simple(&host), &target, &["demo-app"]).status.success());
        install(&host, client, "still", &["demo-lib"]);
    }
    host.finish();
}

fn page(host: &TestHost, path: &str, headers: &[(&str, &str)]) -> Answer {
    let path = format!("/content/py/simple/{path}");
    http::get(host.server().content(), &path, headers).expect("the server answers")
}

#[test]
fn clients_get_the_representation_that_they_like_best() {
    let index = packages();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[BOTH]);
    let old = "text/html; charset=utf-8";
    for (accept, expected) in [
        (None, JSON),
        (Some("*/*"), JSON),
        (
            Some(
                "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
            ),
            JSON,
        ),
        (Some("application/vnd.pypi.simple.latest+json"), JSON),
        (Some("application/vnd.pypi.simple.v1+html, text/html;q=0.5"), HTML),
        (Some("text/html,application/xhtml+xml,*/*;q=0.8"), old),
    ] {
        let headers: Vec<_> = accept.into_iter().map(|accept| ("Accept", accept)).collect();
        for path in ["", "demo-lib/"] {
            let answer = page(&host, path, &headers);
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (200, Some(expected)),
                "{accept:?}"
            );
            assert!(varies(&answer));
            let tag = answer.header("etag").expect("a page has a tag");
            let again: Vec<_> = headers.iter().copied().chain([("If-None-Match", tag)]).collect();
            let again = page(&host, path, &again);
            assert_eq!((again.status, varies(&again)), (304, true));
        }
    }
    let refused = page(&host, "demo-lib/", &[("Accept", "application/json")]);
    assert_eq!((refused.status, varies(&refused)), (406, true), "{}", refused.text());
    let moved = page(&host, "demo-lib", &[]);
    assert_eq!(
        (moved.status, moved.header("location")),
        (301, Some("/content/py/simple/demo-lib/"))
    );
    let file = page(&host, "demo-lib/index.html", &[]);
    assert_eq!(
        (file.status, file.header("content-type"), file.header("vary")),
        (200, Some(old), None)
    );
    host.finish();
}

/// Caches are told that another client may get something else; large pages come packed, too.
fn varies(answer: &Answer) -> bool {
    matches!(answer.header("vary"), Some("accept" | "accept, accept-encoding"))
}

// F120
#[test]
fn switching_versions_breaks_no_installation() {
    let mut index = packages();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[BOTH]);
    index.add(&[
        json!({ "name": "demo-lib", "version": "2.2" }),
        json!({ "name": "demo-app", "version": "1.1", "requires": ["demo-lib>=2.2"] }),
    ]);
    host.ok(&["sync", "py"]);
    let (url, done) = (simple(&host), AtomicBool::new(false));
    let installs = AtomicUsize::new(0);
    let base = host.folder().to_owned();
    thread::scope(|scope| {
        for client in Client::ALL {
            let (url, base, done, installs) = (&url, &base, &done, &installs);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let number = installs.fetch_add(1, Ordering::Relaxed);
                    whole(client, url, &base.join(format!("loop-{number}")));
                }
            });
        }
        let switched: Vec<_> = (0..rounds())
            .map(|round| {
                let version = if round % 2 == 0 { "2" } else { "1" };
                host.wharf(&["publish", "py", "--version", version])
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        for run in switched {
            assert_eq!((run.status, &run.json["changed"]), (0, &json!(true)), "{run:#?}");
        }
    });
    assert!(installs.load(Ordering::Relaxed) >= 2, "the clients had time");
    host.finish();
}

/// One installation: it succeeds, and what it brings belongs together.
fn whole(client: Client, url: &str, target: &Path) {
    fs::create_dir(target).expect("a folder");
    let output = client.install(url, target, &["demo-app"]);
    let got = (installed(target, "demo_app"), installed(target, "demo_lib"));
    let pair = (got.0.as_deref(), got.1.as_deref());
    // Pages are read one after the other: a switch between them may give the older application the newer library.
    let good = [(Some("1.0"), Some("2.0")), (Some("1.0"), Some("2.2")), (Some("1.1"), Some("2.2"))];
    let said = told(&output);
    let between = said.contains("demo-lib>=2.2") || said.contains("demo-lib >= 2.2");
    assert!(
        output.status.success() && good.contains(&pair) || between,
        "{client:?}: {pair:?} {said}"
    );
    assert!(!said.to_lowercase().contains("hash mismatch"), "{said}");
}
