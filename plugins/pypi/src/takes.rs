//! Which files of a wanted version are wanted: by what runs them, and whether they were taken back.
//!
//! Source: PEP 425 and the wheel format for tags, PEP 440 for `requires-python`, PEP 592 for yanked files.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use crate::filename::Kind;
use crate::index::File;

/// The wishes of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// None: files for any Python.
    pub python: Option<Version>,
    /// Beginnings of platform tags; none: wheels for any platform.
    pub platforms: Vec<String>,
    /// Whether yanked files are left out.
    pub without_yanked: bool,
}

impl Takes {
    /// Whether a file is wanted.
    pub fn file(&self, file: &File, kind: Kind) -> bool {
        let yanked = self.without_yanked && file.yanked.is_some();
        !yanked && self.runs(file) && (kind != Kind::Wheel || self.fits(&file.filename))
    }

    /// What cannot be understood is for clients to judge: real pages hold `>=3.6.*`.
    fn runs(&self, file: &File) -> bool {
        let Some(python) = &self.python else { return true };
        let told = file.requires_python.as_deref().unwrap_or_default();
        VersionSpecifiers::from_str(told).map_or(true, |specifiers| specifiers.contains(python))
    }

    /// A wheel names its platforms last, with points between.
    fn fits(&self, filename: &str) -> bool {
        let stem = filename.strip_suffix(".whl").unwrap_or(filename);
        let mut tags = stem.rsplit('-').next().unwrap_or_default().split('.');
        let wanted = |tag: &str| self.platforms.iter().any(|it| tag.starts_with(it.as_str()));
        self.platforms.is_empty() || tags.any(|tag| tag == "any" || wanted(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(filename: &str, requires_python: &str, yanked: bool) -> File {
        let page = format!(
            r#"{{"meta":{{"api-version":"1.0"}},"files":[{{"filename":"{filename}","url":"x","hashes":{{}},
                "requires-python":"{requires_python}","yanked":{yanked}}}]}}"#
        );
        let base = url::Url::parse("https://x.example/simple/x/").unwrap();
        crate::index::page(crate::index::Format::Json, page.as_bytes(), &base)
            .unwrap()
            .files
            .remove(0)
    }

    #[test]
    fn whoever_wishes_nothing_gets_all() {
        let file = file("x-1-cp311-cp311-win_amd64.whl", ">=99", true);
        assert!(Takes::default().file(&file, Kind::Wheel));
    }

    #[test]
    fn yanked_files_are_left_out_on_request() {
        let takes = Takes { without_yanked: true, ..Takes::default() };
        assert!(!takes.file(&file("x-1.tar.gz", "", true), Kind::Sdist));
        assert!(takes.file(&file("x-1.tar.gz", "", false), Kind::Sdist));
    }

    #[test]
    fn a_python_leaves_out_what_it_may_not_install_and_nothing_that_is_not_understood() {
        let takes = Takes { python: Version::from_str("3.11").ok(), ..Takes::default() };
        for (told, expected) in
            [("", true), (">=3.8", true), (">=3.12", false), ("<3", false), (">=3.6.*", true)]
        {
            assert_eq!(
                takes.file(&file("x-1.tar.gz", told, false), Kind::Sdist),
                expected,
                "{told}"
            );
        }
    }

    #[test]
    fn platforms_choose_wheels_and_leave_the_rest_alone() {
        let takes = Takes { platforms: vec!["manylinux".to_owned()], ..Takes::default() };
        for (name, kind, expected) in [
            ("x-1-py3-none-any.whl", Kind::Wheel, true),
            ("x-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", Kind::Wheel, true),
            ("x-1-cp311-cp311-win_amd64.whl", Kind::Wheel, false),
            ("x-1.tar.gz", Kind::Sdist, true),
        ] {
            assert_eq!(takes.file(&file(name, "", false), kind), expected, "{name}");
        }
    }
}
