//! Uploads into the component `importer`, as a host sees it.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wharf_plugin_pypi::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};

const GOOD: &str = "x-1-py3-none-any.whl";
const METADATA: &str =
    "Metadata-Version: 2.1\nName: x\nVersion: 1\nRequires-Python: >=3.8\n\ntext\n";

/// An input that the fuzzer is given too.
fn corpus(target: &str, name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
    fs::read(folder.join(target).join(name)).unwrap()
}

fn wheel(name: &str) -> Vec<u8> {
    corpus("python_wheel", name)
}

fn sha256(bytes: &[u8]) -> String {
    let digits: Vec<String> =
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn bring(host: FakeHost, filename: &str, bytes: &[u8], attributes: &Value) -> Run {
    let harness = Harness::start(plugin(), host);
    fs::write(harness.work_dir().join("brought-0"), bytes).unwrap();
    let file = wharf_sdk::File::at(filename).sha256(&sha256(bytes)).staged("brought-0");
    let file = file.size(bytes.len() as u64);
    let call = harness.call("importer").settings(&json!({}));
    call.upload_with("", &attributes.to_string(), vec![file]).await
}

async fn refusal(filename: &str, bytes: &[u8]) -> (String, String) {
    let run = bring(FakeHost::new(), filename, bytes, &json!({})).await;
    let error = run.failure();
    assert!(run.units.is_empty(), "{filename}");
    (error.code.clone(), error.message.clone())
}

#[tokio::test]
async fn a_wheel_becomes_a_file_with_its_metadata_and_a_project() {
    let run = bring(FakeHost::new(), GOOD, &wheel("good"), &json!({})).await;
    assert_eq!(run.done().announced, Some(2));
    let unit = &run.units[0];
    assert_eq!(read(&unit.key)["filename"], GOOD);
    let attributes = read(&unit.attributes);
    assert_eq!(
        (&attributes["name"], &attributes["version"], &attributes["requires_python"]),
        (&json!("x"), &json!("1"), &json!(">=3.8"))
    );
    assert!(attributes["upload_time"].as_str().unwrap().ends_with('Z'));
    let [bytes, metadata] = &unit.files[..] else { panic!("{unit:?}") };
    assert_eq!(bytes.staged.as_deref(), Some("brought-0"));
    assert_eq!(metadata.path, format!("{GOOD}.metadata"));
    assert_eq!(metadata.digests, [format!("sha256:{}", sha256(METADATA.as_bytes()))]);
    assert_eq!(run.units[1].r#type, "python_project");
    let stored = bring(FakeHost::new(), GOOD, &wheel("stored"), &json!({})).await;
    assert_eq!(stored.units.len(), 2, "not compressed is as good");
}

#[tokio::test]
async fn a_source_distribution_is_taken_from_either_archive() {
    for (filename, name) in [("x-1.tar.gz", "good"), ("x-1.zip", "zip")] {
        let run = bring(FakeHost::new(), filename, &corpus("python_sdist", name), &json!({})).await;
        assert_eq!(read(&run.units[0].attributes)["package_type"], "sdist");
        assert_eq!(run.units[0].files.len(), 1);
    }
}

// F118
#[tokio::test]
async fn a_file_that_says_something_else_than_its_name_is_refused() {
    for filename in ["y-1-py3-none-any.whl", "x-2-py3-none-any.whl", "x-1.post1-py3-none-any.whl"] {
        let (code, message) = refusal(filename, &wheel("good")).await;
        let other = filename.starts_with('y');
        assert_eq!(code, if other { "content.package" } else { "content.name" }, "{message}");
        assert!(message.contains(filename), "{message}");
    }
    let (code, _message) = refusal("y-1.tar.gz", &corpus("python_sdist", "good")).await;
    assert_eq!(code, "content.name");
    let (code, _message) = refusal("x-1.exe", b"MZ").await;
    assert_eq!(code, "content.filename");
}

// F117
#[tokio::test]
async fn a_hostile_archive_is_refused_whatever_else_it_holds() {
    for (name, says) in [
        ("twice", "several"),
        ("several", "several"),
        ("absolute", "leads elsewhere"),
        ("outside", "leads elsewhere"),
        ("none", "has no"),
        ("size_lie", ""),
        ("crc_lie", ""),
        ("bomb", "longer than"),
        ("cut", ""),
        ("no_zip", "no sound ZIP"),
    ] {
        let (code, message) = refusal(GOOD, &wheel(name)).await;
        assert!(code == "content.package" && message.contains(says), "{name}: {code}: {message}");
    }
    for (name, says) in
        [("link", "has no"), ("outside", "leads elsewhere"), ("twice", "twice"), ("cut", "")]
    {
        let (code, message) = refusal("x-1.tar.gz", &corpus("python_sdist", name)).await;
        assert!(code == "content.package" && message.contains(says), "{name}: {code}: {message}");
    }
}

#[tokio::test]
async fn what_a_form_says_must_be_so() {
    let bytes = wheel("good");
    let digest = sha256(&bytes);
    let good = json!({ ":action": "file_upload", "content": GOOD, "name": "X", "version": "1.0.0",
        "filetype": "bdist_wheel", "sha256_digest": digest, "classifiers": ["a", "b"] });
    let send = async |change: Value| {
        let mut form = good.clone();
        form.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        bring(FakeHost::new(), GOOD, &bytes, &json!({ "form": form })).await
    };
    let version = send(json!({ "version": "1" })).await;
    assert_eq!(version.units.len(), 2);
    for (change, code) in [
        (json!({ ":action": "submit" }), "usage.form"),
        (json!({ "content": "other" }), "usage.form"),
        (json!({ "name": "y", "version": "1" }), "content.name"),
        (json!({ "version": "2" }), "content.name"),
        (json!({ "version": "1", "filetype": "sdist" }), "content.name"),
        (json!({ "version": "1", "sha256_digest": "00" }), "integrity.digest"),
        (json!({ "version": "1", "blake2_256_digest": "00" }), "integrity.digest"),
        (json!({ "version": "1", "md5_digest": "00" }), "integrity.digest"),
    ] {
        assert_eq!(send(change.clone()).await.failure().code, code, "{change}");
    }
}
