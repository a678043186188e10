//! A whole `Release`.

use super::{Digests, date};
use crate::control::{ControlError, Reader};

/// Fields that people and clients read, and that a mirror passes on.
pub const KEPT: &[&str] = &[
    "Origin",
    "Label",
    "Suite",
    "Version",
    "Codename",
    "Description",
    "Changelogs",
    "NotAutomatic",
    "ButAutomaticUpgrades",
];

/// Why a `Release` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// It is no control data.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// There is nothing in it, or more than one paragraph.
    #[error("it has {paragraphs} paragraphs, and not one")]
    Paragraphs {
        /// How many were seen.
        paragraphs: u32,
    },
    /// A line of a list of digests is none.
    #[error("in {field}: {line:?} is not `DIGEST SIZE PATH`, with a path inside the distribution")]
    Line {
        /// The list.
        field: String,
        /// The line, cut.
        line: String,
    },
    /// Two lines say different things of one file.
    #[error("{line:?} says something else than an earlier line")]
    Contradiction {
        /// The line, cut.
        line: String,
    },
}

/// What a distribution says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// The fields of [`KEPT`] that are there, in that order.
    pub fields: Vec<(String, String)>,
    /// Offered architectures; may name `all` and `source`.
    pub architectures: Vec<String>,
    /// Offered components, as written: maybe with a prefix.
    pub components: Vec<String>,
    /// Seconds since 1970.
    pub date: Option<i64>,
    /// Seconds since 1970.
    pub valid_until: Option<i64>,
    /// Whether files can be had by their digest.
    pub by_hash: bool,
    /// Whether `binary-all` only repeats what every `binary-ARCH` has.
    pub all_in_each: bool,
    /// The files.
    pub digests: Digests,
}

impl Release {
    /// Reads a `Release`, or what an `InRelease` signs.
    ///
    /// # Errors
    /// What rule it breaks.
    pub fn read(text: &[u8]) -> Result<Self, ReleaseError> {
        let mut reader = Reader::new(text, Reader::<&[u8]>::RELEASE);
        let Some(paragraph) = reader.read_next()? else {
            return Err(ReleaseError::Paragraphs { paragraphs: 0 });
        };
        let kept = |name: &&str| {
            let value = paragraph.text(name)?.into_owned();
            Some(((*name).to_owned(), value)).filter(|(_, value)| !value.contains('\n'))
        };
        let seconds = |name| date::read(&paragraph.text(name)?);
        let says = |name, word: &[u8]| {
            paragraph.get(name).is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        let release = Self {
            fields: KEPT.iter().filter_map(kept).collect(),
            architectures: paragraph.words("Architectures"),
            components: paragraph.words("Components"),
            date: seconds("Date"),
            valid_until: seconds("Valid-Until"),
            by_hash: says("Acquire-By-Hash", b"yes"),
            all_in_each: says("No-Support-for-Architecture-all", b"Packages"),
            digests: Digests::read(&paragraph)?,
        };
        match reader.read_next()? {
            None => Ok(release),
            Some(_second) => Err(ReleaseError::Paragraphs { paragraphs: 2 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn a_release_is_read() {
        let text = format!(
            "Origin: Debian\nSuite: stable\nCodename: bookworm\nDate: Sat, 21 Nov 2026 07:37:04 UTC\n\
             Acquire-By-Hash: yes\nNo-Support-for-Architecture-all: Packages\n\
             Architectures: all amd64\nComponents: updates/main contrib\nSigned-By: X\n\
             MD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 4 main/binary-amd64/Packages\n\
             SHA256:\n {SUM} 4 main/binary-amd64/Packages\n {SUM} 4 ./Packages.gz\n"
        );
        let release = Release::read(text.as_bytes()).unwrap();
        let names: Vec<_> = release.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Origin", "Suite", "Codename"]);
        assert_eq!(release.components, ["updates/main", "contrib"]);
        assert!(release.by_hash && release.all_in_each);
        assert_eq!(release.date, Some(1_795_246_624));
        let listed = release.digests.get("main/binary-amd64/Packages").unwrap();
        assert_eq!((listed.size, listed.sha256.as_deref()), (4, Some(SUM)));
        assert!(release.digests.get("Packages.gz").is_some());
    }

    #[test]
    fn a_weak_digest_counts_where_there_is_no_other() {
        const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
        let weak = format!("MD5Sum:\n {MD5} 0 Packages\n");
        let digest = |text: &str| {
            Release::read(text.as_bytes()).unwrap().digests.get("Packages").unwrap().digest()
        };
        assert_eq!(digest(&weak), Some(format!("md5:{MD5}")));
        let strong = format!("{weak}SHA256:\n {SUM} 0 Packages\n");
        assert_eq!(digest(&strong), Some(format!("sha256:{SUM}")));
    }

    // F98
    #[test]
    fn paths_that_leave_the_distribution_are_refused() {
        for path in ["../x", "/etc/passwd", "a/../../b", "a\u{1}b", ".."] {
            let text = format!("SHA256:\n {SUM} 4 {path}\n");
            assert!(
                matches!(Release::read(text.as_bytes()), Err(ReleaseError::Line { .. })),
                "{path}"
            );
        }
    }

    #[test]
    fn lines_that_contradict_each_other_are_refused() {
        let text = format!("SHA256:\n {SUM} 4 a\n {SUM} 5 a\n");
        assert!(matches!(Release::read(text.as_bytes()), Err(ReleaseError::Contradiction { .. })));
    }

    #[test]
    fn one_paragraph_is_wanted() {
        for text in ["", "A: 1\n\nB: 2\n"] {
            assert!(matches!(Release::read(text.as_bytes()), Err(ReleaseError::Paragraphs { .. })));
        }
    }
}
