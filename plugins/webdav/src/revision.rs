//! What tells whether a file changed: its entity tag or, where the server has none, its size and when it was changed.
//!
//! All of that stands in the listing, so it costs nothing. Times of HTTP are whole seconds, so without a tag two versions of
//! one size within a second are one. Source: RFC 9110, 8.8 (validators).

use std::fmt;
use std::str::FromStr;

/// Longer ones are no tags.
const MAX_TAG: usize = 512;

/// An entity tag: `"..."`, or `W/"..."` where it only says that two versions mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// Reads one; `None`: it is none.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner = text.strip_prefix("W/").unwrap_or(text);
        let inner = inner.strip_prefix('"')?.strip_suffix('"')?;
        let legal = |letter: char| letter == '!' || (letter > '"' && !letter.is_control());
        (text.len() <= MAX_TAG && inner.chars().all(legal)).then(|| Self(text.to_owned()))
    }

    /// As a server writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether equal tags mean equal bytes.
    pub fn is_strong(&self) -> bool {
        !self.0.starts_with("W/")
    }

    /// What both kinds of a tag have in common.
    pub(crate) fn opaque(&self) -> &str {
        self.0.strip_prefix("W/").unwrap_or(&self.0)
    }
}

/// Of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// The server has tags.
    Tagged(Tag),
    /// It has none.
    Dated {
        /// In bytes; `None`: not told.
        size: Option<u64>,
        /// Seconds since 1970.
        changed: u64,
    },
}

impl Revision {
    /// Of a file of which this is told. `None`: nothing that would tell two versions apart.
    pub fn new(tag: Option<Tag>, size: Option<u64>, changed: Option<u64>) -> Option<Self> {
        match tag {
            Some(tag) => Some(Self::Tagged(tag)),
            None => changed.map(|changed| Self::Dated { size, changed }),
        }
    }

    /// The tag by which a server can be asked for the rest of exactly this version.
    pub(crate) fn strong(&self) -> Option<&Tag> {
        match self {
            Self::Tagged(tag) if tag.is_strong() => Some(tag),
            _ => None,
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tagged(tag) => f.write_str(tag.as_str()),
            Self::Dated { size: Some(size), changed } => write!(f, "{size}-{changed}"),
            Self::Dated { size: None, changed } => write!(f, "-{changed}"),
        }
    }
}

/// It is none that was written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is neither an entity tag nor SIZE-TIME")]
pub struct NoRevision;

impl FromStr for Revision {
    type Err = NoRevision;

    fn from_str(text: &str) -> Result<Self, NoRevision> {
        if let Some(tag) = Tag::read(text) {
            return Ok(Self::Tagged(tag));
        }
        let (size, changed) = text.split_once('-').ok_or(NoRevision)?;
        let number = |text: &str| text.parse().map_err(|_error| NoRevision);
        let size = if size.is_empty() { None } else { Some(number(size)?) };
        Ok(Self::Dated { size, changed: number(changed)? })
    }
}

/// A date as HTTP has it, in seconds since 1970. Those before are 0.
pub fn seconds(date: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(date.trim()).ok()?;
    Some(time.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Seconds as the host wants them.
pub(crate) fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(tag: &str, size: Option<u64>, changed: Option<u64>) -> Option<Revision> {
        Revision::new(Tag::read(tag), size, changed)
    }

    #[test]
    fn a_tag_counts_before_size_and_time_and_nothing_is_no_revision() {
        let text = |tag, size, changed| revision(tag, size, changed).map(|it| it.to_string());
        assert_eq!(text("\"a-1\"", Some(5), Some(7)).as_deref(), Some("\"a-1\""));
        assert_eq!(text(" W/\"a\" ", Some(5), Some(7)).as_deref(), Some("W/\"a\""));
        assert_eq!(text("", Some(5), Some(7)).as_deref(), Some("5-7"));
        assert_eq!(text("bare", None, Some(7)).as_deref(), Some("-7"));
        assert_eq!(text("\"a\"b\"", Some(5), None), None);
    }

    #[test]
    fn a_revision_is_read_as_it_is_written() {
        for revision in [
            revision("\"a\"", None, None),
            revision("W/\"5-7\"", None, None),
            revision("", Some(5), Some(7)),
            revision("", None, Some(7)),
        ] {
            let revision = revision.unwrap();
            assert_eq!(revision.to_string().parse(), Ok(revision));
        }
        for wrong in ["", "1", "1-", "a-b", "\"", "W/a", "1-2-3", "\"a\nb\""] {
            assert_eq!(wrong.parse::<Revision>(), Err(NoRevision), "{wrong:?}");
        }
    }

    #[test]
    fn only_strong_tags_vouch_for_bytes() {
        let strong = |tag| revision(tag, Some(5), Some(7)).is_some_and(|it| it.strong().is_some());
        assert!(strong("\"a\"") && !strong("W/\"a\"") && !strong(""));
    }

    #[test]
    fn dates_are_read_in_all_forms_of_http() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            " Sun Nov  6 08:49:37 1994 ",
        ] {
            assert_eq!(seconds(text), Some(784_111_777), "{text}");
        }
        assert_eq!(seconds("1994-11-06T08:49:37Z"), None);
    }
}
