//! Lines and columns of a text. Made once, because asking an XML document reads from its beginning each time.

use crate::problem::Place;

/// Where the lines of a text begin.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let feeds = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(feeds.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Line and column of an offset in bytes.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let before = self.text.get(*self.starts.get(line.checked_sub(1)?)?..offset)?;
        Some((u32::try_from(line).ok()?, u32::try_from(before.chars().count()).ok()? + 1))
    }
}
