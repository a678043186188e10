//! Groups E and G: what a hostile client sends.

use std::fs;

use wharf_tests::http::{self, Request};
use wharf_tests::{TestHost, Tree, Upstream};

use crate::mirror;

#[test]
fn f122_tricks_with_paths_reach_nothing() {
    let tree = Tree::of(3, 100, 71);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    fs::write(host.data().join("secret"), "hunter2").expect("a file");
    let long = format!("/content/tools/{}", "a/".repeat(4000));
    let tricks = [
        "/content/tools/../../secret",
        "/content/../secret",
        "/content/tools/%2e%2e/%2e%2e/secret",
        "/content/tools/%252e%252e/secret",
        "/content/tools//PULP_MANIFEST",
        "/content//tools/PULP_MANIFEST",
        "/content/tools/..%2f..%2fsecret",
        "/content/tools/d000%5c..%5cPULP_MANIFEST",
        "/content/tools/%00",
        "/content/tools/PULP_MANIFEST%00.txt",
        "/content/tools/%zz",
        "/content/tools/%",
        "/content/tools/;/PULP_MANIFEST",
        "/content/%ff%fe",
        "/content/tools/.../PULP_MANIFEST",
        "/CONTENT/tools/PULP_MANIFEST",
        "/content/TOOLS/PULP_MANIFEST",
        "/content/wharf.db",
        "/wharf.db",
        &long,
    ];
    for path in tricks {
        let answer = host.get(path);
        assert!(
            [400, 404, 414, 431].contains(&answer.status),
            "{path}: {} {}",
            answer.status,
            answer.text()
        );
        assert!(!answer.text().contains("hunter2"), "I9: {path}");
    }
    // Percent codes of ordinary characters, in both cases, are the same path.
    assert_eq!(host.get("/content/tools/%50ULP%5fMANIFEST").status, 200);
    assert_eq!(host.get("/content/tools/%50ULP%5FMANIFEST").status, 200);
    assert_eq!(host.get("/health").status, 200);
    host.finish();
}

#[test]
fn f143_odd_bodies_get_a_refusal_that_names_the_place() {
    let mut host = TestHost::new();
    host.serve();
    host.ok(&["repo", "create", "tools"]);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: [&[u8]; 12] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\"tools\"",
        b"{\"name\": 5}",
        b"{\"name\": \"a\", \"name\": \"b\"}",
        b"{\"name\": \"x\", \"typse\": []}",
        b"{\"name\": 1e999}",
        b"{\"name\": \"a\", \"types\": {\"a\": 1}}",
        b"\xff\xfe",
        deep.as_bytes(),
    ];
    for body in bodies {
        let answer = host.api("POST", "/api/v1/repositories", body);
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]);
        assert!(
            [400, 413, 415, 422].contains(&answer.status),
            "{shown}: {} {}",
            answer.status,
            answer.text()
        );
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("application/problem+json"), "{shown}: {kind}");
        let problem = answer.json();
        assert!(
            problem["code"].is_string() && problem["message"].is_string(),
            "{shown}: {problem}"
        );
    }
    let misspelt = host.api("POST", "/api/v1/repositories", b"{\"name\": \"x\", \"typse\": []}");
    assert!(misspelt.text().contains("typse"), "{}", misspelt.text());
    let wrong = host.api(
        "PUT",
        "/api/v1/repositories/tools/attachments/file.importer",
        b"{\"settings\": {\"url\": {\"a\": 1}}}",
    );
    assert!([400, 422].contains(&wrong.status) && wrong.text().contains("url"), "{}", wrong.text());
    host.finish();
}

#[test]
fn f143_f144_odd_queries_get_a_refusal() {
    let mut host = TestHost::new();
    host.serve();
    host.ok(&["repo", "create", "tools"]);
    let queries = [
        "/api/v1/jobs?limit=0",
        "/api/v1/jobs?limit=-1",
        "/api/v1/jobs?limit=99999999999999999999",
        "/api/v1/jobs?state=sleeping",
        "/api/v1/jobs/abc",
        "/api/v1/jobs/0x10",
        "/api/v1/repositories/tools/diff?from=x",
        "/api/v1/repositories/tools/diff?cursor=forged",
        "/api/v1/jobs?repository=%27%20OR%201=1--",
    ];
    for path in queries {
        let answer = host.api("GET", path, b"");
        let empty = answer.status == 200 && answer.text() == "[]";
        assert!(
            (400..500).contains(&answer.status) || empty,
            "{path}: {} {}",
            answer.status,
            answer.text()
        );
    }
    host.finish();
}

#[test]
fn f143_the_api_is_not_on_the_content_address() {
    let mut host = TestHost::new();
    host.serve();
    for path in
        ["/api/v1/status", "/api/v1/repositories", "//api/v1/status", "/content/../api/v1/status"]
    {
        assert_eq!(host.get(path).status / 100, 4, "{path}");
    }
    let body = b"{\"name\": \"x\"}";
    let post = Request { method: "POST", path: "/api/v1/repositories", headers: &[], body };
    let answer = http::request(host.server().content(), &post).expect("an answer");
    assert_eq!(answer.status / 100, 4, "{}", answer.text());
    host.finish();
}
