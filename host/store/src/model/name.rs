//! Names of repositories.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a repository: 1 to 128 of `A-Z a-z 0-9 . _ -`, the first neither `.` nor `-`. May be part of a URL and
/// of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName(String);

/// The text is no name for a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a repository's name: use 1 to 128 of the characters A-Z a-z 0-9 . _ -, and neither . nor - at the \
     start"
)]
pub struct NameError(String);

impl RepositoryName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for RepositoryName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let good = (1..=128).contains(&text.len())
            && !text.starts_with(['.', '-'])
            && text.bytes().all(allowed);
        if good { Ok(Self(text)) } else { Err(NameError(text.chars().take(200).collect())) }
    }
}

impl From<RepositoryName> for String {
    fn from(name: RepositoryName) -> Self {
        name.0
    }
}

impl Deref for RepositoryName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["a", "demo", "A.b_c-9", "_x", &"n".repeat(128)] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".x", "-x", "a b", "a/b", "ä", "a\n", &"n".repeat(129)] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
        }
    }
}
