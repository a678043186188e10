//! What must hold after every test, whatever went wrong in it. Numbers: `tests/faults/README.md`.
//!
//! [`check`] looks at a data folder that nobody serves; [`published`] reads what a client sees.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::TestHost;
use crate::tree::{MANIFEST, sha256};

/// I3, I5, I6: no leavings, one end for every job, every blob what its name says.
///
/// # Panics
/// When one does not hold.
pub fn check(host: &TestHost) {
    no_staged_files(&host.data());
    blobs_are_what_they_are_called(&host.data());
    every_job_has_ended(host);
}

/// I3: work folders, sockets and server records are gone.
fn no_staged_files(data: &Path) {
    let work = files(&data.join("work"));
    assert!(work.is_empty(), "I3: staged files are left: {work:#?}");
    for name in ["api.sock", "server.json"] {
        assert!(!data.join(name).exists(), "I3: {name} is left");
    }
}

/// I6: every blob has the digest that it is named by.
///
/// # Panics
/// When one has not.
pub fn blobs_are_what_they_are_called(data: &Path) {
    for path in files(&data.join("blobs")) {
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let bytes = fs::read(&path).expect("a blob can be read");
        assert_eq!(sha256(&bytes), name, "I6: {} ({} bytes)", path.display(), bytes.len());
    }
}

/// I5: every job is in one terminal state, and says why if it is not a good one.
///
/// # Panics
/// When one is not.
pub fn every_job_has_ended(host: &TestHost) {
    let jobs = host.ok(&["job", "list", "--limit", "1000"]);
    for job in jobs["jobs"].as_array().expect("a list of jobs") {
        let state = job["state"].as_str().unwrap_or_default();
        let known = ["succeeded", "partial", "failed", "cancelled", "skipped"];
        assert!(known.contains(&state), "I5: not ended: {job:#}");
        if state == "failed" {
            let problem = &job["problem"];
            let told = ["class", "code", "message"].iter().all(|field| problem[field].is_string());
            assert!(told, "I10: failed without saying why: {job:#}");
        }
    }
}

/// I1, I6: what a client finds at `/content/PATH/` is one whole publication. Returns the digest of every file in it.
///
/// # Panics
/// When a listed file cannot be had, or has other bytes than both lists say.
pub fn published(host: &TestHost, path: &str) -> BTreeMap<String, String> {
    let base = format!("/content/{path}");
    let sums = host.get(&format!("{base}/SHA256SUMS"));
    assert_eq!(sums.status, 200, "I1: no SHA256SUMS at {base}: {}", sums.text());
    let mut found = BTreeMap::new();
    for line in sums.text().lines() {
        let (digest, name) = line.split_once("  ").expect("a line of SHA256SUMS");
        let name = name.trim_start_matches('*');
        let answer = host.get(&format!("{base}/{}", encode(name)));
        assert!(answer.status == 200 && answer.whole, "I1: {name}: status {}", answer.status);
        assert_eq!(sha256(&answer.body), digest, "I6: {name}");
        found.insert(name.to_owned(), digest.to_owned());
    }
    let manifest = host.get(&format!("{base}/{MANIFEST}"));
    let listed: BTreeMap<String, String> = manifest
        .text()
        .lines()
        .filter_map(|line| {
            let mut fields = line.rsplitn(3, ',');
            let (_size, digest, name) = (fields.next()?, fields.next()?, fields.next()?);
            Some((name.to_owned(), digest.to_owned()))
        })
        .collect();
    found.remove(MANIFEST);
    assert_eq!(found, listed, "I1: {MANIFEST} and SHA256SUMS differ");
    found
}

/// A path for an address: everything but the plainest characters as percent codes.
pub fn encode(path: &str) -> String {
    path.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a String takes everything");
        }
        text
    })
}

/// All files below a folder, not following links; none if there is no folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let kind = entry.file_type().expect("the entry was just listed");
            if kind.is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found
}
