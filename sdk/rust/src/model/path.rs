//! The paths of what a stranger lists.

use std::fmt;

use crate::is_misleading;

/// The longest path and segment, in bytes: what the host carries.
const MAX_PATH: usize = 4096;
const MAX_SEGMENT: usize = 255;

/// Why a name cannot be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Nothing, `.` or `..`.
    #[error("its name is empty, \".\" or \"..\"")]
    Dots,
    /// A separator inside a name.
    #[error("its name has \"/\" or \"\\\" in it")]
    Separator,
    /// A control character, or one that changes the direction of writing.
    #[error("its name has a control character, or one that misleads readers")]
    Character,
    /// Over 255 bytes, or over 4,096 with its folders.
    #[error("its path is longer than {MAX_PATH} bytes, or its name than {MAX_SEGMENT}")]
    Long,
}

/// The path of something listed, below the mirrored folder: `/` between segments, none of them empty, `.` or `..`, none with
/// a separator, a control character or a character that misleads readers.
///
/// A server may send whatever it likes. A path that is made of its names one by one, by [`ListedPath::below`], stays inside
/// the folder that it is put into, and is one that the host carries. Whether two listed things have one path, which the host
/// refuses, is the plugin's to see. Never touches a file system.
///
/// ```
/// use wharf_sdk::{ListedPath, PathError};
///
/// let folder = ListedPath::top().below("week 1")?;
/// assert_eq!(folder.below("plan.txt")?.as_str(), "week 1/plan.txt");
/// assert_eq!(folder.below("../plan.txt"), Err(PathError::Separator));
/// # Ok::<(), PathError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListedPath(String);

impl ListedPath {
    /// The mirrored folder itself.
    pub fn top() -> Self {
        Self::default()
    }

    /// An entry of this folder, with exactly this name.
    ///
    /// # Errors
    /// Why it cannot be carried.
    pub fn below(&self, name: &str) -> Result<Self, PathError> {
        match name {
            "" | "." | ".." => return Err(PathError::Dots),
            _ if name.contains(['/', '\\']) => return Err(PathError::Separator),
            _ if name.chars().any(is_misleading) => return Err(PathError::Character),
            _ if name.len() > MAX_SEGMENT || self.0.len() + name.len() >= MAX_PATH => {
                return Err(PathError::Long);
            }
            _ => {}
        }
        let above = &self.0;
        Ok(Self(if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") }))
    }

    /// As text; empty at the top.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the mirrored folder itself.
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// How many names it is made of.
    pub fn depth(&self) -> usize {
        if self.is_top() { 0 } else { self.0.split('/').count() }
    }
}

impl fmt::Display for ListedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ListedPath> for String {
    fn from(path: ListedPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // F98
    #[test]
    fn names_that_lead_out_of_their_folder_are_refused() {
        let folder = ListedPath::top().below("a").unwrap();
        for (name, refusal) in [
            ("", PathError::Dots),
            (".", PathError::Dots),
            ("..", PathError::Dots),
            ("../x", PathError::Separator),
            ("/etc/passwd", PathError::Separator),
            ("a/b", PathError::Separator),
            ("..\\x", PathError::Separator),
            ("a\u{1}", PathError::Character),
            ("a\u{202e}b", PathError::Character),
        ] {
            assert_eq!(folder.below(name), Err(refusal), "{name:?}");
        }
    }

    #[test]
    fn paths_are_as_long_and_as_strange_as_the_host_carries_them() {
        let top = ListedPath::top();
        assert_eq!(top.below(&"x".repeat(256)), Err(PathError::Long));
        let deep = (0..2_047).try_fold(top.clone(), |folder, _| folder.below("x")).unwrap();
        assert_eq!((deep.as_str().len(), deep.depth()), (4_093, 2_047));
        assert_eq!(deep.below("yyy"), Err(PathError::Long));
        assert_eq!(top.below("größe.txt").unwrap().to_string(), "größe.txt");
        let colon = top.below("a").unwrap().below("c:d").unwrap();
        assert_eq!((colon.as_str(), colon.is_top(), top.depth()), ("a/c:d", false, 0));
    }
}
