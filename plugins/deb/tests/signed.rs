//! Signatures in both directions: of what is mirrored, and of what is published.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::{URL, Upstream, package, read, settings};
use wharf_openpgp::{Algorithm, Form, Keyring, SecretKey};
use wharf_plugin_deb::plugin;
use wharf_plugin_deb::release::{Release, split, write_date};
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::published_file::From;
use wharf_sdk::{SignForm, Signed, Unit};

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn key() -> SecretKey {
    SecretKey::generate("Test", Algorithm::Ed25519, now()).unwrap()
}

/// An upstream with one package whose Release is so old, and has this field too.
fn upstream(age: i64, more: &str) -> Upstream {
    let date = write_date(now() - age).unwrap();
    let fields =
        format!("Suite: stable\nDate: {date}\nArchitectures: amd64\nComponents: main\n{more}");
    let index = package("hello", "1.0", "amd64");
    Upstream { fields, ..Upstream::new() }.index("main/binary-amd64/Packages", &index)
}

fn at(name: &str) -> String {
    format!("{URL}/dists/stable/{name}")
}

/// The upstream with an `InRelease` by this key.
fn clear(upstream: &Upstream, key: &SecretKey) -> FakeHost {
    let host = upstream.serve(FakeHost::new(), "dists/stable/");
    host.file(&at("InRelease"), key.clearsign(&upstream.release(), now()).unwrap())
}

/// The upstream with `Release` and `Release.gpg` only; the signature is one of these bytes.
fn detached(upstream: &Upstream, key: &SecretKey, of: &str) -> FakeHost {
    let plain = Upstream { signed: false, ..upstream.clone() };
    let host = plain.serve(FakeHost::new(), "dists/stable/");
    host.file(&at("Release.gpg"), key.detached(of.as_bytes(), Form::Armored, now()).unwrap())
}

fn trusting(key: &SecretKey) -> Value {
    settings(&json!({ "signed_by": [key.public()] }))
}

async fn sync(host: FakeHost, settings: &Value, state: Vec<u8>) -> Run {
    let harness = Harness::start(plugin(), host);
    harness.call("importer").settings(settings).state(state).last("succeeded").sync().await
}

async fn refused(host: FakeHost, settings: &Value, state: Vec<u8>) -> (String, String) {
    let run = sync(host, settings, state).await;
    assert!(run.units.is_empty(), "something unverified was read: {run:#?}");
    (run.failure().code.clone(), run.failure().message.clone())
}

#[tokio::test]
async fn what_a_trusted_key_signed_is_taken_and_the_key_is_told() {
    let (key, upstream) = (key(), upstream(60, ""));
    let fingerprint = &key.certificate().fingerprint;
    let text = upstream.release();
    for host in [clear(&upstream, &key), detached(&upstream, &key, &text)] {
        let run = sync(host, &trusting(&key), Vec::new()).await;
        let summary = read(&run.done().summary);
        assert_eq!(
            (&summary["signature"], &summary["signers"]),
            (&json!("verified"), &json!([fingerprint]))
        );
        assert_eq!(run.warnings, []);
    }
    let run = sync(clear(&upstream, &key), &settings(&json!({})), Vec::new()).await;
    assert_eq!(read(&run.done().summary)["signature"], "not verified");
}

// F105
#[tokio::test]
async fn unsigned_and_foreign_metadata_is_refused_where_keys_are_trusted() {
    let (ours, theirs, upstream) = (key(), key(), upstream(60, ""));
    let plain = Upstream { signed: false, ..upstream.clone() };
    let unsigned = plain.serve(FakeHost::new(), "dists/stable/");
    let (code, message) = refused(unsigned.clone(), &trusting(&ours), Vec::new()).await;
    assert_eq!(code, "signature.missing");
    assert!(message.contains("dists/stable/Release") && message.contains("signed_by"), "{message}");
    let bare = unsigned.file(&at("InRelease"), upstream.release());
    assert_eq!(refused(bare, &trusting(&ours), Vec::new()).await.0, "signature.missing");
    let made_up = upstream.serve(FakeHost::new(), "dists/stable/");
    assert_eq!(refused(made_up, &trusting(&ours), Vec::new()).await.0, "signature.malformed");
    let (code, message) = refused(clear(&upstream, &theirs), &trusting(&ours), Vec::new()).await;
    assert_eq!(code, "signature.key");
    assert!(message.contains(&theirs.certificate().fingerprint), "{message}");
    let both = [ours.public(), theirs.public()].concat();
    let only = json!({ "signed_by": [both], "fingerprints": [ours.certificate().fingerprint] });
    let code = refused(clear(&upstream, &theirs), &settings(&only), Vec::new()).await.0;
    assert_eq!(code, "signature.key", "a key that is not among the fingerprints does not count");
}

// F107
#[tokio::test]
async fn only_what_is_signed_is_read() {
    let (key, upstream) = (key(), upstream(60, ""));
    let other = upstream.release().replace("main", "evil");
    let foreign = detached(&upstream, &key, &other);
    assert_eq!(refused(foreign, &trusting(&key), Vec::new()).await.0, "signature.bad");
    let signed = String::from_utf8(key.clearsign(&upstream.release(), now()).unwrap()).unwrap();
    let evil = "Components: evil\n";
    let tricks = [
        (format!("{evil}{signed}"), "signature.missing"),
        (format!("{signed}{evil}"), "signature.malformed"),
        (signed.replace("Hash:", "Components: evil\nHash:"), "signature.malformed"),
        (
            signed.replace("Components: main\n", "Components: main\rOrigin: x\n"),
            "signature.malformed",
        ),
        (signed.replace("Components: main\n", evil), "signature.bad"),
    ];
    for (text, code) in tricks {
        let host = upstream.serve(FakeHost::new(), "dists/stable/").file(&at("InRelease"), text);
        assert_eq!(refused(host, &trusting(&key), Vec::new()).await.0, code);
    }
}

// F106
#[tokio::test]
async fn a_rollback_and_a_freeze_are_called_so() {
    let key = key();
    let first = sync(clear(&upstream(60, ""), &key), &trusting(&key), Vec::new()).await;
    let (code, message) =
        refused(clear(&upstream(3600, ""), &key), &trusting(&key), first.state()).await;
    assert_eq!(code, "signature.rollback");
    assert!(message.contains("rollback") && message.contains("attach"), "{message}");
    let harness = Harness::start(plugin(), clear(&upstream(3600, ""), &key));
    let call = harness.call("importer").settings(&trusting(&key)).state(first.state());
    assert_eq!(
        call.full().sync().await.failure().code,
        "signature.rollback",
        "full is no way around"
    );

    let past = format!("Valid-Until: {}\n", write_date(now() - 60).unwrap());
    let frozen = upstream(7200, &past);
    let (code, message) = refused(clear(&frozen, &key), &trusting(&key), Vec::new()).await;
    assert_eq!(code, "signature.freeze");
    assert!(message.contains("freeze"), "{message}");

    // The same bytes for ever are a freeze as well, when their time is over meanwhile.
    let lasting = upstream(60, &format!("Valid-Until: {}\n", write_date(now() + 3600).unwrap()));
    let host = clear(&lasting, &key);
    let run = sync(host.clone(), &trusting(&key), Vec::new()).await;
    assert!(sync(host.clone(), &trusting(&key), run.state()).await.done().nothing_to_do);
    for (field, code) in
        [("valid_until", "signature.freeze"), ("signed_until", "signature.expired")]
    {
        let mut state: Value = serde_json::from_slice(&run.state()).unwrap();
        state["suites"]["stable"][field] = json!(now() - 10);
        let state = serde_json::to_vec(&state).unwrap();
        assert_eq!(refused(host.clone(), &trusting(&key), state).await.0, code);
    }
}

#[tokio::test]
async fn without_keys_dates_are_warnings_and_no_measure_for_what_is_signed() {
    let key = key();
    let past = format!("Valid-Until: {}\n", write_date(now() - 60).unwrap());
    let plain = settings(&json!({}));
    let first = sync(clear(&upstream(60, ""), &key), &plain, Vec::new()).await;
    let second = sync(clear(&upstream(7200, &past), &key), &plain, first.state()).await;
    let codes: Vec<_> = second.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(codes, ["source.older", "source.outdated"]);
    let third = sync(clear(&upstream(3600, ""), &key), &trusting(&key), first.state()).await;
    assert_eq!(read(&third.done().summary)["signature"], "verified");
    let early = refused(clear(&upstream(-7200, ""), &key), &trusting(&key), Vec::new()).await;
    assert_eq!(early.0, "signature.early");
}

#[tokio::test]
async fn keys_are_checked_when_they_are_set() {
    let key = key();
    let harness = Harness::start(plugin(), FakeHost::new());
    let fields = async |more: Value| {
        let answer = harness.call("importer").settings(&settings(&more)).check().await.unwrap();
        answer.errors.into_iter().map(|error| error.field).collect::<Vec<_>>()
    };
    let secret = key.write().unwrap();
    assert_eq!(fields(json!({ "signed_by": [secret] })).await, ["/signed_by"]);
    assert_eq!(fields(json!({ "signed_by": ["nonsense"] })).await, ["/signed_by"]);
    assert_eq!(fields(json!({ "fingerprints": ["AB"] })).await, ["/fingerprints/0"]);
    let fingerprint = key.certificate().fingerprint.to_lowercase();
    let good = json!({ "signed_by": [key.public()], "fingerprints": [fingerprint] });
    assert_eq!(fields(good).await, [""; 0]);
}

fn units() -> Vec<Unit> {
    let key = json!({ "distribution": "stable", "sha256": "00" });
    let attributes = json!({ "fields": [["Origin", "Test"], ["Codename", "stable"]],
        "architectures": ["amd64"], "components": ["main"], "sources": false });
    vec![Unit::new("deb_release").key(&key).unwrap().attributes(&attributes).unwrap()]
}

fn signing_host(key: Arc<SecretKey>) -> FakeHost {
    let host = units().into_iter().fold(FakeHost::new(), FakeHost::unit);
    host.signer(move |form, bytes| {
        let signed = match form {
            SignForm::Clear => key.clearsign(std::str::from_utf8(bytes).unwrap(), now()),
            _ => key.detached(bytes, Form::Armored, now()),
        };
        let fingerprint = key.certificate().fingerprint.clone();
        Signed { bytes: signed.unwrap(), fingerprint, public_key: key.public().to_owned() }
    })
}

fn files(run: &Run) -> BTreeMap<String, Vec<u8>> {
    let inline = |from: &Option<From>| match from {
        Some(From::Inline(bytes)) => bytes.clone(),
        _ => Vec::new(),
    };
    assert!(run.result.is_some(), "{run:#?}");
    run.files.iter().map(|file| (file.path.clone(), inline(&file.from))).collect()
}

/// The date of a signed publication whose signatures are both good.
fn checked(files: &BTreeMap<String, Vec<u8>>, key: &SecretKey) -> i64 {
    let keyring = Keyring::read(&[key.public().to_owned()]).unwrap();
    let release = &files["dists/stable/Release"];
    keyring.verify(release, &files["dists/stable/Release.gpg"], now()).unwrap();
    let signed = split(&files["dists/stable/InRelease"]).unwrap();
    keyring.verify_text(signed.hashed(), &signed.signature, now()).unwrap();
    assert_eq!(&signed.text, release);
    assert_eq!(files["test.asc"], key.public().as_bytes());
    Release::read(release).unwrap().date.unwrap()
}

#[tokio::test]
async fn a_publication_is_signed_whole_and_again_when_it_is_reissued() {
    let key = Arc::new(key());
    let harness = Harness::start(plugin(), signing_host(Arc::clone(&key)));
    let call = || harness.call("distributor").signing("main").timestamp_ms(now() * 1000);
    let first = call().publish().await;
    let summary = read(&first.done().summary);
    assert_eq!(summary["signed_by"], json!(key.certificate().fingerprint));
    let before = checked(&files(&first), &key);
    let entry = |path: &str| first.files.iter().any(|file| file.path == path && file.entry_point);
    assert!(
        ["Release", "InRelease", "Release.gpg"]
            .iter()
            .all(|it| entry(&format!("dists/stable/{it}")))
    );

    // A job of its own has a folder of its own.
    let other = Harness::start(plugin(), signing_host(Arc::clone(&key)));
    let later = other.call("distributor").signing("main").timestamp_ms(now() * 1000);
    let again = later.state(first.state()).reissue(1).await;
    let after = checked(&files(&again), &key);
    assert!(after > before, "the date goes up: {before} {after}");
    assert_eq!(again.files.len(), 4, "entry points only: {:?}", files(&again).keys());

    let config = call().state(first.state()).client_config("http://h/content/test/").await.unwrap();
    let text = String::from_utf8(config.files[0].content.clone()).unwrap();
    let inline = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n ";
    assert!(text.contains(inline) && !text.contains("Trusted"), "{text}");
}

#[tokio::test]
async fn without_a_key_nothing_is_signed() {
    let host = units().into_iter().fold(FakeHost::new(), FakeHost::unit);
    let harness = Harness::start(plugin(), host);
    let run = harness.call("distributor").timestamp_ms(now() * 1000).publish().await;
    let files = files(&run);
    assert!(files.contains_key("dists/stable/Release"));
    let signed = ["InRelease", ".gpg", ".asc"];
    let signed = |path: &String| signed.iter().any(|end| path.ends_with(end));
    assert!(!files.keys().any(signed));
    assert_eq!(read(&run.done().summary)["signed_by"], Value::Null);
    let config = harness.call("distributor").state(run.state()).client_config("http://h/").await;
    let config = config.unwrap();
    assert!(String::from_utf8_lossy(&config.files[0].content).contains("Trusted: yes"));
}
