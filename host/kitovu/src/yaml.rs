//! YAML as plain data: texts, lists and mappings, each with the place where it begins.
//!
//! Anchors, aliases and tags are refused, and so are deep and large files: a configuration needs none of them, and an
//! alias is how a small file becomes an endless one. Source of the grammar: YAML 1.2.2, by the library.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// How deep lists and mappings may lie in each other.
const MAX_DEPTH: usize = 32;

/// A place in the file: line and column, from 1 on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// Something that is wrong, or deserves a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: At,
    /// What.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(at: At, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// A piece of the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
}

impl Node {
    /// What stands under a key, if this is a mapping.
    pub(crate) fn entry(&self, key: &str) -> Option<&Self> {
        let Value::Mapping(map) = &self.value else { return None };
        map.iter().find(|(name, ..)| name == key).map(|(_name, _at, node)| node)
    }
}

/// What a piece is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A text, and whether it was written without quotes, so that it may stand for a number.
    Text(String, bool),
    List(Vec<Node>),
    /// Keys are texts; each once.
    Mapping(Vec<(String, At, Node)>),
}

impl Value {
    /// For people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(..) => "a single value",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

/// What is open while the file is read.
enum Open {
    List(At, Vec<Node>),
    Mapping(At, Vec<(String, At, Node)>, Option<(String, At)>),
}

struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    faults: Vec<Fault>,
}

/// Reads one document.
///
/// # Errors
/// What makes it no plain data; a file that is no YAML has one such fault.
pub(crate) fn read(text: &str) -> Result<Node, Vec<Fault>> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {MAX_BYTES} bytes");
        return Err(vec![Fault::new(At { line: 1, column: 1 }, message)]);
    }
    let mut builder = Builder { open: Vec::new(), root: None, faults: Vec::new() };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.take(event, &span)?,
            Err(error) => {
                builder.faults.push(Fault::new(
                    at(error.marker()),
                    format!("this is no YAML: {}", error.info()),
                ));
                return Err(builder.faults);
            }
        }
    }
    match builder.root {
        Some(root) if builder.faults.is_empty() => Ok(root),
        Some(_) => Err(builder.faults),
        None => {
            builder.faults.push(Fault::new(At { line: 1, column: 1 }, "the file is empty"));
            Err(builder.faults)
        }
    }
}

fn at(marker: &Marker) -> At {
    At { line: marker.line().max(1), column: marker.col() + 1 }
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Vec<Fault>> {
        let at = at(&span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_only(at, anchor, tag.as_deref());
                let plain = style == ScalarStyle::Plain;
                self.add(Node { at, value: Value::Text(text.into_owned(), plain) });
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain_only(at, anchor, tag.as_deref());
                self.deeper(at, Open::List(at, Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.plain_only(at, anchor, tag.as_deref());
                self.deeper(at, Open::Mapping(at, Vec::new(), None))?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(_) => {
                self.faults.push(Fault::new(at, "aliases are not taken; write it out"));
                self.add(Node { at, value: Value::Text(String::new(), true) });
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                self.faults.push(Fault::new(at, "there is a second document; only one is taken"));
                return Err(std::mem::take(&mut self.faults));
            }
            _ => {}
        }
        Ok(())
    }

    fn plain_only(&mut self, at: At, anchor: usize, tag: Option<&Tag>) {
        if anchor != 0 {
            self.faults.push(Fault::new(at, "anchors (&name) are not taken"));
        }
        if tag.is_some() {
            self.faults.push(Fault::new(at, "tags (!name) are not taken: this is plain data"));
        }
    }

    fn deeper(&mut self, at: At, open: Open) -> Result<(), Vec<Fault>> {
        self.open.push(open);
        if self.open.len() <= MAX_DEPTH {
            return Ok(());
        }
        self.faults.push(Fault::new(at, format!("it lies deeper than {MAX_DEPTH} levels")));
        Err(std::mem::take(&mut self.faults))
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List(at, list)) => self.add(Node { at, value: Value::List(list) }),
            Some(Open::Mapping(at, map, _key)) => self.add(Node { at, value: Value::Mapping(map) }),
            None => {}
        }
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, list)) => list.push(node),
            Some(Open::Mapping(_, map, key)) => match key.take() {
                Some((key, at)) => {
                    if map.iter().any(|(other, ..)| *other == key) {
                        self.faults.push(Fault::new(at, format!("\"{key}\" is there twice")));
                    }
                    map.push((key, at, node));
                }
                None => match node.value {
                    Value::Text(text, _) => *key = Some((text, node.at)),
                    other => {
                        let message = format!("a key is a text, not {}", other.kind());
                        self.faults.push(Fault::new(node.at, message));
                        *key = Some((String::new(), node.at));
                    }
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, usize)> {
        read(text).unwrap_err().into_iter().map(|fault| (fault.at.line, fault.at.column)).collect()
    }

    #[test]
    fn everything_has_its_place() {
        let node = read("a: 1\nb:\n  - \"x\"\n  - y: z\n").unwrap();
        let Value::Mapping(map) = node.value else { panic!("a mapping") };
        assert_eq!(
            map[0].2,
            Node { at: At { line: 1, column: 4 }, value: Value::Text("1".into(), true) }
        );
        let Value::List(list) = &map[1].2.value else { panic!("a list") };
        assert_eq!(
            (list[0].at, &list[0].value),
            (At { line: 3, column: 5 }, &Value::Text("x".into(), false))
        );
        assert_eq!(map[1].1, At { line: 2, column: 1 });
    }

    #[test]
    fn what_is_no_plain_data_is_refused_where_it_stands() {
        assert_eq!(faults("a: &x 1\nb: *x\n"), [(1, 4), (2, 4)]);
        assert_eq!(faults("a: !!python/object:os.system ls\n").len(), 1);
        assert_eq!(faults("a: 1\na: 2\n"), [(2, 1)]);
        assert_eq!(faults("a: 1\n---\nb: 2\n").len(), 1);
        assert_eq!(faults(""), [(1, 1)]);
        assert_eq!(faults(&"[".repeat(1_000)).len(), 1);
        assert_eq!(faults("a: [1\nb: 2\n").len(), 1);
        assert_eq!(faults("a:\n\t- tab\n").len(), 1);
    }
}
