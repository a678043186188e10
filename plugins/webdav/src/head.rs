//! What the head of an answer says of a file, held against what is known of it.

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED};
use reqwest::{Response, StatusCode};
use wharf_http::content_range;

use crate::revision::{Revision, Tag, milliseconds, seconds};

/// Of a file that is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    tag: Option<Tag>,
    /// Seconds since 1970.
    changed: Option<u64>,
    /// Of the whole file; `None`: not told.
    pub(crate) size: Option<u64>,
    /// The first byte that comes.
    pub(crate) from: u64,
}

/// What a listing said of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed {
    pub(crate) revision: Option<Revision>,
    pub(crate) size: Option<u64>,
    pub(crate) modified_ms: Option<i64>,
}

impl Head {
    /// `None`: what comes is no file, or not in bytes.
    pub(crate) fn read(response: &Response) -> Option<Self> {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let (from, size) = match response.status() {
            StatusCode::PARTIAL_CONTENT => content_range(response.headers())?,
            StatusCode::OK => (0, length(response)),
            _ => return None,
        };
        let tag = header(ETAG).and_then(Tag::read);
        Some(Self { tag, changed: header(LAST_MODIFIED).and_then(seconds), size, from })
    }

    /// What comes is of this revision.
    pub(crate) fn revision(&self) -> Option<Revision> {
        Revision::new(self.tag.clone(), self.size, self.changed)
    }

    /// Whether it is the same revision, as far as both know.
    pub(crate) fn is(&self, known: &Revision) -> bool {
        match known {
            Revision::Tagged(tag) => self.tag.as_ref() == Some(tag),
            Revision::Dated { size, changed } => {
                let same_size = size.is_none() || self.size.is_none() || *size == self.size;
                same_size && self.changed == Some(*changed)
            }
        }
    }

    /// Whether it is surely another revision than this one, of which the bytes came just now. A tag may have become strong.
    pub(crate) fn contradicts(&self, known: &Revision) -> bool {
        match known {
            Revision::Tagged(tag) => {
                self.tag.as_ref().is_some_and(|now| now.opaque() != tag.opaque())
            }
            Revision::Dated { .. } => self.changed.is_some() && !self.is(known),
        }
    }

    /// What the host must be told: the revision of what comes, where it is another one than the listed one.
    ///
    /// Servers exist that tag a file otherwise in a listing than when they hand it out. A tag alone is therefore no change;
    /// if the file did change, within a second and with its size, the next listing shows it.
    pub(crate) fn other_than(&self, listed: &Listed) -> Option<Revision> {
        let known = listed.revision.as_ref()?;
        if self.is(known) {
            return None;
        }
        let same_size = self.size.is_none() || listed.size.is_none() || self.size == listed.size;
        let changed = self.changed.map(milliseconds);
        match (known, &self.tag) {
            (Revision::Tagged(old), Some(new)) if old.opaque() == new.opaque() => {}
            (Revision::Tagged(_), Some(_)) if same_size && changed == listed.modified_ms => {
                return None;
            }
            (Revision::Tagged(_), None) | (Revision::Dated { .. }, _) if same_size => {
                let newer = changed.is_some() && changed != listed.modified_ms;
                return newer.then(|| self.like(known)).flatten();
            }
            _ => {}
        }
        self.like(known)
    }

    /// The revision as the next listing will say it: of the kind that this server lists.
    pub(crate) fn like(&self, known: &Revision) -> Option<Revision> {
        let tag = self.tag.clone().filter(|_tag| matches!(known, Revision::Tagged(_)));
        Revision::new(tag, self.size, self.changed)
    }
}

/// Whether an answer says that nothing comes behind this byte, and that what comes before it is what was asked for.
pub(crate) fn ends_at(response: &Response, offset: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let size = range.and_then(|range| range.strip_prefix("bytes */")?.parse().ok());
    response.status() == StatusCode::RANGE_NOT_SATISFIABLE && size == Some(offset)
}

/// As the head says it: there is no body to an answer about the head alone.
fn length(response: &Response) -> Option<u64> {
    let value = response.headers().get(CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(tag: &str, size: u64, changed: u64) -> Head {
        Head { tag: Tag::read(tag), changed: Some(changed), size: Some(size), from: 0 }
    }

    fn listed(revision: &str, size: u64, changed: u64) -> Listed {
        let modified_ms = Some(milliseconds(changed));
        Listed { revision: revision.parse().ok(), size: Some(size), modified_ms }
    }

    fn told(head: &Head, listed: &Listed) -> Option<String> {
        head.other_than(listed).map(|it| it.to_string())
    }

    #[test]
    fn a_file_that_changed_is_told_by_the_kind_of_revision_that_is_listed() {
        let tagged = listed("\"a\"", 5, 7);
        assert_eq!(told(&head("\"a\"", 5, 7), &tagged), None);
        assert_eq!(told(&head("\"b\"", 6, 7), &tagged).as_deref(), Some("\"b\""));
        assert_eq!(told(&head("\"b\"", 5, 8), &tagged).as_deref(), Some("\"b\""));
        let dated = listed("5-7", 5, 7);
        assert_eq!(told(&head("\"a\"", 5, 7), &dated), None);
        assert_eq!(told(&head("\"b\"", 5, 8), &dated).as_deref(), Some("5-8"));
        assert_eq!(told(&head("", 6, 7), &dated).as_deref(), Some("6-7"));
        assert_eq!(told(&head("", 6, 7), &listed("", 5, 7)), None, "there was nothing to compare");
    }

    #[test]
    fn a_server_that_tags_files_otherwise_than_it_lists_them_brings_no_endless_changes() {
        assert_eq!(told(&head("\"a-gzip\"", 5, 7), &listed("\"a\"", 5, 7)), None);
        assert_eq!(told(&head("", 5, 7), &listed("\"a\"", 5, 7)), None);
        // What was fresh when it was listed has a better tag by now.
        let better = told(&head("\"a\"", 5, 7), &listed("W/\"a\"", 5, 7));
        assert_eq!(better.as_deref(), Some("\"a\""));
    }

    #[test]
    fn the_rest_of_a_file_is_of_the_known_revision_or_of_none() {
        let is = |head: &Head, known: &str| head.is(&known.parse().unwrap());
        assert!(is(&head("\"a\"", 5, 7), "\"a\"") && !is(&head("\"b\"", 5, 7), "\"a\""));
        assert!(!is(&head("W/\"a\"", 5, 7), "\"a\"") && !is(&head("", 5, 7), "\"a\""));
        assert!(is(&head("\"b\"", 5, 7), "5-7") && !is(&head("", 5, 8), "5-7"));
        let other = |head: &Head, known: &str| head.contradicts(&known.parse().unwrap());
        assert!(other(&head("\"b\"", 5, 7), "\"a\"") && other(&head("", 5, 8), "5-7"));
        assert!(!other(&head("\"a\"", 5, 7), "W/\"a\"") && !other(&head("", 5, 8), "\"a\""));
    }
}
