//! Plugins by the names of their files, as hosts of go-plugin find them. Whether a file can be run
//! is seen when it is.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The entries of `folder`, and of no folder below it, whose names match `pattern`: `*` stands for
/// any bytes, `?` for one, everything else for itself. Sorted, with absolute paths.
///
/// # Errors
/// The folder cannot be read.
pub fn discover(pattern: &str, folder: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
    let folder = std::path::absolute(folder)?;
    let mut found = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        let is_folder = entry.path().is_dir();
        if !is_folder && matches(pattern.as_bytes(), entry.file_name().as_bytes()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Takes no more steps than the product of both lengths: only the last `*` is ever gone back to.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut star = None;
    while let Some(&byte) = name.get(place) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == byte => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                place = taken + 1;
            }
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|&byte| byte == b'*'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn stars_and_question_marks_match() {
        for (pattern, name, expected) in [
            ("kv-*", "kv-", true),
            ("kv-*", "kv-grpc", true),
            ("kv-*", "xkv-grpc", false),
            ("*-*-v?", "a-b-c-v1", true),
            ("*-*-v?", "a-b-c-v", false),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("a*b*c", "abbbc", true),
            ("a*b*c", "abbbcd", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    // H123
    #[test]
    fn only_matching_files_of_the_folder_itself_are_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("kv-folder/inner")).unwrap();
        for name in ["kv-b", "kv-a", "other", "kv-folder/kv-c"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = discover("kv-*", folder.path()).unwrap();
        assert_eq!(found, [folder.path().join("kv-a"), folder.path().join("kv-b")]);
        assert!(discover("kv-*", folder.path().join("none")).is_err());
    }
}
