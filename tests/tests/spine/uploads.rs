//! Uploads over the API: pieces, places, digests, ages. What clients make of it is in `clients`.

use std::fs;

use serde_json::{Value, json};
use wharf_tests::http::{self, Answer, Request};
use wharf_tests::tree::sha256;
use wharf_tests::wharf::Patience;
use wharf_tests::{TestHost, wait};

const TEXT: &[u8] = b"bytes that somebody brings";
const UPLOADS: &str = "/api/v1/repositories/r/uploads";

/// A host with a repository that takes uploads.
fn host(patience: Patience) -> TestHost {
    let mut host = TestHost::new();
    host.serve_with(patience);
    host.repository("r", &[("file.importer", &[])]);
    host
}

fn post(host: &TestHost, path: &str, body: &Value) -> Answer {
    host.api("POST", path, body.to_string().as_bytes())
}

fn begin(host: &TestHost, body: &Value) -> i64 {
    let answer = post(host, UPLOADS, body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_i64().expect("a number")
}

/// Sends a piece: status and answer.
fn piece(host: &TestHost, id: i64, query: &str, body: &[u8]) -> (u16, Value) {
    let path = format!("/api/v1/uploads/{id}?{query}");
    let headers = [("content-type", "application/octet-stream")];
    let request = Request { method: "PUT", path: &path, headers: &headers, body };
    let answer = http::request_unix(&host.data().join("api.sock"), &request).expect("an answer");
    (answer.status, answer.json())
}

fn import(host: &TestHost, ids: &[i64]) -> Answer {
    let uploads: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    post(host, "/api/v1/repositories/r/import", &json!({ "uploads": uploads }))
}

/// Imports, and waits for the job's end.
fn imported(host: &TestHost, ids: &[i64]) -> Value {
    let answer = import(host, ids);
    assert_eq!(answer.status, 202, "{}", answer.text());
    let path = format!("/api/v1/jobs/{}", answer.json()["id"]);
    wait::until("the import ended", wait::PATIENCE, || {
        let job = host.api("GET", &path, b"").json();
        job["finished_ms"].is_i64().then_some(job)
    })
}

// F116
#[test]
fn pieces_go_where_the_upload_goes_on_and_nowhere_else() {
    let host = host(Patience::Usual);
    let id = begin(&host, &json!({ "name": "a", "size": TEXT.len() }));
    let (first, rest) = TEXT.split_at(10);
    let (_, sent) = piece(&host, id, &format!("offset=0&sha256={}", sha256(first)), first);
    assert_eq!(sent["received"], 10, "{sent}");
    let (status, doubled) = piece(&host, id, "offset=0", first);
    assert_eq!((status, &doubled["code"]), (409, &json!("conflict.offset")));
    assert_eq!(doubled["details"]["received"], 10, "{doubled}");
    let (status, damaged) = piece(&host, id, &format!("offset=10&sha256={}", sha256(b"x")), rest);
    assert_eq!((status, &damaged["code"]), (422, &json!("integrity.digest")));
    let (status, too_much) = piece(&host, id, "offset=10", TEXT);
    assert_eq!((status, &too_much["code"]), (422, &json!("integrity.size")));
    assert_eq!(import(&host, &[id]).json()["code"], "conflict.unfinished");
    let (status, _sent) = piece(&host, id, "offset=10", rest);
    assert_eq!(status, 200);
    let job = imported(&host, &[id]);
    assert_eq!(
        (&job["state"], &job["result"]["added"]),
        (&json!("succeeded"), &json!(1)),
        "{job:#}"
    );
    host.finish();
}

// F116
#[test]
fn bytes_that_are_not_what_was_announced_become_nothing() {
    let host = host(Patience::Usual);
    let id = begin(&host, &json!({ "name": "a", "sha256": sha256(b"other") }));
    piece(&host, id, "offset=0", TEXT);
    let job = imported(&host, &[id]);
    assert_eq!(job["state"], "failed", "{job:#}");
    assert_eq!(job["problem"]["code"], "integrity.digest");
    assert_eq!(host.ok(&["repo", "show", "r"])["version"], 0);
    assert_eq!(host.api("GET", UPLOADS, b"").json(), json!([]), "it is of no use to anybody");
    host.finish();
}

// F116
#[test]
fn a_known_digest_saves_no_byte_and_known_bytes_are_kept_once() {
    let mut host = host(Patience::Usual);
    let announced = json!({ "name": "a", "sha256": sha256(TEXT), "size": TEXT.len() });
    let id = begin(&host, &announced);
    piece(&host, id, "offset=0", TEXT);
    assert_eq!(imported(&host, &[id])["state"], "succeeded");
    let blobs = || wharf_tests::upload::files_below(&host.data().join("blobs"));
    let before = blobs();
    // Who only knows the digest has brought nothing.
    let stranger = json!({ "name": "b", "sha256": sha256(TEXT), "size": TEXT.len() });
    let other = begin(&host, &stranger);
    assert_eq!(import(&host, &[other]).json()["code"], "conflict.unfinished");
    let (first, rest) = TEXT.split_at(20);
    piece(&host, other, "offset=0", first);
    assert_eq!(blobs(), before);
    host.stop_server();
    host.serve();
    let (status, sent) = piece(&host, other, "offset=20", rest);
    assert_eq!((status, &sent["received"]), (200, &json!(TEXT.len())), "it outlived its server");
    let job = imported(&host, &[other]);
    assert_eq!(
        (&job["state"], &job["result"]["added"]),
        (&json!("succeeded"), &json!(1)),
        "{job:#}"
    );
    assert_eq!(wharf_tests::upload::files_below(&host.data().join("blobs")), before);
    host.finish();
}

// F116
#[test]
fn an_upload_that_nobody_goes_on_with_is_forgotten() {
    let host = host(Patience::Short);
    let id = begin(&host, &json!({ "name": "a" }));
    let (status, _sent) = piece(&host, id, "offset=0", TEXT);
    assert_eq!(status, 200);
    assert_eq!(host.ok(&["status"])["server"]["unfinished_uploads"], 1);
    // By the server's own clock: nobody asks for anything meanwhile.
    wait::until("its bytes are gone", wait::PATIENCE, || {
        let left = fs::read_dir(host.data().join("uploads")).expect("the folder").count();
        (left == 0).then_some(())
    });
    assert_eq!(host.api("GET", &format!("/api/v1/uploads/{id}"), b"").status, 404);
    host.finish();
}

#[test]
fn what_cannot_be_uploaded_is_refused_before_a_byte_is_sent() {
    let host = host(Patience::Usual);
    host.repository("bare", &[]);
    let code = |path: &str, body: &Value| post(&host, path, body).json()["code"].clone();
    assert_eq!(code(UPLOADS, &json!({ "name": "../a" })), "usage.name");
    assert_eq!(code(UPLOADS, &json!({ "name": "a", "sha256": "x" })), "usage.digest");
    assert_eq!(code(UPLOADS, &json!({ "name": "a", "size": i64::MAX })), "limit.upload");
    assert_eq!(code(UPLOADS, &json!({ "name": "a", "type": "deb" })), "not_found.uploader");
    let bare = "/api/v1/repositories/bare/uploads";
    assert_eq!(code(bare, &json!({ "name": "a" })), "not_found.uploader");
    let import = "/api/v1/repositories/r/import";
    assert_eq!(code(import, &json!({ "uploads": [] })), "usage.files");
    assert_eq!(code(import, &json!({ "uploads": [{ "id": 99 }] })), "not_found.upload");
    host.finish();
}
