//! The document of the API, held against the server by programs that others wrote: a validator of such documents, and a
//! fuzzer that makes requests from it, right ones and wrong ones.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use wharf_tests::python::tool;
use wharf_tests::relay::Relay;
use wharf_tests::upload::told;
use wharf_tests::{TestHost, Tree, Upstream, wait};

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../host/server/openapi.json");
/// What every answer is held against. What the document cannot say, such as that a repository must exist, may be
/// refused: so right requests need not succeed.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
response_headers_conformance,response_schema_conformance,negative_data_rejection,unsupported_method";

/// One of each thing, by the names that the document has as examples.
fn world(host: &TestHost, upstream: &Upstream) {
    let url = format!("url={}", upstream.url("PULP_MANIFEST"));
    host.repository("tools", &[("file.importer", &[&url]), ("file.distributor", &[])]);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    let made = |path: &str, body: serde_json::Value| {
        let answer = host.api("POST", path, body.to_string().as_bytes());
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
    };
    made("/api/v1/keys", json!({ "name": "releases" }));
    made("/api/v1/tokens", json!({ "name": "builds", "upload": ["tools"] }));
    made("/api/v1/repositories/tools/uploads", json!({ "name": "a.txt" }));
    let schedule = json!({ "repository": "tools", "operation": "sync", "every": "PT6H" });
    made("/api/v1/schedules", schedule);
}

fn run(program: &str, home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(tool(program));
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
    command.args(arguments).current_dir(home).stdin(Stdio::null());
    command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Fuzzes those operations that `which` chooses.
fn fuzz(host: &TestHost, relay: &Relay, which: &[&str]) {
    let url = format!("http://{}", relay.address());
    let mut arguments = vec!["run", KEPT, "--url", &url, "--checks", CHECKS];
    arguments.extend(["--phases", "examples,coverage,fuzzing", "--max-examples", "8"]);
    arguments.extend(["--generation-deterministic", "--no-color"]);
    arguments.extend(["--request-timeout", "60", "--suppress-health-check", "all"]);
    arguments.extend(which);
    let output = run("schemathesis", host.folder(), &arguments);
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn the_document_is_what_the_server_serves_and_what_it_does() {
    let tree = Tree::of(5, 400, 7);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    world(&host, &upstream);
    let kept = fs::read_to_string(KEPT).expect("it is kept");
    let served = host.api("GET", "/api/v1/openapi.json", b"");
    assert_eq!((served.status, served.text()), (200, kept.clone()));
    assert_eq!(host.wharf(&["openapi"]).stdout, kept);
    let output = run("openapi-spec-validator", host.folder(), &[KEPT]);
    assert!(output.status.success(), "{}", told(&output));

    let pid = host.api("GET", "/api/v1/status", b"").json()["pid"].clone();
    let relay = Relay::to_socket(&host.data().join("api.sock"));
    fuzz(&host, &relay, &["--exclude-method", "DELETE"]);
    fuzz(&host, &relay, &["--include-method", "DELETE"]);
    let status = host.api("GET", "/api/v1/status", b"").json();
    assert_eq!(status["pid"], pid, "it is the same server");
    wait::until("the jobs that were asked for have ended", wait::PATIENCE, || {
        let open = host.api("GET", "/api/v1/jobs?state=queued,blocked,running,cancelling", b"");
        (open.json() == json!([])).then_some(())
    });
    drop(relay);
    host.finish();
}
