//! Where the peers are that `tests/interop/build` made, and what of them was not to be had.

use std::path::{Path, PathBuf};

/// The checkout.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the binaries of this build.
fn binaries() -> PathBuf {
    let exe = std::env::current_exe().expect("a running program has a path");
    let folder = exe.parent().expect("it lies in a folder");
    if folder.ends_with("deps") {
        folder.parent().expect("cargo's folder lies in another").to_owned()
    } else {
        folder.to_owned()
    }
}

/// A program of this workspace.
pub fn own_binary(name: &str) -> PathBuf {
    let path = binaries().join(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace --bins", path.display());
    path
}

/// What `tests/interop/build` made: the folder `interop` of cargo's target folder.
pub(crate) fn peers() -> PathBuf {
    binaries().parent().expect("a profile's folder lies in the target folder").join("interop")
}

/// Whether a peer is there: `go`, `python`, `node`, `crowdsec`. One that the build could not get is named loudly.
///
/// # Panics
/// When the build has not been run.
pub fn has(peer: &str) -> bool {
    let peers = peers();
    if peers.join("skipped").join(peer).exists() {
        complain(peer);
        return false;
    }
    let made = match peer {
        "go" => "bin/old/go-host",
        "python" => "python/stamp",
        "node" => "node/stamp",
        "crowdsec" => "crowdsec/usr/lib/crowdsec/plugins/dummy",
        other => panic!("there is no peer {other}"),
    };
    assert!(peers.join(made).exists(), "{peer} is not built: run tests/interop/build");
    true
}

/// The peers that were not to be had.
pub(crate) fn skipped() -> Vec<String> {
    let entries = std::fs::read_dir(peers().join("skipped")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn complain(peer: &str) {
    use std::io::Write as _;
    let text = format!("SKIPPED: {peer} was not to be had; this test did nothing\n");
    // The test runner shows it when it shows output; the last line of tests/run names the peer in any case.
    std::io::stderr().write_all(text.as_bytes()).expect("standard error takes a line");
}
