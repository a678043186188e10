//! Content that users bring: `wharf upload`, twine and uv publish, and the clients that install what was uploaded.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wharf_tests::apt::{Apt, Archive};
use wharf_tests::http::{self, Request};
use wharf_tests::python::{Client, Index, installed};
use wharf_tests::tree::sha256;
use wharf_tests::upload::{Publisher, told};
use wharf_tests::{TestHost, wait};

/// A host that serves, with one more plugin.
fn host(plugin: &str) -> TestHost {
    let mut host = TestHost::new();
    host.install(plugin);
    host.serve();
    host
}

/// Distributions, and the folder that they lie in.
fn distributions(specs: &[Value]) -> (Index, PathBuf) {
    let mut index = Index::new();
    index.add(specs);
    let files = index.folder().join("files");
    (index, files)
}

/// A repository for uploads, published after each, and a token for it.
fn python(host: &TestHost) -> String {
    host.repository("py", &[("pypi.importer", &["auto_publish=true"]), ("pypi.distributor", &[])]);
    let made = host.ok(&["token", "create", "ci", "--upload", "py"]);
    made["secret"].as_str().expect("a secret").to_owned()
}

fn endpoint(host: &TestHost) -> String {
    format!("http://{}/upload/py/", host.server().content())
}

fn install(host: &TestHost, client: Client, name: &str, requirement: &str) -> PathBuf {
    let target = host.folder().join(format!("{name}-{client:?}"));
    fs::create_dir(&target).expect("a folder");
    let simple = format!("http://{}/content/py/simple/", host.server().content());
    let output = client.install(&simple, &target, &[requirement]);
    assert!(output.status.success(), "{client:?}: {}", told(&output));
    target
}

fn unfinished(host: &TestHost, repository: &str) -> Vec<Value> {
    let path = format!("/api/v1/repositories/{repository}/uploads");
    let answer = host.api("GET", &path, b"");
    answer.json().as_array().expect("a list").clone()
}

// F118
#[test]
fn twine_and_uv_publish_what_pip_and_uv_install() {
    let (_index, files) = distributions(&[
        json!({ "name": "Demo.App", "version": "1.0", "requires": ["demo-lib>=1"] }),
        json!({ "name": "demo-lib", "version": "1.0", "kind": "sdist" }),
        json!({ "name": "demo-lib", "version": "2.0", "requires_python": ">=3.6" }),
    ]);
    let host = host("pypi");
    let token = python(&host);
    let url = endpoint(&host);
    let publish = |publisher: Publisher, name: &str| {
        publisher.publish(&url, &token, host.folder(), &files.join(name))
    };
    for (publisher, name) in [
        (Publisher::Twine, "demo_app-1.0-py3-none-any.whl"),
        (Publisher::Twine, "demo-lib-1.0.tar.gz"),
        (Publisher::Uv, "demo_lib-2.0-py3-none-any.whl"),
    ] {
        let output = publish(publisher, name);
        assert!(output.status.success(), "{publisher:?} {name}: {}", told(&output));
    }
    for client in Client::ALL {
        let target = install(&host, client, "newest", "demo-app");
        assert_eq!(installed(&target, "demo_lib").as_deref(), Some("2.0"));
        let target = install(&host, client, "sdist", "demo-lib==1.0");
        assert_eq!(installed(&target, "demo_lib").as_deref(), Some("1.0"));
    }
    let page = host.get("/content/py/simple/demo-lib/index.v1.json").json();
    let wheel = page["files"].as_array().into_iter().flatten();
    let wheel: Vec<_> = wheel.filter(|it| it["core-metadata"]["sha256"].is_string()).collect();
    assert_eq!(wheel.len(), 1, "the wheel's metadata stands beside it: {page:#}");
    assert_eq!(wheel[0]["requires-python"], ">=3.6");
    assert!(wheel[0]["upload-time"].is_string(), "{page:#}");

    // The same again is no error and no new version; the same name with other bytes is refused.
    let before = host.ok(&["repo", "show", "py"])["version"].clone();
    assert!(publish(Publisher::Twine, "demo_app-1.0-py3-none-any.whl").status.success());
    assert_eq!(host.ok(&["repo", "show", "py"])["version"], before);
    let (_other, files) =
        distributions(&[json!({ "name": "Demo.App", "version": "1.0", "body": "other" })]);
    let file = files.join("demo_app-1.0-py3-none-any.whl");
    for publisher in Publisher::ALL {
        let output = publisher.publish(&url, &token, host.folder(), &file);
        assert!(!output.status.success(), "{publisher:?}");
        let words = told(&output);
        assert!(words.contains("exists already, with other bytes"), "{publisher:?}: {words}");
    }
    // Whoever may change the repository can take a file back; then its name is free.
    let name = "filename=demo_app-1.0-py3-none-any.whl";
    let removed = host.ok(&["unit", "remove", "py", "--type", "python_file", "--where", name]);
    assert_eq!(removed["removed"], 1, "{removed:#}");
    let output = Publisher::Twine.publish(&url, &token, host.folder(), &file);
    assert!(output.status.success(), "{}", told(&output));
    let before = host.ok(&["repo", "show", "py"])["version"].clone();
    // A file that holds another version than its name says.
    let liar = files.join("demo_app-9.0-py3-none-any.whl");
    fs::copy(&file, &liar).expect("a copy");
    let run = host.wharf(&["upload", "py", &liar.to_string_lossy()]);
    assert_eq!((run.status, run.code()), (2, "content.name"), "{run:#?}");
    assert_eq!(host.ok(&["repo", "show", "py"])["version"], before);
    let leftovers = unfinished(&host, "py").len();
    assert_eq!(leftovers, 1, "only what `wharf upload` may want to try again is kept");
    host.finish();
}

#[test]
fn uploads_from_outside_need_the_token_of_the_repository() {
    let (_index, files) = distributions(&[json!({ "name": "x", "version": "1" })]);
    let file = files.join("x-1-py3-none-any.whl");
    let host = host("pypi");
    let token = python(&host);
    host.repository("other", &[("pypi.importer", &[])]);
    let address = host.server().content().to_owned();
    let publish = |name: &str, token: &str| {
        let url = format!("http://{address}/upload/{name}/");
        let output = Publisher::Twine.publish(&url, token, host.folder(), &file);
        (output.status.success(), told(&output))
    };
    let (good, words) = publish("py", "wharf-0123");
    assert!(!good && words.contains("401"), "{words}");
    let (good, words) = publish("other", &token);
    assert!(!good && words.contains("403"), "{words}");
    let (good, words) = publish("missing", &token);
    assert!(!good && words.contains("403"), "{words}");
    let request = Request { method: "POST", path: "/upload/py/", headers: &[], body: b"" };
    let answer = http::request(&address, &request).expect("an answer");
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").is_some_and(|it| it.starts_with("Basic ")));
    let list = host.ok(&["token", "list"]);
    assert_eq!(list["tokens"][0]["upload"], json!(["py"]));
    assert!(!list.to_string().contains(&token), "the secret is shown once");
    let (good, words) = publish("py", &token);
    assert!(good, "{words}");
    host.ok(&["token", "delete", "ci"]);
    let (good, words) = publish("py", &token);
    assert!(!good && words.contains("401"), "{words}");
    let database = fs::read(host.data().join("wharf.db")).expect("the database");
    let secret = token.as_bytes();
    assert!(!database.windows(secret.len()).any(|bytes| bytes == secret), "stored as digest only");
    host.finish();
}

#[test]
fn an_uploaded_package_is_installed_by_apt() {
    let mut archive = Archive::new();
    archive.add("hello", "1.0", "amd64", "xz");
    archive.add("odd+name", "1:2.0~rc1+b1", "all", "gzip");
    let pool = archive.folder().join("pool");
    let path = |name: &str| pool.join(name).to_string_lossy().into_owned();
    let host = host("deb");
    let hello = path("hello_1.0_amd64.deb");
    let first =
        host.ok(&["upload", "apps", "--type", "deb", &hello, &path("odd+name_2.0~rc1+b1_all.deb")]);
    assert_eq!((&first["added"], &first["version"]), (&json!(2), &json!(1)), "{first:#}");
    assert_eq!(first["brought"][0]["file"], "hello_1.0_amd64.deb", "{first:#}");
    assert_eq!(first["brought"][0]["unit"], "stable main hello 1.0 amd64");
    assert_eq!(first["published"][0]["state"], "succeeded", "{first:#}");
    let apt = Apt::new(&format!(
        "deb [trusted=yes] http://{}/content/apps stable main",
        host.server().content()
    ));
    apt.ok(&["update"]);
    apt.ok(&["install", "-y", "hello", "odd+name"]);
    assert_eq!(apt.installed("usr/share/hello/version"), "1.0\n");
    let again = host.ok(&["upload", "apps", &hello]);
    assert_eq!((&again["changed"], &again["unchanged"]), (&json!(false), &json!(2)), "{again:#}");
    host.wharf(&["sync", "apps"]).ended(2, "config").says(&["no source is set"]);
    let all = host.ok(&["sync", "--all"]);
    assert_eq!((&all["trouble"], &all["jobs"]), (&json!([]), &json!([])), "nothing to do: {all:#}");
    host.finish();
}

/// A file of some size that does not repeat itself.
fn big(folder: &Path, name: &str, megabytes: usize) -> (PathBuf, String) {
    let mut bytes = Vec::with_capacity(megabytes << 20);
    let mut state = 1_u64;
    while bytes.len() < megabytes << 20 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    let path = folder.join(name);
    fs::write(&path, &bytes).expect("a file");
    (path, sha256(&bytes))
}

#[test]
fn an_upload_goes_on_after_its_client_and_after_its_server_were_killed() {
    let mut host = TestHost::new();
    host.serve();
    host.repository(
        "files",
        &[("file.importer", &["auto_publish=true"]), ("file.distributor", &[])],
    );
    let (path, digest) = big(host.folder(), "big.bin", 96);
    let text = path.to_string_lossy().into_owned();
    let received = |host: &TestHost| {
        unfinished(host, "files").first().and_then(|it| it["received"].as_u64()).unwrap_or(0)
    };
    let client = host.start(&["upload", "files", &text]);
    wait::until("something came", wait::PATIENCE, || (received(&host) > 0).then_some(()));
    client.signal(rustix::process::Signal::KILL);
    client.wait();
    let first = received(&host);
    assert!(first > 0 && first < 96 << 20, "{first}: it was killed in the middle");
    host.kill_server();
    host.serve();
    assert!(received(&host) >= first, "what was acknowledged survives");
    let id = unfinished(&host, "files")[0]["id"].clone();
    let done = host.ok(&["upload", "files", &text]);
    assert_eq!(done["added"], 1, "{done:#}");
    assert!(unfinished(&host, "files").is_empty(), "{id}: the same upload was gone on with");
    let published = host.get("/content/files/big.bin");
    assert_eq!(sha256(&published.body), digest);
    host.finish();
}

#[test]
fn a_file_stands_at_its_name_or_at_the_path_that_is_asked_for() {
    let host = TestHost::new();
    let file = host.folder().join("notes.txt");
    fs::write(&file, "hello\n").expect("a file");
    let text = file.to_string_lossy().into_owned();
    host.wharf(&["upload", "docs", &text]).ended(2, "usage").says(&["--component file.importer"]);
    host.ok(&["upload", "docs", &text, "--component", "file.importer"]);
    let more = host.ok(&["upload", "docs", &text, "--key", "relative_path=2026/a.txt"]);
    assert_eq!((&more["added"], &more["version"]), (&json!(1), &json!(2)), "{more:#}");
    assert_eq!(more["brought"][0]["unit"], "2026/a.txt");
    let bad = host.wharf(&["upload", "docs", &text, "--key", "relative_path=../a"]);
    bad.ended(2, "content");
    host.wharf(&["upload", "docs", "/no/such/file"]).ended(1, "storage");
    host.finish();
}

/// curl-like: a form by hand, with a wrong digest.
#[test]
fn a_form_with_a_wrong_digest_or_another_action_is_refused_in_plain_words() {
    let (_index, files) = distributions(&[json!({ "name": "x", "version": "1" })]);
    let bytes = fs::read(files.join("x-1-py3-none-any.whl")).expect("it was made");
    let host = host("pypi");
    let token = python(&host);
    let authorization = format!("Bearer {token}");
    let send = |fields: &[(&str, &str)], content_type: &str| {
        let mut body = Vec::new();
        for (name, text) in fields {
            let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend([head.as_bytes(), text.as_bytes(), b"\r\n"].concat());
        }
        body.extend_from_slice(
            b"--XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"x-1-py3-none-any.whl\"\r\n\r\n",
        );
        body.extend([bytes.as_slice(), b"\r\n--XX--\r\n"].concat());
        let headers = [("authorization", authorization.as_str()), ("content-type", content_type)];
        let request =
            Request { method: "POST", path: "/upload/py/", headers: &headers, body: &body };
        let answer = http::request(host.server().content(), &request).expect("an answer");
        (answer.status, answer.text())
    };
    let form = "multipart/form-data; boundary=XX";
    let (status, text) = send(&[(":action", "file_upload"), ("sha256_digest", "00")], form);
    assert!(status == 400 && text.contains("sha256_digest"), "{status}: {text}");
    let (status, text) = send(&[(":action", "file_upload"), ("md5_digest", "00")], form);
    assert!(status == 400 && text.contains("md5_digest"), "{status}: {text}");
    let (status, text) = send(&[(":action", "submit")], form);
    assert!(status == 400 && text.contains(":action"), "{status}: {text}");
    let (status, text) = send(&[(":action", "file_upload"), ("version", "2")], form);
    assert!(status == 400 && text.contains("version"), "{status}: {text}");
    let (status, _text) = send(&[(":action", "file_upload")], "application/json");
    assert_eq!(status, 415);
    let (status, text) = send(&[("x", "1")], "multipart/form-data; boundary=YY");
    assert_eq!(status, 400, "{text}");
    assert!(unfinished(&host, "py").is_empty(), "what was refused is forgotten");
    let (status, text) = send(&[(":action", "file_upload")], form);
    assert_eq!(
        (status, text.as_str()),
        (200, "x-1-py3-none-any.whl -> python_file x-1-py3-none-any.whl\n")
    );
    host.finish();
}
