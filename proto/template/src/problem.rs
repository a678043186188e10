//! What is wrong with a template.

use std::fmt;

/// So many are kept; the rest is counted.
const MAX_KEPT: usize = 100;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, from 1; `None` when the form knows no places (the values of JSON).
    pub line: Option<u32>,
    /// The column in characters, from 1.
    pub column: Option<u32>,
    /// Where in the template: `os/install/url`, `files/2/content`; lists count from 1. Empty: the whole.
    pub element: String,
    /// What is expected.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        if !self.element.is_empty() {
            write!(f, "{}: ", self.element)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a template, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// Those that were kept: the first hundred found.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.kept.iter()
    }

    /// How many there are in all.
    pub fn count(&self) -> usize {
        self.kept.len() + self.more
    }

    pub(crate) fn add(&mut self, place: Place, element: &str, message: impl Into<String>) {
        if self.kept.len() >= MAX_KEPT {
            self.more += 1;
            return;
        }
        let (line, column) =
            place.map_or((None, None), |(line, column)| (Some(line), Some(column)));
        let (element, message) = (element.to_owned(), message.into());
        self.kept.push(Problem { line, column, element, message });
    }

    /// The value if nothing was wrong with it.
    pub(crate) fn or<T>(mut self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.kept.is_empty() => Ok(value),
            _ => {
                self.kept.sort();
                Err(self)
            }
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.kept.iter().enumerate() {
            let line_feed = if number == 0 { "" } else { "\n" };
            write!(f, "{line_feed}{problem}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Line and column, both from 1, where a form knows them.
pub(crate) type Place = Option<(u32, u32)>;
