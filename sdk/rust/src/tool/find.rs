//! Where programs are. `PATH` of an ordinary user lacks the folders of system programs, where `mke2fs` and `sfdisk` lie.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::Error;

const SYSTEM_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// `PATH`, with the folders of system programs behind it.
pub(super) fn search_path() -> OsString {
    let path =
        env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    let folders = env::split_paths(&path).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    env::join_paths(folders).unwrap_or(path)
}

/// Where a program is, by its name in `PATH` or its path.
pub fn find(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let program = Path::new(program.as_ref());
    if program.components().count() > 1 {
        return is_program(program).then(|| program.to_owned());
    }
    env::split_paths(&search_path())
        .map(|folder| folder.join(program))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Sees to it that programs are there, each with the Debian package that brings it.
///
/// # Errors
/// A usage error that names all missing ones.
pub fn need(programs: &[(&str, &str)]) -> Result<(), Error> {
    let missing: Vec<_> = programs.iter().filter(|(program, _)| find(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.sort_unstable();
    packages.dedup();
    let (names, packages) = (names.join(", "), packages.join(" "));
    let message = format!(
        "these programs are missing on the host: {names}; on Debian, `apt-get install {packages}` brings them"
    );
    Err(Error::usage("config.tool_missing", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_name_and_by_path() {
        let shell = find("sh").unwrap();
        assert_eq!(find(&shell), Some(shell));
        assert_eq!(find("/etc/passwd"), None, "not executable");
    }

    #[test]
    fn all_missing_programs_are_named_with_their_packages_once() {
        let error = need(&[("sh", "dash"), ("no-such-a", "many"), ("no-such-b", "many")]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("no-such-a, no-such-b"), "{error}");
        assert!(error.contains("apt-get install many`"), "{error}");
    }
}
