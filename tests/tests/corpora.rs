//! Every kept input of the fuzz targets, fed to the same functions as ordinary tests.
#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a promise that is broken ends in a panic that names the input"
)]

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/targets.rs"]
#[allow(unreachable_pub, reason = "there it is a module of a library")]
mod targets;

// F12, X6
#[test]
fn every_kept_input_keeps_its_promise() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let folder = corpora.join(name);
        let mut fed = 0;
        for entry in fs::read_dir(&folder).expect("each target has a corpus").flatten() {
            let bytes = fs::read(entry.path()).expect("an input is a file");
            let fed_one = std::panic::catch_unwind(|| target(&bytes));
            assert!(fed_one.is_ok(), "{} breaks a promise", entry.path().display());
            fed += 1;
        }
        assert!(fed > 0, "{} is empty", folder.display());
    }
}

#[test]
fn every_corpus_has_its_target() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for entry in fs::read_dir(corpora).expect("there are corpora").flatten() {
        let name = entry.file_name();
        assert!(targets::TARGETS.iter().any(|(target, _)| name == *target), "{name:?}");
    }
}
