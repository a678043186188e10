//! Folders of a share, as users write them, and texts of servers, as people may see them.

use wharf_sdk::{ListedPath, PathError, printable};

/// Letters of a server's text in a message.
const SHOWN: usize = 120;

/// A folder as a user writes it, in one form: segments with `/` between them.
pub(crate) fn folder(text: &str) -> Result<ListedPath, PathError> {
    let segments = text.trim().split(['/', '\\']).filter(|segment| !segment.is_empty());
    segments.into_iter().try_fold(ListedPath::top(), |folder, segment| folder.below(segment))
}

/// A text for people.
pub(crate) fn shown(text: &str) -> String {
    printable(text, SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    // F98
    #[test]
    fn folders_are_brought_into_one_form() {
        for (given, form) in
            [("", ""), ("/", ""), ("\\a\\b\\", "a/b"), ("/a//b/", "a/b"), ("a b", "a b")]
        {
            assert_eq!(folder(given).unwrap().as_str(), form, "{given}");
        }
        assert_eq!(folder("a/../b"), Err(PathError::Dots));
    }
}
