//! Which relative paths can be carried: one decision for manifests, folders and publications.

use wharf_sdk::is_misleading;

/// The longest path and segment, in bytes: what Linux file systems take.
const MAX_PATH: usize = 4096;
const MAX_SEGMENT: usize = 255;

/// Why a path cannot be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the path is empty")]
    Empty,
    #[error("the path has an empty segment (it begins or ends with \"/\", or has \"//\")")]
    EmptySegment,
    #[error("the path has a segment \".\" or \"..\"")]
    DotSegment,
    #[error("the path has a control character")]
    Control,
    #[error("the path has a backslash, which some systems take for \"/\"")]
    Backslash,
    #[error("the path has an invisible character or one that changes the direction of writing")]
    Misleading,
    #[error("the path is longer than {MAX_PATH} bytes")]
    Long,
    #[error("the path has a segment of more than {MAX_SEGMENT} bytes")]
    LongSegment,
}

impl Refusal {
    /// Whether no manifest may say it. Other refusals concern one file: the format allows it, the host cannot
    /// carry it.
    pub(crate) fn is_malformed(self) -> bool {
        matches!(self, Self::Empty | Self::EmptySegment | Self::DotSegment | Self::Control)
    }
}

/// Source for the first half: the reading rules of PULP_MANIFEST. The second half is what the host stores.
pub(crate) fn check(path: &str) -> Result<(), Refusal> {
    if path.is_empty() {
        return Err(Refusal::Empty);
    }
    for segment in path.split('/') {
        match segment {
            "" => return Err(Refusal::EmptySegment),
            "." | ".." => return Err(Refusal::DotSegment),
            _ => {}
        }
    }
    let ascii = path.is_ascii();
    if path.bytes().any(|byte| byte.is_ascii_control())
        || !ascii && path.chars().any(char::is_control)
    {
        return Err(Refusal::Control);
    }
    if path.contains('\\') {
        return Err(Refusal::Backslash);
    }
    if !ascii && path.chars().any(is_misleading) {
        return Err(Refusal::Misleading);
    }
    if path.len() > MAX_PATH {
        return Err(Refusal::Long);
    }
    if path.len() > MAX_SEGMENT && path.split('/').any(|segment| segment.len() > MAX_SEGMENT) {
        return Err(Refusal::LongSegment);
    }
    Ok(())
}

/// A text for people: control characters escaped, cut after 120 characters.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == 120 {
            shown.push_str("...");
            break;
        }
        if is_misleading(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_can_be_carried() {
        for path in [
            "a",
            "a/b.bin",
            "with space/and, comma",
            "50%+#?.txt",
            "...",
            "..a/b..",
            "-dash",
            "größe/日本",
            "\"quoted\"",
            "con",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_no_manifest_may_list_f98() {
        for (path, refusal) in [
            ("", Refusal::Empty),
            ("/a", Refusal::EmptySegment),
            ("a/", Refusal::EmptySegment),
            ("a//b", Refusal::EmptySegment),
            ("..", Refusal::DotSegment),
            ("a/../b", Refusal::DotSegment),
            ("./a", Refusal::DotSegment),
            ("a/.", Refusal::DotSegment),
            ("a\0b", Refusal::Control),
            ("a\tb", Refusal::Control),
            ("a\x7f", Refusal::Control),
            ("a\u{85}b", Refusal::Control),
        ] {
            assert_eq!(check(path), Err(refusal), "{path:?}");
            assert!(refusal.is_malformed());
        }
    }

    #[test]
    fn paths_that_the_host_cannot_carry_f98() {
        let long_segment = format!("a/{}", "x".repeat(256));
        let long = vec!["x".repeat(200); 21].join("/");
        for (path, refusal) in [
            ("a\\b", Refusal::Backslash),
            ("a\u{202e}txt.exe", Refusal::Misleading),
            ("\u{feff}a", Refusal::Misleading),
            (long_segment.as_str(), Refusal::LongSegment),
            (long.as_str(), Refusal::Long),
        ] {
            assert_eq!(check(path), Err(refusal), "{path:?}");
            assert!(!refusal.is_malformed());
        }
    }

    #[test]
    fn what_people_see_has_no_control_characters() {
        assert_eq!(shown("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(shown(&"x".repeat(500)).len(), 123);
    }
}
