//! Signatures: gpg, sqv and apt judge ours; gpg makes those of upstreams, good ones and bad ones.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use wharf_tests::apt::{Apt, Archive, written_date};
use wharf_tests::gpg::Gpg;
use wharf_tests::{TestHost, Upstream};

fn host() -> TestHost {
    let mut host = TestHost::new();
    host.install("deb");
    host.serve();
    host
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_secs()).expect("before the sun burns out")
}

fn archive() -> Archive {
    let mut archive = Archive::new();
    archive.add("hello", "1.0", "amd64", "xz");
    archive.release_dated(now() - 100, "");
    archive
}

/// A client that trusts the key in this file.
fn client(host: &TestHost, key: &Path) -> Apt {
    let (key, place) = (key.display(), host.server().content());
    Apt::new(&format!("deb [signed-by={key}] http://{place}/content/apt stable main"))
}

/// The public key of this name, as a user saves it.
fn saved(host: &TestHost, name: &str) -> PathBuf {
    let path = host.folder().join(format!("{name}.asc"));
    let shown = host.wharf(&["--output", "text", "key", "show", name, "--armor"]);
    assert!(shown.stdout.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"), "{shown:?}");
    fs::write(&path, &shown.stdout).expect("a file");
    path
}

fn mirror(host: &TestHost, upstream: &Upstream, more: &[&str]) -> Value {
    let from = upstream.url("");
    let mut arguments = vec!["mirror", "deb", "apt", "--from", &from, "--set", "suites=stable"];
    arguments.extend(more);
    host.ok(&arguments)
}

/// Saves what is published of the distribution.
fn fetch(host: &TestHost, name: &str) -> PathBuf {
    let answer = host.get(&format!("/content/apt/dists/stable/{name}"));
    assert_eq!(answer.status, 200, "{name}");
    let path = host.folder().join(name);
    fs::write(&path, answer.body).expect("a file");
    path
}

#[test]
fn apt_gpg_and_sqv_take_what_is_signed_here() {
    let mut archive = archive();
    let upstream = Upstream::of(archive.folder());
    let host = host();
    let from = upstream.url("");
    let unknown =
        ["mirror", "deb", "apt", "--from", &from, "--set", "suites=stable", "--sign", "main"];
    host.wharf(&unknown).ended(2, "usage").says(&["signing_key", "wharf key create main"]);
    let made = host.ok(&["key", "create", "main", "--user-id", "Test <t@example.org>"]);
    mirror(&host, &upstream, &["--sign", "main"]);
    let key = saved(&host, "main");
    let apt = client(&host, &key);
    let told = apt.ok(&["update"]);
    assert!(told.contains("InRelease"), "{told}");
    apt.ok(&["install", "-y", "hello"]);

    let (clear, plain, detached) =
        (fetch(&host, "InRelease"), fetch(&host, "Release"), fetch(&host, "Release.gpg"));
    let [clear, plain, detached, key_text] =
        [&clear, &plain, &detached, &key].map(|path| path.to_str().expect("UTF-8"));
    let judge = Gpg::new();
    judge.run(&["--import", key_text]);
    let fingerprint = made["fingerprint"].as_str().expect("a text");
    for arguments in [vec!["--verify", clear], vec!["--verify", detached, plain]] {
        let told = judge.run(&arguments);
        assert!(told.contains("Good signature from \"Test <t@example.org>\""), "{told}");
        assert!(told.contains(fingerprint), "{told}");
    }
    let sqv = Command::new("sqv").args(["--keyring", key_text, detached, plain]).output();
    let sqv = sqv.expect("sqv starts; tests/run installs it");
    assert!(String::from_utf8_lossy(&sqv.stdout).contains(fingerprint), "{sqv:?}");
    assert_eq!(host.get("/content/apt/apt.asc").body, fs::read(&key).expect("it was saved"));

    archive.add("hello", "2.0", "amd64", "xz");
    archive.release_dated(now(), "");
    mirror(&host, &upstream, &[]);
    apt.ok(&["update"]);
    apt.ok(&["download", "hello=2.0"]);
    host.ok(&["publish", "apt", "--version", "1"]);
    apt.ok(&["update"]);
    assert!(!apt.get(&["download", "hello=2.0"]).good, "apt sees that it was taken back");
    apt.ok(&["download", "hello=1.0"]);

    host.wharf(&["key", "delete", "main"]).ended(2, "conflict").says(&["apt", "--force"]);
    host.ok(&["key", "create", "second", "--algorithm", "rsa4096"]);
    mirror(&host, &upstream, &["--sign", "second"]);
    let told = apt.get(&["update"]);
    assert!(
        told.text.contains("NO_PUBKEY"),
        "apt takes nothing that another key signed: {}",
        told.text
    );
    client(&host, &saved(&host, "second")).ok(&["update"]);
    host.ok(&["key", "delete", "main"]);
    host.ok(&["key", "delete", "second", "--force"]);
    host.wharf(&["publish", "apt", "--full"])
        .ended(2, "not_found")
        .says(&["wharf key create second"]);
    host.finish();
}

#[test]
fn secrets_stay_in_their_folder() {
    let host = host();
    let gpg = Gpg::new();
    for (user, passphrase) in [("open", ""), ("locked", "hunter2")] {
        gpg.key(user, "ed25519", passphrase);
    }
    let secret = gpg.export("open", "open.asc", &["--armor", "--export-secret-keys"]);
    let taken = host.ok(&["key", "import", "brought", secret.to_str().expect("UTF-8")]);
    assert!(
        gpg.run(&["--list-keys", "open"]).contains(taken["fingerprint"].as_str().expect("text"))
    );
    let public = gpg.export("open", "public.asc", &["--armor", "--export"]);
    let refused = host.wharf(&["key", "import", "x", public.to_str().expect("UTF-8")]);
    refused.ended(2, "usage").says(&["public key only"]);
    let locked = gpg.export(
        "locked",
        "locked.asc",
        &["--passphrase", "hunter2", "--armor", "--export-secret-keys"],
    );
    let refused = host.wharf(&["key", "import", "x", locked.to_str().expect("UTF-8")]);
    refused.ended(2, "usage").says(&["passphrase"]);
    host.wharf(&["key", "create", "../x"]).ended(2, "usage").says(&["no name for a key"]);
    host.wharf(&["key", "create", "brought"]).ended(2, "conflict").says(&["another name"]);

    let folder = host.data().join("keys");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("brought.asc"))), (0o700, 0o600));
    let listed = host.api("GET", "/api/v1/keys", b"");
    let listed = String::from_utf8_lossy(&listed.body).into_owned();
    assert!(listed.contains("PUBLIC KEY") && !listed.contains("PRIVATE"), "{listed}");
    let names: Vec<_> = fs::read_dir(&folder).expect("our folder").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    host.finish();
}

/// Signs the Release of an archive; what was there is replaced.
fn sign(archive: &Archive, gpg: &Gpg, user: &str, more: &[&str]) {
    let dist = archive.folder().join("dists/stable");
    let mut how: Vec<&str> = more.to_vec();
    how.push("--clear-sign");
    gpg.sign(user, &dist.join("Release"), &dist.join("InRelease"), &how);
}

// F104, F105, F106, F107
#[test]
fn what_upstream_did_not_sign_well_is_refused_and_what_was_published_stays() {
    let mut archive = archive();
    let dist = archive.folder().join("dists/stable");
    let upstream = Upstream::of(archive.folder());
    let host = host();
    let (gpg, stranger) = (Gpg::new(), Gpg::new());
    gpg.key("maker", "rsa2048", "");
    stranger.key("stranger", "ed25519", "");
    sign(&archive, &gpg, "maker", &[]);
    let key = gpg.export("maker", "maker.gpg", &["--export"]);
    let setting = format!("signed_by=@{}", key.display());
    let first = mirror(&host, &upstream, &["--set", &setting]);
    assert_eq!(first["state"], json!("succeeded"), "{first:#}");
    let published = host.get("/content/apt/dists/stable/Release").body;

    let refuses = |code: &str, words: &[&str]| {
        let run = host.wharf(&["sync", "apt"]);
        assert_eq!((run.status, run.code()), (1, code), "{run:#?}");
        run.says(words);
        assert_eq!(host.get("/content/apt/dists/stable/Release").body, published);
    };
    archive.add("hello", "2.0", "amd64", "xz");
    archive.release_dated(now() - 50, "");
    sign(&archive, &stranger, "stranger", &[]);
    refuses("signature.key", &["InRelease", "none of the trusted keys", "signed_by"]);
    sign(&archive, &gpg, "maker", &["--digest-algo", "SHA1"]);
    refuses("signature.weak", &["SHA1"]);
    sign(&archive, &gpg, "maker", &["--sig-notation", "!odd@example.org=1"]);
    refuses("signature.critical", &["odd@example.org"]);
    let signed = fs::read_to_string(dist.join("InRelease")).expect("it was signed");
    fs::write(dist.join("InRelease"), format!("{signed}Components: evil\n")).expect("a file");
    refuses("signature.malformed", &["follows the signature"]);

    fs::remove_file(dist.join("InRelease")).expect("it is there");
    refuses("signature.missing", &["holds no signature"]);
    let (release, detached) = (dist.join("Release"), dist.join("Release.gpg"));
    let other = archive.folder().join("other");
    fs::write(&other, "Components: evil\n").expect("a file");
    gpg.sign("maker", &other, &detached, &["--armor", "--detach-sign"]);
    refuses("signature.bad", &["other bytes"]);

    archive.release_dated(now() - 9_000, "");
    gpg.sign("maker", &release, &detached, &["--armor", "--detach-sign"]);
    refuses("signature.rollback", &["rollback", "detach"]);
    let past = format!("Valid-Until: {}\n", written_date(now() - 60));
    archive.release_dated(now() - 40, &past);
    gpg.sign("maker", &release, &detached, &["--armor", "--detach-sign"]);
    refuses("signature.freeze", &["freeze"]);

    archive.release_dated(now() - 30, "");
    gpg.sign("maker", &release, &detached, &["--armor", "--detach-sign"]);
    let good = host.ok(&["sync", "apt"]);
    assert_eq!(good["added"], json!(1), "{good:#}");
    host.finish();
}

// F105
#[test]
fn expired_signatures_and_keys_are_refused() {
    let archive = archive();
    let upstream = Upstream::of(archive.folder());
    let host = host();
    let gpg = Gpg::new();
    let yesterday = format!("{}!", stamp(now() - 86_400));
    let old = ["--faked-system-time", &yesterday];
    gpg.run(
        &[
            &old[..],
            &["--passphrase", "", "--quick-gen-key", "short", "ed25519", "sign", "seconds=3600"],
        ]
        .concat(),
    );
    gpg.run(
        &[&old[..], &["--passphrase", "", "--quick-gen-key", "long", "ed25519", "sign", "never"]]
            .concat(),
    );
    let mut keys = Vec::new();
    for user in ["short", "long"] {
        let key = gpg.export(user, user, &["--armor", "--export"]);
        keys.push(fs::read_to_string(key).expect("it was exported"));
    }
    let file = host.folder().join("keys.asc");
    fs::write(&file, keys.concat()).expect("a file");
    let setting = format!("signed_by=@{}", file.display());
    let from = upstream.url("");
    let arguments =
        ["mirror", "deb", "apt", "--from", &from, "--set", "suites=stable", "--set", &setting];
    let refuses = |words: &[&str]| {
        let run = host.wharf(&arguments);
        assert_eq!((run.status, run.code()), (1, "signature.expired"), "{run:#?}");
        run.says(words);
    };
    sign(&archive, &gpg, "short", &old);
    refuses(&["the key", "expired on"]);
    sign(&archive, &gpg, "long", &[&old[..], &["--default-sig-expire", "seconds=3600"]].concat());
    refuses(&["the signature by", "expired on"]);
    sign(&archive, &gpg, "long", &[]);
    assert_eq!(host.wharf(&arguments).status, 0);
    host.finish();
}

/// A time as gpg is told one: `20261121T073704`.
fn stamp(seconds: i64) -> String {
    let from = format!("@{seconds}");
    let output = Command::new("date").args(["-u", "-d", &from, "+%Y%m%dT%H%M%S"]).output();
    String::from_utf8_lossy(&output.expect("date starts").stdout).trim().to_owned()
}
