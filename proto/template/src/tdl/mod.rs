//! TDL: which elements and attributes there are, and the tree that they become.
//!
//! Elements stand in any order, each once unless it is an entry of a list; comments count for nothing. Document type
//! declarations are refused, and with them all entities of one's own.
//! Source of the language: the schema that comes with Oz.

mod grammar;
mod walk;

pub(crate) use grammar::{PACKAGES, REPOSITORIES, Shape};
pub(crate) use walk::Walk;

use roxmltree::{Document, ParsingOptions};

use crate::node::Node;
use crate::problem::Problems;

/// Elements, attributes and texts of one document.
const MAX_NODES: u32 = 200_000;

/// The tree of a template.
pub(crate) fn tree(text: &str, problems: &mut Problems) -> Option<Node> {
    let document = parse(text, problems)?;
    let root = document.root_element();
    let mut walk = Walk::of(&document, problems);
    if !root.has_tag_name("template") {
        let found = root.tag_name().name();
        walk.problem(root, "", format!("expected the element template, found {found}"));
        return None;
    }
    Some(walk.node(root, &grammar::TEMPLATE, ""))
}

/// Reads XML.
pub(crate) fn parse<'t>(text: &'t str, problems: &mut Problems) -> Option<Document<'t>> {
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    match Document::parse_with_options(text, options) {
        Ok(document) => Some(document),
        Err(error) => {
            let place = error.pos();
            problems.add(
                Some((place.row, place.col)),
                "",
                format!("this is not XML that can be read: {error}"),
            );
            None
        }
    }
}
