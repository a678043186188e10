//! The checkout's files, without what builds leave in it.

use std::fs;
use std::path::{Path, PathBuf};

/// The checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of it").to_owned()
}

/// Every file below a folder of the checkout, by its path from the root, in order.
pub(crate) fn all(folder: &str) -> Vec<String> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the checkout").flatten() {
            let name = entry.file_name();
            let kind = entry.file_type().expect("the entry was just listed");
            if kind.is_dir() {
                if name != ".git" && name != "target" && name != "__pycache__" {
                    folders.push(entry.path());
                }
            } else {
                let path = entry.path();
                let path = path.strip_prefix(&root).expect("below the root");
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// Files with this ending.
pub(crate) fn ending(ending: &str) -> Vec<String> {
    all("").into_iter().filter(|path| path.ends_with(ending)).collect()
}

/// Rust code that people write.
pub(crate) fn rust() -> Vec<String> {
    ending(".rs").into_iter().filter(|path| !path.contains("/gen/")).collect()
}

/// A file's text; nothing if it is none.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// Fails with all of these.
pub(crate) fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}
