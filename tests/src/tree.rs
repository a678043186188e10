//! Trees of files with a PULP_MANIFEST, the same on every machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::random::Random;

/// The name of the manifest.
pub const MANIFEST: &str = "PULP_MANIFEST";

/// A folder of files whose digests are known. The folder goes with the value.
#[derive(Debug)]
pub struct Tree {
    folder: TempDir,
    files: BTreeMap<String, (String, usize)>,
}

impl Tree {
    /// An empty tree with an empty manifest.
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-tree-").tempdir().expect("a folder");
        let tree = Self { folder, files: BTreeMap::new() };
        tree.write_manifest();
        tree
    }

    /// So many files of 0 to `most` bytes, ten in a folder, and their manifest.
    pub fn of(count: usize, most: u64, seed: u64) -> Self {
        let mut tree = Self::empty();
        let mut random = Random::new(seed);
        for number in 0..count {
            let size = usize::try_from(random.below(most + 1)).expect("a file fits memory");
            let bytes = random.bytes(size);
            tree.put(&format!("d{:03}/f{number:05}.bin", number / 10), &bytes);
        }
        tree.write_manifest();
        tree
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, leaving the manifest as it is.
    pub fn put(&mut self, path: &str, bytes: &[u8]) {
        write(self.folder(), path, bytes);
        self.files.insert(path.to_owned(), (sha256(bytes), bytes.len()));
    }

    /// Removes a file, leaving the manifest as it is.
    pub fn remove(&mut self, path: &str) {
        fs::remove_file(self.at(path)).expect("the file is there");
        self.files.remove(path);
    }

    /// Changes one file in `every`, adds `every` th as many, removes as many, and writes the manifest. Returns how many
    /// of each.
    pub fn churn(&mut self, every: usize, seed: u64) -> usize {
        let mut random = Random::new(seed);
        let paths: Vec<String> = self.files.keys().cloned().collect();
        let mut moved = 0;
        for (place, path) in paths.iter().enumerate() {
            if place % every == 0 {
                let bytes = random.bytes(100);
                self.put(path, &bytes);
                let bytes = random.bytes(100);
                self.put(&format!("new/{seed}-{place:05}.bin"), &bytes);
                moved += 1;
            } else if place % every == 1 {
                self.remove(path);
            }
        }
        self.write_manifest();
        moved
    }

    /// Writes the manifest of what is there.
    pub fn write_manifest(&self) {
        self.write_manifest_text(&self.manifest());
    }

    /// Writes this text as manifest, true or not.
    pub fn write_manifest_text(&self, text: &str) {
        fs::write(self.at(MANIFEST), text).expect("a file");
    }

    /// Makes it a plain folder.
    pub fn remove_manifest(&self) {
        fs::remove_file(self.at(MANIFEST)).expect("it is there");
    }

    /// The manifest of what is there.
    pub fn manifest(&self) -> String {
        self.files.iter().fold(String::new(), |mut text, (path, (digest, size))| {
            writeln!(text, "{path},{digest},{size}").expect("a String takes everything");
            text
        })
    }

    /// The digest of every file, by path.
    pub fn digests(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|(path, (digest, _size))| (path.clone(), digest.clone())).collect()
    }

    /// The files' paths, in order.
    pub fn paths(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// How many bytes all files have together.
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|(_digest, size)| *size as u64).sum()
    }

    /// Where a file of the tree is.
    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

/// Writes a file below a folder, with the folders that it needs.
pub(crate) fn write(folder: &Path, path: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
    fs::write(&path, bytes).expect("a file");
    path
}

/// The digest of these bytes, 64 hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}
