//! The paths of listed files: what people called their courses, sections and activities, made fit to be folders.
//!
//! Titles are free text and often hold a `/`, so they are tamed. Names of files are what Moodle itself has cleaned: one
//! that could lead out of its folder is not an honest site's, and is refused (F98). Never touches a file system.

use wharf_sdk::{PathError, is_misleading, printable};

/// The longest title, in bytes: a number may come before it or behind it.
const MAX_TITLE: usize = 220;
/// Letters of a site's text in a message.
const SHOWN: usize = 200;

/// Why something listed cannot be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Two entries say the same path.
    #[error("another file of the course has the same path")]
    Twice,
    /// No address, or none on the site.
    #[error(
        "its address is not below the address of the site, and your key is not sent anywhere else; if the site has \
         another address by now, set url to that"
    )]
    Elsewhere,
}

/// A title as one segment: what would part or hide it becomes `_`.
pub fn tamed(title: &str) -> String {
    let safe = |character: char| {
        if "/\\".contains(character) || is_misleading(character) { '_' } else { character }
    };
    let text: String = plain(title).trim().chars().map(safe).collect();
    let cut = text.get(..text.floor_char_boundary(MAX_TITLE)).unwrap_or_default().trim_end();
    if matches!(cut, "" | "." | "..") { "_".to_owned() } else { cut.to_owned() }
}

/// A title as people wrote it: the web service sends the characters that HTML reserves as entities.
pub fn plain(title: &str) -> String {
    let mut text = title.to_owned();
    for (entity, character) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#039;", "'"), ("&#39;", "'")]
    {
        if text.contains(entity) {
            text = text.replace(entity, character);
        }
    }
    // Last, or "&amp;lt;" would be "<".
    text.replace("&amp;", "&")
}

/// A text for people.
pub(crate) fn shown(text: &str) -> String {
    printable(text, SHOWN)
}

#[cfg(test)]
mod tests {
    use wharf_sdk::ListedPath;

    use super::*;

    // F98
    #[test]
    fn titles_become_one_segment_whatever_is_in_them() {
        for (title, segment) in [
            ("Analysis I/II", "Analysis I_II"),
            (" Q &amp; A &lt;1&gt; ", "Q & A <1>"),
            ("&amp;lt;", "&lt;"),
            ("..", "_"),
            ("../../etc", ".._.._etc"),
            ("a\u{0}b\u{202e}c\n", "a_b_c"),
            ("", "_"),
            (" \t", "_"),
        ] {
            assert_eq!(tamed(title), segment, "{title:?}");
            assert_eq!(ListedPath::top().below(segment).unwrap().as_str(), segment);
        }
        let long = tamed(&"ü".repeat(300));
        assert!(long.len() <= MAX_TITLE && long.chars().all(|character| character == 'ü'));
    }
}
