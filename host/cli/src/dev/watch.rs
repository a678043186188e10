//! What changed in a plugin's folder since the last look.
//!
//! By time and size of its files, looked at twice a second: that works on every file system, container mounts too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What builds and tools leave in a source folder.
const PASSED_OVER: &[&str] = &["target", "node_modules", "__pycache__", "build", "dist", "venv"];
/// A folder with more files is not watched whole.
const MOST_FILES: usize = 20_000;
const MOST_DEPTH: usize = 16;

/// All files, with what tells one state of them from another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<PathBuf, (SystemTime, u64)>);

impl Snapshot {
    /// Of a folder and of one file that may lie elsewhere. Blocks.
    pub(super) fn take(folder: &Path, executable: &Path) -> Self {
        let mut files = BTreeMap::new();
        note(executable, &mut files);
        walk(folder, 0, &mut files);
        Self(files)
    }

    /// Files that are new, other or gone.
    pub(super) fn changed(&self, earlier: &Self) -> Vec<PathBuf> {
        let other = self.0.iter().filter(|(path, state)| earlier.0.get(*path) != Some(*state));
        let gone = earlier.0.keys().filter(|path| !self.0.contains_key(*path));
        other.map(|(path, _state)| path).chain(gone).cloned().collect()
    }
}

fn walk(folder: &Path, depth: usize, files: &mut BTreeMap<PathBuf, (SystemTime, u64)>) {
    // What cannot be read changes nothing that could be told.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.')
            || PASSED_OVER.contains(&name.as_ref())
            || files.len() >= MOST_FILES
        {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < MOST_DEPTH => {
                walk(&entry.path(), depth + 1, files);
            }
            Ok(kind) if !kind.is_dir() => note(&entry.path(), files),
            _ => {}
        }
    }
}

/// Links are followed: an executable may be one.
fn note(file: &Path, files: &mut BTreeMap<PathBuf, (SystemTime, u64)>) {
    if let Ok(found) = fs::metadata(file)
        && let Ok(changed) = found.modified()
        && found.is_file()
    {
        files.insert(file.to_owned(), (changed, found.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_other_or_gone_has_changed_and_what_builds_leave_has_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["same", "other", "gone", "bin"] {
            fs::write(at(name), "x").unwrap();
        }
        let before = Snapshot::take(folder.path(), &at("bin"));
        fs::write(at("other"), "longer").unwrap();
        fs::remove_file(at("gone")).unwrap();
        fs::create_dir_all(at("src/deep")).unwrap();
        fs::write(at("src/deep/new"), "x").unwrap();
        for left in ["target", "node_modules", ".git"] {
            fs::create_dir(at(left)).unwrap();
            fs::write(at(left).join("f"), "x").unwrap();
        }
        let after = Snapshot::take(folder.path(), &at("bin"));
        assert_eq!(after.changed(&before), [at("other"), at("src/deep/new"), at("gone")]);
        assert_eq!(after.changed(&after), [] as [PathBuf; 0]);
    }
}
