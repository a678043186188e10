//! Files and commands: names, the three kinds of content, the order of commands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::fields::Fields;
use crate::model::{Command, Content, File};
use crate::node::{Node, Value};
use crate::problem::Problems;

use super::MAX_ENTRIES;

pub(super) fn files(fields: &mut Fields<'_>) -> Vec<File> {
    fields.list("files", MAX_ENTRIES, |node, path, problems| {
        let mut fields = Fields::of(node, path, problems);
        let name = fields.required("name", "the path in the image").and_then(|(name, place)| {
            if is_path(&name) {
                return Some(name);
            }
            fields.problem(place, "name", "expected an absolute path of a file, without ..");
            None
        });
        let content = content(&mut fields, true);
        fields.finish();
        Some(File { name: name?, content: content? })
    })
}

/// Whether this names a file below `/`, and stays there.
fn is_path(name: &str) -> bool {
    name.starts_with('/')
        && !name.ends_with('/')
        && name.split('/').all(|part| !matches!(part, "." | ".."))
}

/// Whether this could be an address.
pub(super) fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, rest)| (scheme, !rest.is_empty()));
    scheme.is_some_and(|(scheme, rest)| {
        rest && !scheme.is_empty()
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    }) && !text.contains(char::is_whitespace)
}

fn content(fields: &mut Fields<'_>, may_be_empty: bool) -> Option<Content> {
    let kind = fields.optional("type").unwrap_or_else(|| ("raw".to_owned(), None));
    let (text, place) = match fields.verbatim("content") {
        Some(found) => found,
        None if may_be_empty => (String::new(), None),
        None => {
            fields.missing("content", "what is run");
            return None;
        }
    };
    let content = match kind.0.as_str() {
        "raw" => Some(Content::Raw(text)),
        "base64" => base64(&text).map(Content::Base64),
        "url" => Some(text.trim())
            .filter(|text| is_address(text))
            .map(|text| Content::Url(text.to_owned())),
        other => {
            fields.problem(kind.1, "type", format!("expected raw, base64 or url, found {other:?}"));
            return None;
        }
    };
    match content {
        None => {
            let place = place.or(fields.place());
            let expected = if kind.0 == "url" { "an address" } else { "base 64" };
            fields.problem(place, "content", format!("expected {expected}"));
            None
        }
        Some(Content::Raw(text)) if !may_be_empty && text.trim().is_empty() => {
            fields.problem(place, "content", "expected something to run");
            None
        }
        content => content,
    }
}

/// Base 64 without its blanks, if it is any.
fn base64(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(&text).is_ok().then_some(text)
}

/// Commands in their order: as written, or by position when all have one.
pub(super) fn commands(name: &str, fields: &mut Fields<'_>) -> Vec<Command> {
    let place = fields.place_of(name);
    let mut found =
        fields.list(name, MAX_ENTRIES, |node, path, problems| Some(command(node, path, problems)));
    let mut positions: Vec<usize> = found.iter().filter_map(|(_, position)| *position).collect();
    positions.sort_unstable();
    if !positions.is_empty() && positions.len() != found.len() {
        fields.problem(place, name, "positions are given for all or for none");
    } else if !positions.is_empty() && !positions.into_iter().eq(1..=found.len()) {
        let message = format!("positions are 1 to {}, each of them once", found.len());
        fields.problem(place, name, message);
    }
    found.sort_by_key(|(_, position)| *position);
    found.into_iter().filter_map(|(command, _)| command).collect()
}

/// A command if it is one, and its position, which counts for the others all the same.
fn command(node: Node, path: &str, problems: &mut Problems) -> (Option<Command>, Option<usize>) {
    let mut fields = Fields::of(node, path, problems);
    let name = fields.required("name", "what the command is called");
    let position = fields.take("position").and_then(|node| position(&node, &mut fields));
    let content = content(&mut fields, false);
    fields.finish();
    (name.zip(content).map(|((name, _), content)| Command { name, content }), position)
}

fn position(node: &Node, fields: &mut Fields<'_>) -> Option<usize> {
    let read = match &node.value {
        Value::Text(text) | Value::Number(text) => text.trim().parse().ok(),
        _ => None,
    };
    if read.is_none() {
        fields.problem(node.place, "position", "expected a number from 1");
    }
    read
}
