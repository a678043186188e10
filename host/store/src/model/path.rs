//! Relative paths from outside: of a unit's file, of a published file.
//!
//! Nothing in the store is ever opened by such a path, bytes are found by digest. The checks make sure that whoever
//! does use one as a path of a file system stays below the folder that it was given.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest path, in bytes.
const MAX_PATH: usize = 4096;
/// The longest segment, in bytes: what Linux file systems take.
const MAX_SEGMENT: usize = 255;

/// A path below some folder: `/` between segments, none of them empty, `.` or `..`; no backslash, no control character,
/// none that changes the direction of writing; at most 4,096 bytes, each segment at most 255.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelativePath(String);

/// Why a text is no such path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Empty, or longer than 4,096 bytes.
    #[error("a path has 1 to {MAX_PATH} bytes")]
    Length,
    /// `/` at the start or the end, or two in a row.
    #[error("it has an empty segment")]
    EmptySegment,
    /// `.` or `..`.
    #[error("it has a segment \".\" or \"..\"")]
    DotSegment,
    /// A segment of more than 255 bytes.
    #[error("it has a segment of more than {MAX_SEGMENT} bytes")]
    LongSegment,
    /// A control character, a line separator, or one that changes the direction of writing.
    #[error("it has an invisible or control character")]
    Control,
    /// A backslash: a separator to some, a character to others.
    #[error("it has a backslash")]
    Backslash,
}

impl RelativePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A path that was checked when it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }
}

fn check(text: &str) -> Result<(), PathError> {
    if text.is_empty() || text.len() > MAX_PATH {
        return Err(PathError::Length);
    }
    for segment in text.split('/') {
        match segment {
            "" => return Err(PathError::EmptySegment),
            "." | ".." => return Err(PathError::DotSegment),
            long if long.len() > MAX_SEGMENT => return Err(PathError::LongSegment),
            _ => {}
        }
    }
    // Most paths are plain ASCII: bytes first, characters only where there are others.
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(PathError::Control);
    }
    if text.contains('\\') {
        return Err(PathError::Backslash);
    }
    if !text.is_ascii() && text.chars().any(misleads) {
        return Err(PathError::Control);
    }
    Ok(())
}

fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

impl FromStr for RelativePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for RelativePath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        check(&text)?;
        Ok(Self(text))
    }
}

impl From<RelativePath> for String {
    fn from(path: RelativePath) -> Self {
        path.0
    }
}

impl AsRef<str> for RelativePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<std::path::Path> for RelativePath {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<RelativePath, PathError> {
        text.parse()
    }

    #[test]
    fn f98_names_that_could_leave_or_mislead_are_refused() {
        let refused = [
            ("", PathError::Length),
            (&"a/".repeat(2048)[..], PathError::EmptySegment),
            (&"a/".repeat(2049)[..], PathError::Length),
            ("/etc/passwd", PathError::EmptySegment),
            ("a//b", PathError::EmptySegment),
            ("a/", PathError::EmptySegment),
            ("..", PathError::DotSegment),
            ("a/../b", PathError::DotSegment),
            ("./a", PathError::DotSegment),
            ("a\\..\\b", PathError::Backslash),
            ("a\0b", PathError::Control),
            ("a\nb", PathError::Control),
            ("a\u{7f}", PathError::Control),
            ("a\u{85}b", PathError::Control),
            ("a\u{202e}gpj.exe", PathError::Control),
            (&"x".repeat(256), PathError::LongSegment),
        ];
        for (text, error) in refused {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
        for good in ["a", "a/b.c", "-x", ".hidden", "...", "CON", "C:", "ä/日本", &"x".repeat(255)]
        {
            assert_eq!(parse(good).map(|path| path.to_string()).as_deref(), Ok(good));
        }
    }

    #[test]
    fn f99_names_that_look_alike_are_kept_apart() {
        assert_ne!(parse("A"), parse("a"));
        assert_ne!(parse("\u{e9}"), parse("e\u{301}"));
    }

    proptest! {
        #[test]
        fn what_is_taken_stays_below_its_folder(text in ".{0,40}|([a./\\\\]{0,12})") {
            if let Ok(path) = parse(&text) {
                prop_assert_eq!(path.as_str(), text.as_str());
                let below = Path::new(path.as_str());
                prop_assert!(below.components().all(|part| matches!(part, Component::Normal(_))));
                prop_assert_eq!(below.components().count(), text.split('/').count());
                prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
