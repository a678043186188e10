//! From elements to the tree, by their shapes.

use roxmltree::{Attribute, Document, Node as Element};

use super::Shape;
use crate::lines::Lines;
use crate::node::{Node, Value};
use crate::problem::{Place, Problems};

/// Names of child elements and what each holds.
type Children = &'static [(&'static str, Shape)];

/// A walk through one document.
pub(crate) struct Walk<'w, 't> {
    lines: Lines<'t>,
    problems: &'w mut Problems,
}

impl<'w, 't> Walk<'w, 't> {
    pub(crate) fn of(document: &Document<'t>, problems: &'w mut Problems) -> Self {
        Self { lines: Lines::of(document.input_text()), problems }
    }

    fn place(&self, offset: usize) -> Place {
        self.lines.place(offset)
    }

    pub(crate) fn problem(&mut self, at: Element<'_, '_>, path: &str, message: impl Into<String>) {
        let place = self.place(at.range().start);
        self.problems.add(place, path, message);
    }

    /// What an element becomes.
    pub(crate) fn node(
        &mut self,
        element: Element<'_, '_>,
        shape: &'static Shape,
        path: &str,
    ) -> Node {
        let place = self.place(element.range().start);
        let value = match shape {
            Shape::Text => {
                self.no_attributes(element, path);
                Value::Text(self.text(element, path))
            }
            Shape::List { names, entry } => {
                self.no_attributes(element, path);
                Value::List(self.entries(element, names, entry, path))
            }
            Shape::Record { attributes, children, repeated, content } => {
                let mut fields = self.attributes(element, attributes, path);
                self.children(element, (children, repeated), &mut fields, path, *content);
                if *content {
                    // Oz drops the blanks around it, so that it may stand on lines of its own.
                    let text = self.text(element, path).trim().to_owned();
                    let text = Node { place, value: Value::Text(text) };
                    fields.push(("content".to_owned(), place, text));
                }
                Value::Record(fields)
            }
        };
        Node { place, value }
    }

    fn attributes(
        &mut self,
        element: Element<'_, '_>,
        known: &[&str],
        path: &str,
    ) -> Vec<(String, Place, Node)> {
        let mut fields = Vec::new();
        for attribute in element.attributes() {
            let (name, place) = (attribute.name().to_owned(), self.place(attribute.range().start));
            if attribute.namespace().is_some() || !known.contains(&attribute.name()) {
                self.unknown_attribute(attribute, path);
            } else {
                let value = Value::Text(attribute.value().to_owned());
                fields.push((name, place, Node { place, value }));
            }
        }
        fields
    }

    fn no_attributes(&mut self, element: Element<'_, '_>, path: &str) {
        for attribute in element.attributes() {
            self.unknown_attribute(attribute, path);
        }
    }

    fn unknown_attribute(&mut self, attribute: Attribute<'_, '_>, path: &str) {
        let place = self.place(attribute.range().start);
        let message = format!("the attribute {} is not known here", attribute.name());
        self.problems.add(place, path, message);
    }

    /// Child elements that the shape knows; of any other, and of stray text, a problem.
    fn children(
        &mut self,
        element: Element<'_, '_>,
        (once, repeated): (Children, Children),
        fields: &mut Vec<(String, Place, Node)>,
        path: &str,
        content: bool,
    ) {
        if !content {
            self.no_text(element, path);
        }
        for child in element.children().filter(Element::is_element) {
            let name = child.tag_name().name();
            let within = join(path, name);
            let is = |(known, _): &&(&str, Shape)| child.has_tag_name(*known);
            if let Some((_, shape)) = once.iter().find(is) {
                if fields.iter().any(|(known, ..)| known == name) {
                    self.problem(child, &within, "given twice");
                    continue;
                }
                let node = self.node(child, shape, &within);
                fields.push((name.to_owned(), node.place, node));
            } else if let Some((_, shape)) = repeated.iter().find(is) {
                let node = self.node(child, shape, &within);
                add(fields, name, node);
            } else if !content {
                self.problem(child, &within, "this element is not known here");
            }
        }
    }

    fn entries(
        &mut self,
        element: Element<'_, '_>,
        names: &[&str],
        shape: &'static Shape,
        path: &str,
    ) -> Vec<Node> {
        self.no_text(element, path);
        let mut entries = Vec::new();
        for child in element.children().filter(Element::is_element) {
            let within = format!("{path}/{}", entries.len() + 1);
            if !names.iter().any(|name| child.has_tag_name(*name)) {
                let message = format!("expected the element {}", names.join(" or "));
                self.problem(child, &join(path, child.tag_name().name()), message);
                continue;
            }
            let mut node = self.node(child, shape, &within);
            if let ([_, _, ..], Value::Record(fields)) = (names, &mut node.value)
                && !fields.iter().any(|(name, ..)| name == "content")
            {
                let value = Value::Text(child.tag_name().name().to_owned());
                fields.push(("type".to_owned(), node.place, Node { place: node.place, value }));
            }
            entries.push(node);
        }
        entries
    }

    /// The text of an element that holds nothing else.
    fn text(&mut self, element: Element<'_, '_>, path: &str) -> String {
        let mut text = String::new();
        for child in element.children() {
            if child.is_element() {
                let name = child.tag_name().name();
                self.problem(child, &join(path, name), "expected text here, not an element");
            } else if child.is_text() {
                text.push_str(child.text().unwrap_or_default());
            }
        }
        text
    }

    fn no_text(&mut self, element: Element<'_, '_>, path: &str) {
        let mut children = element.children().filter(Element::is_text);
        let stray = children.find(|child| child.text().is_some_and(|text| !text.trim().is_empty()));
        if let Some(stray) = stray {
            self.problem(stray, path, "expected elements here, not text");
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// Adds one more to a repeated field.
fn add(fields: &mut Vec<(String, Place, Node)>, name: &str, node: Node) {
    let place = node.place;
    let found = fields.iter_mut().find(|(known, ..)| known == name);
    if let Some((_, _, Node { value: Value::List(entries), .. })) = found {
        entries.push(node);
    } else {
        let list = Node { place, value: Value::List(vec![node]) };
        fields.push((name.to_owned(), place, list));
    }
}
