//! Taking a record apart field by field. What is missing, of the wrong kind or not known is noted, and reading goes on.

use crate::node::{Node, Value};
use crate::problem::{Place, Problems};

/// The fields of a record that are still to be read.
pub(crate) struct Fields<'p> {
    problems: &'p mut Problems,
    place: Place,
    path: String,
    left: Vec<(String, Place, Node)>,
}

impl<'p> Fields<'p> {
    /// Those of a record; of anything else none, and a problem.
    pub(crate) fn of(node: Node, path: &str, problems: &'p mut Problems) -> Self {
        let place = node.place;
        let left = match node.value {
            Value::Record(fields) => fields,
            other => {
                problems.add(
                    place,
                    path,
                    format!("expected a group of fields, found {}", other.kind()),
                );
                Vec::new()
            }
        };
        Self { problems, place, path: path.to_owned(), left }
    }

    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    pub(crate) fn problem(&mut self, place: Place, name: &str, message: impl Into<String>) {
        let path = if name.is_empty() { self.path.clone() } else { self.path_of(name) };
        self.problems.add(place, &path, message);
    }

    /// Where the record begins.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Where a field begins.
    pub(crate) fn place_of(&self, name: &str) -> Place {
        self.left.iter().find(|(key, ..)| key == name)?.1
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.left.iter().position(|(key, ..)| key == name)?;
        Some(self.left.remove(at).2)
    }

    /// A node, and where its problems go.
    pub(crate) fn part(&mut self, name: &str) -> Option<(Node, String, &mut Problems)> {
        let node = self.take(name)?;
        let path = self.path_of(name);
        Some((node, path, self.problems))
    }

    pub(crate) fn missing(&mut self, name: &str, expected: &str) {
        let place = self.place;
        self.problem(place, "", format!("{name:?} is missing: {expected}"));
    }

    /// A text as it is written.
    pub(crate) fn verbatim(&mut self, name: &str) -> Option<(String, Place)> {
        let node = self.take(name)?;
        match node.value {
            Value::Text(text) => Some((text, node.place)),
            other => {
                self.problem(node.place, name, format!("expected a text, found {}", other.kind()));
                None
            }
        }
    }

    /// A text of one line that is not empty, without blanks around it.
    pub(crate) fn optional(&mut self, name: &str) -> Option<(String, Place)> {
        let (text, place) = self.verbatim(name)?;
        let text = text.trim();
        if text.is_empty() || text.chars().any(char::is_control) {
            self.problem(place, name, "expected a line of text that is not empty");
            return None;
        }
        Some((text.to_owned(), place))
    }

    /// As [`Fields::optional`], and missing it is a problem.
    pub(crate) fn required(&mut self, name: &str, expected: &str) -> Option<(String, Place)> {
        if !self.has(name) {
            self.missing(name, expected);
            return None;
        }
        self.optional(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.left.iter().any(|(key, ..)| key == name)
    }

    /// True, false, or one of the words that TDL has for them, in any case.
    pub(crate) fn switch(&mut self, name: &str, default: bool) -> bool {
        let Some(node) = self.take(name) else { return default };
        let read = match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" => Some(true),
                "false" | "no" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if read.is_none() {
            self.problem(node.place, name, "expected true, false, yes or no");
        }
        read.unwrap_or(default)
    }

    /// The entries of a list, each read by `read`; those that cannot be read are left out.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        max: usize,
        mut read: impl FnMut(Node, &str, &mut Problems) -> Option<T>,
    ) -> Vec<T> {
        let Some((node, path, problems)) = self.part(name) else { return Vec::new() };
        let entries = match node.value {
            Value::List(entries) => entries,
            other => {
                problems.add(node.place, &path, format!("expected a list, found {}", other.kind()));
                return Vec::new();
            }
        };
        if entries.len() > max {
            problems.add(node.place, &path, format!("expected at most {max} entries"));
            return Vec::new();
        }
        let numbered = entries.into_iter().enumerate();
        numbered
            .filter_map(|(number, node)| read(node, &format!("{path}/{}", number + 1), problems))
            .collect()
    }

    /// Whatever nobody read is not known.
    pub(crate) fn finish(self) {
        for (name, place, _node) in self.left {
            let path =
                if self.path.is_empty() { name.clone() } else { format!("{}/{name}", self.path) };
            self.problems.add(place, &path, "not known here");
        }
    }
}
