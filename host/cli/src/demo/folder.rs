//! The files of a folder as the demo itself sees them: to count before, and to compare after.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Error;

/// What is in a folder or behind a manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The files, as paths from the root down.
    pub(crate) files: HashSet<String>,
    /// Their sizes together.
    pub(crate) bytes: u64,
}

/// Finds the regular files below `root`, links not followed, and leaves out what has one of the
/// names in `without` directly below `root`. Blocks.
pub(crate) fn measure(root: &Path, without: &[&str]) -> Result<Extent, Error> {
    let mut extent = Extent::default();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let cannot = |source| Error::File { action: "read", path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let left_out = folder == root && without.iter().any(|name| entry.file_name() == **name);
            // What vanishes while one looks is not there.
            let Ok(found) = entry.metadata() else { continue };
            match found.file_type() {
                _ if left_out => {}
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => {
                    let path = entry.path();
                    let path = path.strip_prefix(root).unwrap_or(&path);
                    extent.files.insert(path.to_string_lossy().into_owned());
                    extent.bytes += found.len();
                }
                _ => {}
            }
        }
    }
    Ok(extent)
}

/// What a file of the source is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Now {
    /// It has this SHA-256.
    Digest(String),
    /// It is gone.
    Gone,
}

/// The SHA-256 of a file. Blocks.
pub(crate) fn digest(path: PathBuf) -> Result<Now, Error> {
    let hash = || {
        let mut file = fs::File::open(&path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hex(&hasher.finalize())),
                count => hasher.update(&buffer[..count]),
            }
        }
    };
    match hash() {
        Ok(digest) => Ok(Now::Digest(digest)),
        Err(error) if is_gone(&error) => Ok(Now::Gone),
        Err(source) => Err(Error::File { action: "read", path, source }),
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS[usize::from(value & 15)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// How many bytes fit where `folder` is. None: the system does not say.
pub(crate) fn free(folder: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(folder).ok()?;
    system.f_bavail.checked_mul(system.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_output_and_history_are_left_out_at_the_top_only() {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [("a", "12"), ("sub/target/b", "3"), ("target/c", "4"), (".git/d", "5")]
        {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        std::os::unix::fs::symlink("a", root.path().join("link")).unwrap();
        let extent = measure(root.path(), &["target", ".git"]).unwrap();
        let files = ["a", "sub/target/b"].map(str::to_owned).into();
        assert_eq!(extent, Extent { files, bytes: 3 });
    }

    #[test]
    fn digests_are_those_of_sha256sum() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x");
        fs::write(&path, "test").unwrap();
        let expected = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(digest(path.clone()).unwrap(), Now::Digest(expected.to_owned()));
        assert_eq!(digest(path.join("below")).unwrap(), Now::Gone);
    }
}
