//! What pages of a Python index may look like, how they are sent, and what becomes of them when they change.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wharf_tests::http::{self, Answer};
use wharf_tests::python::{Client, Index, installed, tool};
use wharf_tests::relay::Relay;
use wharf_tests::{TestHost, Upstream};

const JSON: &str = "application/vnd.pypi.simple.v1+json";

fn host() -> TestHost {
    let mut host = TestHost::new();
    host.install("pypi");
    host.serve();
    host
}

fn mirror(host: &TestHost, upstream: &Upstream, settings: &[&str]) -> Value {
    let from = upstream.url("simple/");
    let mut arguments = vec!["mirror", "pypi", "py", "--from", &from];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    host.ok(&arguments)
}

fn get(host: &TestHost, path: &str, headers: &[(&str, &str)]) -> Answer {
    let path = format!("/content/py/{path}");
    http::get(host.server().content(), &path, headers).expect("the server answers")
}

fn page(host: &TestHost, name: &str) -> Value {
    get(host, &format!("simple/{name}/"), &[]).json()
}

/// Installs with a client; it must succeed. Gives the folder.
fn install(host: &TestHost, client: Client, name: &str, arguments: &[&str]) -> PathBuf {
    let target = host.folder().join(format!("{name}-{client:?}"));
    fs::create_dir(&target).expect("a folder");
    let url = format!("http://{}/content/py/simple/", host.server().content());
    let output = client.install(&url, &target, arguments);
    let text = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it).into_owned());
    assert!(output.status.success(), "{client:?}: {text:?}");
    target
}

fn version(target: &Path) -> Option<String> {
    installed(target, "demo_lib")
}

const ONE: &str = r#"includes=["demo-lib"]"#;

fn two_versions() -> Index {
    let mut index = Index::new();
    index.add(&[
        json!({ "name": "demo-lib", "version": "1.0" }),
        json!({ "name": "demo-lib", "version": "2.0" }),
    ]);
    index
}

#[test]
fn pages_may_be_kept_shortly_and_files_for_ever() {
    let index = two_versions();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[ONE]);
    let answer = get(&host, "simple/demo-lib/", &[]);
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    let tag = answer.header("etag").expect("a page has a tag");
    let again = get(&host, "simple/demo-lib/", &[("If-None-Match", tag)]);
    assert_eq!((again.status, again.header("cache-control")), (304, Some("max-age=60")));
    let file = page(&host, "demo-lib")["files"][0]["url"].as_str().expect("one").to_owned();
    let file = file.trim_start_matches("../../").to_owned();
    for path in [file.clone(), file + ".metadata"] {
        let answer = get(&host, &path, &[]);
        let kept = answer.header("cache-control");
        assert_eq!((answer.status, kept), (200, Some("max-age=31536000, immutable")), "{path}");
    }
    host.finish();
}

#[test]
fn uv_asks_whether_a_page_changed_and_takes_no_for_an_answer() {
    let index = two_versions();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[ONE]);
    let relay = Relay::to(host.server().content());
    let url = format!("http://{}/content/py/simple/", relay.address());
    let (cache, python) = (host.folder().join("cache"), tool("python"));
    let (cache, python) = (cache.to_string_lossy(), python.to_string_lossy());
    let resolve = |target: &str| {
        let target = host.folder().join(target).to_string_lossy().into_owned();
        let common = ["pip", "install", "--no-config", "--cache-dir", &cache, "--python", &python];
        let own = ["--refresh", "--index-url", &url, "--target", &target, "demo-lib"];
        let output = Client::Uv.call(host.folder(), &[&common[..], &own].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        relay.take()
    };
    let first = resolve("first");
    assert!(first.contains("content-encoding: gzip") || first.contains(JSON), "{first}");
    let second = resolve("second");
    assert!(second.contains("if-none-match: ") && second.contains("http/1.1 304 "), "{second}");
    host.finish();
}

#[test]
fn a_query_names_the_representation_and_other_spellings_are_redirected() {
    let mut index = Index::new();
    index.add(&[json!({ "name": "Demo.Lib", "version": "1.0", "kind": "sdist" })]);
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[ONE]);
    for (query, expected) in [
        ("?format=application/vnd.pypi.simple.v1%2Bjson", JSON),
        ("?format=application/vnd.pypi.simple.latest+json", JSON),
        ("?format=application/vnd.pypi.simple.latest+html", "application/vnd.pypi.simple.v1+html"),
        ("?format=text/html", "text/html; charset=utf-8"),
    ] {
        let path = format!("simple/demo-lib/{query}");
        let answer = get(&host, &path, &[("Accept", "image/png")]);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(expected)),
            "{query}"
        );
    }
    assert_eq!(get(&host, "simple/demo-lib/?format=application/json", &[]).status, 406);
    for (from, to) in [
        ("simple/Demo.Lib", "/content/py/simple/Demo.Lib/"),
        ("simple/Demo.Lib/", "/content/py/simple/demo-lib/"),
        ("simple/demo-lib", "/content/py/simple/demo-lib/"),
    ] {
        let answer = get(&host, from, &[]);
        assert_eq!((answer.status, answer.header("location")), (301, Some(to)), "{from}");
    }
    host.finish();
}

#[test]
fn pages_are_sent_packed_to_whoever_takes_it_and_files_never() {
    let mut index = two_versions();
    let more = ["1.1", "1.2", "1.3", "1.4"];
    index.add(&more.map(|version| json!({ "name": "demo-lib", "version": version })));
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[ONE]);
    let plain = get(&host, "simple/demo-lib/", &[]);
    let packed = get(&host, "simple/demo-lib/", &[("Accept-Encoding", "gzip, deflate")]);
    let encoding = |answer: &Answer| answer.header("content-encoding").map(str::to_owned);
    assert_eq!((encoding(&plain), encoding(&packed)), (None, Some("gzip".to_owned())));
    assert_eq!(packed.header("content-type"), Some(JSON));
    assert!(packed.body.len() < plain.body.len());
    for answer in [&plain, &packed] {
        assert_eq!(answer.header("vary"), Some("accept, accept-encoding"));
    }
    assert_ne!(plain.header("etag"), packed.header("etag"), "other bytes have another tag");
    let path = "simple/demo-lib/index.v1.json.gz";
    let file = get(&host, path, &[("Accept-Encoding", "gzip")]);
    assert_eq!((file.status, encoding(&file)), (200, None), "a .gz file is what it is");
    assert_eq!(file.body, packed.body);
    for client in Client::ALL {
        assert_eq!(
            version(&install(&host, client, "packed", &["demo-lib"])).as_deref(),
            Some("2.0")
        );
    }
    host.finish();
}

#[test]
fn metadata_that_comes_later_is_taken_in_without_a_new_wheel() {
    let mut index = two_versions();
    let told: Vec<Value> = index
        .entries("demo-lib")
        .iter_mut()
        .map(|entry| entry.as_object_mut().expect("one").remove("core-metadata").expect("told"))
        .collect();
    index.write();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[ONE]);
    assert!(page(&host, "demo-lib")["files"][0].get("core-metadata").is_none());
    for (entry, told) in index.entries("demo-lib").iter_mut().zip(told) {
        entry["core-metadata"] = told;
    }
    index.write();
    upstream.forget();
    let second = host.ok(&["sync", "py"]);
    assert_eq!(
        (&second["state"], &second["added"]),
        (&json!("succeeded"), &json!(2)),
        "{second:#}"
    );
    let wheels = upstream
        .seen()
        .into_iter()
        .filter(|seen| seen.path.contains(".whl") && !seen.path.contains(".metadata"))
        .count();
    assert_eq!(wheels, 0);
    host.ok(&["publish", "py"]);
    assert!(page(&host, "demo-lib")["files"][1]["core-metadata"]["sha256"].is_string());
    for client in Client::ALL {
        assert_eq!(
            version(&install(&host, client, "later", &["demo-lib"])).as_deref(),
            Some("2.0")
        );
    }
    let third = host.ok(&["sync", "py"]);
    assert_eq!(third["changed"], json!(false), "{third:#}");
    host.finish();
}

#[test]
fn a_file_may_be_yanked_and_taken_back() {
    let mut index = two_versions();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[ONE]);
    for (round, (yanked, chosen)) in
        [(json!("it eats files"), "1.0"), (json!(false), "2.0")].into_iter().enumerate()
    {
        index.entries("demo-lib")[1]["yanked"] = yanked;
        index.write();
        host.ok(&["sync", "py"]);
        host.ok(&["publish", "py"]);
        for client in Client::ALL {
            let target = install(&host, client, &format!("yank-{round}"), &["demo-lib"]);
            assert_eq!(version(&target).as_deref(), Some(chosen));
        }
    }
    host.finish();
}

#[test]
fn odd_entries_and_specifiers_harm_nobody() {
    let mut index = two_versions();
    index.entries("demo-lib")[0]["requires-python"] = json!(">=3.6.*");
    let odd = json!({ "filename": "demo_lib-.whl", "url": "../../files/x", "hashes": {} });
    index.entries("demo-lib").push(odd);
    index.write();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[ONE]);
    let files = page(&host, "demo-lib")["files"].clone();
    assert_eq!(files.as_array().map(Vec::len), Some(2), "{files:#}");
    assert_eq!(files[0]["requires-python"], json!(">=3.6.*"), "as it was");
    for client in Client::ALL {
        let target = install(&host, client, "odd", &["demo-lib==1.0"]);
        assert_eq!(version(&target).as_deref(), Some("1.0"));
    }
    host.finish();
}

#[test]
fn addresses_with_queries_and_files_without_digests_are_mirrored_at_once() {
    let mut index = two_versions();
    for entry in index.entries("demo-lib") {
        entry["hashes"] = json!({});
        entry.as_object_mut().expect("one").remove("core-metadata");
        let url = format!("{}?signature=a%2Fb&expires=1", entry["url"].as_str().expect("one"));
        entry["url"] = json!(url);
    }
    index.write();
    let upstream = Upstream::of(index.folder());
    let host = host();
    mirror(&host, &upstream, &[ONE]);
    let files = page(&host, "demo-lib")["files"].clone();
    let own = index.sha256_of("demo_lib-1.0-py3-none-any.whl");
    assert_eq!(files[0]["hashes"]["sha256"], json!(own), "learnt from the bytes");
    assert!(!files.to_string().contains("signature"), "upstream's address is nobody's business");
    for client in Client::ALL {
        assert_eq!(
            version(&install(&host, client, "signed", &["demo-lib"])).as_deref(),
            Some("2.0")
        );
    }
    host.finish();
}

#[test]
fn filters_choose_files_by_python_platform_and_yank() {
    let mut index = two_versions();
    index.add(&[
        json!({ "name": "demo-lib", "version": "3.0", "requires_python": ">=99" }),
        json!({ "name": "demo-lib", "version": "2.5", "yanked": "no" }),
    ]);
    let upstream = Upstream::of(index.folder());
    let host = host();
    let settings = [ONE, "python=3.11", "yanked=false", "keep_latest=1", "platforms=[\"linux\"]"];
    mirror(&host, &upstream, &settings);
    let files = page(&host, "demo-lib")["files"].clone();
    let names: Vec<_> =
        files.as_array().expect("a list").iter().map(|it| &it["filename"]).collect();
    assert_eq!(names, [&json!("demo_lib-2.0-py3-none-any.whl")]);
    host.finish();
}

// F119
#[test]
fn a_private_project_hides_the_public_one_of_its_name() {
    let (mut private, mut public) = (Index::new(), Index::new());
    private.add(&[json!({ "name": "demo-lib", "version": "1.0" })]);
    public.add(&[
        json!({ "name": "demo-lib", "version": "99.0" }),
        json!({ "name": "other", "version": "1.0" }),
    ]);
    let (own, foreign) = (Upstream::of(private.folder()), Upstream::of(public.folder()));
    let host = host();
    host.ok(&["repo", "create", "py"]);
    let attach = |instance: &str, upstream: &Upstream| {
        let (component, url) =
            (format!("pypi.importer@{instance}"), format!("url={}", upstream.url("simple/")));
        host.ok(&["attach", "py", &component, "--set", &url, "--set", "mode=additive"]);
    };
    attach("private", &own);
    host.ok(&["sync", "py"]);
    host.ok(&["detach", "py", "pypi.importer@private"]);
    attach("public", &foreign);
    let told = host.ok(&["sync", "py"]);
    assert!(told.to_string().contains("policy.foreign"), "{told:#}");
    host.ok(&["attach", "py", "pypi.distributor", "--set", "path=py"]);
    host.ok(&["publish", "py"]);
    for client in Client::ALL {
        let target = install(&host, client, "both", &["demo-lib", "other"]);
        assert_eq!(version(&target).as_deref(), Some("1.0"), "not the newer one of a stranger");
    }
    let tracks = |name: &str| page(&host, name)["meta"]["tracks"].clone();
    assert_eq!(tracks("other"), json!([foreign.url("simple/other/")]));
    assert_eq!(tracks("demo-lib"), json!([own.url("simple/demo-lib/")]));
    host.finish();
}
