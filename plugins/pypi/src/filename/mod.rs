//! What the name of a distribution file says: kind and version.
//!
//! Source: the binary distribution format (wheel file names), the source distribution format (PEP 625) and what older
//! tools wrote before it. Names of sdists before PEP 625 can be split in several ways; the name of the project whose
//! page lists the file decides.

use std::str::FromStr as _;

use pep440_rs::Version;

use crate::name::normalize;

/// The longest name of a file, as file systems have it, less `.metadata`.
const MAX_BYTES: usize = 246;

/// Endings of source distributions.
const SDISTS: &[&str] = &[".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tar.Z", ".tar", ".tgz"];
/// Endings of formats that old pages still list.
const OTHERS: &[&str] = &[".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg"];

/// What kind of distribution a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A built distribution: `.whl`.
    Wheel,
    /// A source distribution.
    Sdist,
    /// A format that nobody makes any more.
    Other,
}

/// A file name, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// What it is.
    pub kind: Kind,
    /// The version: in its normal form if it follows PEP 440, else as it is written.
    pub version: String,
}

/// Why a name is not that of a distribution of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilenameError {
    /// A name that could lead elsewhere, or that no file system takes.
    #[error("it is no plain file name")]
    Unsafe,
    /// No ending that is known.
    #[error("its ending is none of a Python distribution")]
    Ending,
    /// A wheel's name has five or six parts.
    #[error("a wheel is named NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl")]
    Wheel,
    /// The name of another project.
    #[error("it does not begin with the project's name")]
    Project,
    /// Nothing is left for a version.
    #[error("it has no version")]
    Version,
}

/// Reads the name of a file that the page of `project`, a normalised name, lists.
///
/// # Errors
/// It is not the name of a distribution of that project.
pub fn read(filename: &str, project: &str) -> Result<Distribution, FilenameError> {
    let plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\') && c.is_ascii();
    if filename.len() > MAX_BYTES || filename.starts_with('.') || !filename.chars().all(plain) {
        return Err(FilenameError::Unsafe);
    }
    if let Some(stem) = filename.strip_suffix(".whl") {
        return wheel(stem, project);
    }
    let stem_of = |endings: &[&str]| endings.iter().find_map(|end| filename.strip_suffix(end));
    if let Some(stem) = stem_of(SDISTS) {
        let version = behind_project(stem, project)?;
        return Ok(Distribution { kind: Kind::Sdist, version: normal(version) });
    }
    let stem = stem_of(OTHERS).ok_or(FilenameError::Ending)?;
    let rest = behind_project(stem, project)?;
    // What follows the version is the platform's.
    let version = rest.split('-').next().filter(|version| !version.is_empty());
    let version = version.ok_or(FilenameError::Version)?;
    Ok(Distribution { kind: Kind::Other, version: normal(version) })
}

fn wheel(stem: &str, project: &str) -> Result<Distribution, FilenameError> {
    let parts: Vec<&str> = stem.split('-').collect();
    let build = parts.get(2).filter(|_| parts.len() == 6);
    let good_build = build.is_none_or(|build| build.starts_with(|c: char| c.is_ascii_digit()));
    if !matches!(parts.len(), 5 | 6) || parts.iter().any(|part| part.is_empty()) || !good_build {
        return Err(FilenameError::Wheel);
    }
    let [name, version] = [parts[0], parts[1]];
    if normalize(name).as_deref() != Some(project) {
        return Err(FilenameError::Project);
    }
    Ok(Distribution { kind: Kind::Wheel, version: normal(version) })
}

/// What follows `NAME-`, where NAME is any spelling of the project's name.
fn behind_project<'f>(stem: &'f str, project: &str) -> Result<&'f str, FilenameError> {
    let spelled =
        |(at, _): &(usize, &str)| stem.get(..*at).and_then(normalize).as_deref() == Some(project);
    let (at, _) = stem.match_indices('-').find(spelled).ok_or(FilenameError::Project)?;
    match stem.get(at + 1..) {
        Some(version) if !version.is_empty() => Ok(version),
        _ => Err(FilenameError::Version),
    }
}

/// A version's normal form. Wheels write `_` where a version has `-` or a local part its `.`.
pub(crate) fn normal(version: &str) -> String {
    let read = |text: &str| Version::from_str(text).ok();
    let found = read(version).or_else(|| read(&version.replace('_', "-")));
    found.map_or_else(|| version.to_owned(), |version| version.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(filename: &str, project: &str) -> (Kind, String) {
        let read = read(filename, project).unwrap();
        (read.kind, read.version)
    }

    #[test]
    fn wheels_say_their_version() {
        for (filename, project, version) in [
            ("six-1.16.0-py2.py3-none-any.whl", "six", "1.16.0"),
            ("Foo_Bar-1.0.0.0-1-cp311-cp311-manylinux_2_17_x86_64.whl", "foo-bar", "1.0.0.0"),
            ("a.b-2.0rc1+local.1-py3-none-any.whl", "a-b", "2.0rc1+local.1"),
            ("t-1.0+cu_118-py3-none-any.whl", "t", "1.0+cu.118"),
            ("old-2004d-py3-none-any.whl", "old", "2004d"),
        ] {
            assert_eq!(ok(filename, project), (Kind::Wheel, version.to_owned()), "{filename}");
        }
    }

    #[test]
    fn source_distributions_are_split_by_the_projects_name() {
        for (filename, project, version) in [
            ("six-1.16.0.tar.gz", "six", "1.16.0"),
            ("foo-bar-2-1.0.tar.gz", "foo-bar-2", "1.0"),
            ("foo-bar-2-1.0.tar.gz", "foo-bar", "2-1.0"),
            ("Foo.Bar-1.0.zip", "foo-bar", "1.0"),
            ("foo-1.0-rc1.tar.bz2", "foo", "1.0rc1"),
        ] {
            assert_eq!(ok(filename, project), (Kind::Sdist, version.to_owned()), "{filename}");
        }
    }

    #[test]
    fn old_formats_are_known_by_their_ending() {
        assert_eq!(ok("six-1.0-py2.7.egg", "six"), (Kind::Other, "1.0".to_owned()));
        assert_eq!(ok("six-1.0.win32.exe", "six").0, Kind::Other);
    }

    // F98
    #[test]
    fn names_that_are_none_are_refused() {
        use FilenameError as E;
        for (filename, why) in [
            ("../six-1.0.tar.gz", E::Unsafe),
            ("six\\-1.0.tar.gz", E::Unsafe),
            (".six-1.0.tar.gz", E::Unsafe),
            ("six-1.0\n.tar.gz", E::Unsafe),
            ("six-1.0", E::Ending),
            ("", E::Ending),
            ("six.whl", E::Wheel),
            ("six-1.0-py3-none.whl", E::Wheel),
            ("six-1.0-x-py3-none-any.whl", E::Wheel),
            ("six--py3-none-any.whl", E::Wheel),
            ("seven-1.0-py3-none-any.whl", E::Project),
            ("seven-1.0.tar.gz", E::Project),
            ("six-.tar.gz", E::Version),
            ("six--s.0-py2.7.egg", E::Version),
        ] {
            assert_eq!(read(filename, "six"), Err(why), "{filename:?}");
        }
        assert_eq!(read(&format!("six-{}.tar.gz", "1".repeat(300)), "six"), Err(E::Unsafe));
    }
}
