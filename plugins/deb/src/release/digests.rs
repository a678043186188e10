//! The lists of digests: one line a file, ` HEX SIZE PATH`.

use std::collections::BTreeMap;

use super::ReleaseError;
use crate::control::Paragraph;
use crate::names;

/// What a `Release` says of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Bytes.
    pub size: u64,
    /// 64 hex digits in lower case, if it is listed with one.
    pub sha256: Option<String>,
    /// 128 hex digits in lower case, if it is listed with one.
    pub sha512: Option<String>,
    /// `sha1:HEX` or `md5:HEX`, if it is listed with one. Only the host knows whether it counts.
    pub weak: Option<String>,
}

impl Listed {
    /// The digest that a download is held against, as `KIND:HEX`: a weak one only where there is no other.
    pub fn digest(&self) -> Option<String> {
        let strong = self.sha256.as_ref().map(|hex| format!("sha256:{hex}"));
        strong.or_else(|| self.weak.clone())
    }
}

/// All listed files, by their path from the `Release`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    files: BTreeMap<String, Listed>,
}

impl Digests {
    pub(super) fn read(paragraph: &Paragraph<'_>) -> Result<Self, ReleaseError> {
        let mut digests = Self::default();
        for (field, digits) in [("MD5Sum", 32), ("SHA1", 40), ("SHA256", 64), ("SHA512", 128)] {
            for line in paragraph.lines(field) {
                digests.add(field, digits, &line)?;
            }
        }
        Ok(digests)
    }

    fn add(&mut self, field: &str, digits: usize, line: &str) -> Result<(), ReleaseError> {
        let malformed = || ReleaseError::Line { field: field.to_owned(), line: names::shown(line) };
        let mut words = line.split_ascii_whitespace();
        let (Some(hex), Some(size), Some(path), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(malformed());
        };
        let hex = names::hex(hex, digits).ok_or_else(malformed)?;
        let size = names::size(size).ok_or_else(malformed)?;
        let path = names::path(path).ok_or_else(malformed)?;
        let listed = self.files.entry(path).or_insert_with(|| Listed { size, ..Listed::default() });
        let place = match digits {
            64 => &mut listed.sha256,
            128 => &mut listed.sha512,
            // Whatever weak ones say is no contradiction: nobody looks at them where there are others.
            _ => {
                let kind = if digits == 40 { "sha1" } else { "md5" };
                listed.weak = Some(format!("{kind}:{hex}"));
                return Ok(());
            }
        };
        if listed.size != size || place.as_ref().is_some_and(|before| *before != hex) {
            return Err(ReleaseError::Contradiction { line: names::shown(line) });
        }
        *place = Some(hex);
        Ok(())
    }

    /// What is said of a file.
    pub fn get(&self, path: &str) -> Option<&Listed> {
        self.files.get(path)
    }

    /// Listed files, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Listed)> {
        self.files.iter().map(|(path, listed)| (path.as_str(), listed))
    }
}
