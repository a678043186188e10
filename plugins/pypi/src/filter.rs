//! What of an index is wanted: projects by name, their versions, kinds of files.
//!
//! Source: PEP 508 for `NAME SPECIFIERS` (without extras, markers and addresses, which mean nothing here), PEP 440 for
//! versions. A version that does not follow PEP 440 fits no specifier, and is older than all that do.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use crate::filename::{Distribution, Kind};
use crate::name::normalize;

/// The longest requirement that is read.
const MAX_BYTES: usize = 1_024;

/// A project, and which versions of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Normalised.
    pub name: String,
    /// Without any: all versions.
    pub versions: VersionSpecifiers,
}

/// Why a text is no [`Wish`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// No name at its start.
    #[error("{0:?} does not begin with the name of a project")]
    Name(String),
    /// What follows the name is not understood.
    #[error("{text:?}: {why}; write NAME, NAME==1.2 or NAME>=1,<2")]
    Versions {
        /// The whole text.
        text: String,
        /// In the words of the library.
        why: String,
    },
}

impl Wish {
    /// Reads `NAME` or `NAME SPECIFIERS`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, WishError> {
        let shown = || text.chars().take(100).collect::<String>();
        let text = text.trim();
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        let (name, versions) = text.split_at(end.unwrap_or(text.len()));
        let name = normalize(name).filter(|_| text.len() <= MAX_BYTES);
        let name = name.ok_or_else(|| WishError::Name(shown()))?;
        let versions = versions.trim();
        let versions =
            versions.strip_prefix('(').and_then(|it| it.strip_suffix(')')).unwrap_or(versions);
        let versions = VersionSpecifiers::from_str(versions).map_err(|error| {
            WishError::Versions { text: shown(), why: first_line(&error.to_string()) }
        })?;
        Ok(Self { name, versions })
    }

    fn is_whole(&self) -> bool {
        self.versions.is_empty()
    }

    fn fits(&self, version: Option<&Version>) -> bool {
        self.is_whole() || version.is_some_and(|version| self.versions.contains(version))
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Everything that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// By name; several wishes for one project are alternatives. Empty: all projects.
    includes: BTreeMap<String, Vec<Wish>>,
    excludes: BTreeMap<String, Vec<Wish>>,
    kinds: Vec<Kind>,
    prereleases: bool,
    /// 0: all.
    keep_latest: usize,
}

impl Filter {
    /// From the wishes of a user.
    pub fn new(includes: Vec<Wish>, excludes: Vec<Wish>, kinds: Vec<Kind>) -> Self {
        let by_name = |wishes: Vec<Wish>| {
            let mut names: BTreeMap<String, Vec<Wish>> = BTreeMap::new();
            for wish in wishes {
                names.entry(wish.name.clone()).or_default().push(wish);
            }
            names
        };
        let (includes, excludes) = (by_name(includes), by_name(excludes));
        Self { includes, excludes, kinds, prereleases: true, keep_latest: 0 }
    }

    /// Whether pre-releases and developments are wanted.
    #[must_use]
    pub fn prereleases(mut self, wanted: bool) -> Self {
        self.prereleases = wanted;
        self
    }

    /// Only so many of the newest versions; 0: all.
    #[must_use]
    pub fn keep_latest(mut self, count: usize) -> Self {
        self.keep_latest = count;
        self
    }

    /// The projects asked for by name, in order, without those that are excluded whole. None: all that there are.
    pub fn named(&self) -> Option<Vec<String>> {
        let names = self.includes.keys().filter(|name| self.wants_project(name));
        (!self.includes.is_empty()).then(|| names.cloned().collect())
    }

    /// Whether anything of a project is wanted, by its normalised name.
    pub fn wants_project(&self, name: &str) -> bool {
        let excluded = self.excludes.get(name).is_some_and(|them| them.iter().any(Wish::is_whole));
        !excluded && (self.includes.is_empty() || self.includes.contains_key(name))
    }

    /// Whether a kind of file is wanted.
    pub fn wants_kind(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Of these files of one project, those that are wanted; true in their places.
    pub fn wanted(&self, name: &str, files: &[Option<Distribution>]) -> Vec<bool> {
        let wanted: Vec<bool> = files
            .iter()
            .map(|file| file.as_ref().is_some_and(|file| self.wants(name, file)))
            .collect();
        if self.keep_latest == 0 {
            return wanted;
        }
        let pairs = files.iter().zip(&wanted).filter(|(_, wanted)| **wanted);
        let versions = pairs.filter_map(|(file, _)| file.as_ref());
        let ranked: BTreeSet<Reverse<(Option<Version>, &str)>> =
            versions.map(|file| Reverse(rank(&file.version))).collect();
        let latest: BTreeSet<&str> =
            ranked.iter().take(self.keep_latest).map(|Reverse((_, text))| *text).collect();
        let is_latest = |file: &Option<Distribution>| {
            file.as_ref().is_some_and(|file| latest.contains(file.version.as_str()))
        };
        files.iter().zip(wanted).map(|(file, wanted)| wanted && is_latest(file)).collect()
    }

    fn wants(&self, name: &str, file: &Distribution) -> bool {
        let version = Version::from_str(&file.version).ok();
        let fits = |wishes: &Vec<Wish>| wishes.iter().any(|wish| wish.fits(version.as_ref()));
        let early = version.as_ref().is_some_and(Version::any_prerelease);
        self.wants_kind(file.kind)
            && self.wants_project(name)
            && self.includes.get(name).is_none_or(fits)
            && !self.excludes.get(name).is_some_and(fits)
            && (self.prereleases || !early)
    }
}

fn rank(text: &str) -> (Option<Version>, &str) {
    (Version::from_str(text).ok(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(texts: &[&str]) -> Vec<Wish> {
        texts.iter().map(|text| Wish::read(text).unwrap()).collect()
    }

    fn wheels(versions: &[&str]) -> Vec<Option<Distribution>> {
        let wheel = |version: &&str| {
            Some(Distribution { kind: Kind::Wheel, version: (*version).to_owned() })
        };
        versions.iter().map(wheel).collect()
    }

    fn kept<'v>(filter: &Filter, versions: &[&'v str]) -> Vec<&'v str> {
        let wanted = filter.wanted("x", &wheels(versions));
        versions.iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(v, _)| *v).collect()
    }

    #[test]
    fn names_and_versions_are_read() {
        let wish = Wish::read(" Foo_Bar >= 1.0, <2 ").unwrap();
        assert_eq!(
            (wish.name.as_str(), wish.versions.to_string()),
            ("foo-bar", ">=1.0, <2".to_owned())
        );
        assert!(Wish::read("six").unwrap().is_whole());
        assert!(Wish::read("six (>=1)").is_ok());
    }

    #[test]
    fn what_is_no_wish_is_refused() {
        for text in
            ["", ">=1", "-x", "x=1", "x>=", "x[extra]", "x @ https://h/x", "x; os_name", "é"]
        {
            assert!(Wish::read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn includes_and_excludes_choose_versions() {
        let filter =
            Filter::new(wishes(&["x>=1,<3", "x==5"]), wishes(&["x==2.0"]), vec![Kind::Wheel]);
        assert_eq!(
            kept(&filter, &["0.9", "1.0", "2.0", "2.1", "3.0", "5.0", "odd"]),
            ["1.0", "2.1", "5.0"]
        );
        assert_eq!(filter.named(), Some(vec!["x".to_owned()]));
        assert!(!filter.wants_project("y"));
    }

    #[test]
    fn without_includes_everything_is_wanted_but_what_is_excluded() {
        let filter = Filter::new(Vec::new(), wishes(&["y"]), vec![Kind::Wheel]);
        assert_eq!(
            (filter.named(), filter.wants_project("x"), filter.wants_project("y")),
            (None, true, false)
        );
        assert_eq!(kept(&filter, &["1", "odd"]), ["1", "odd"]);
    }

    #[test]
    fn the_newest_are_kept_by_version_and_not_by_text() {
        let filter = Filter::new(Vec::new(), Vec::new(), vec![Kind::Wheel]).keep_latest(2);
        assert_eq!(kept(&filter, &["1.9", "1.10", "odd", "1.2", "1.10"]), ["1.9", "1.10", "1.10"]);
        let filter = filter.prereleases(false);
        assert_eq!(kept(&filter, &["1.9", "2.0a1", "1.10", "3.0.dev1"]), ["1.9", "1.10"]);
    }

    #[test]
    fn kinds_that_are_not_asked_for_are_left_out() {
        let filter = Filter::new(Vec::new(), Vec::new(), vec![Kind::Sdist]);
        assert_eq!(kept(&filter, &["1"]), Vec::<&str>::new());
    }
}
