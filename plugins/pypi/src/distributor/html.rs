//! Pages in HTML.
//!
//! Source: PEP 503, 592 (yanked), 629 (version), 658 and 714 (metadata), 792 (status). What the form knew when it was
//! frozen, and no more: newer facts are in the JSON.

use std::fmt::Write as _;

use super::project::{File, Project};
use crate::index::Status;

/// The page of a project.
pub(super) fn page(project: &Project) -> Vec<u8> {
    let mut text = head(&format!("Links for {}", project.name), project.status.as_ref());
    for file in &project.files {
        anchor(&mut text, file, &project.name);
    }
    text.push_str("</body>\n</html>\n");
    text.into_bytes()
}

/// The list of projects.
pub(super) fn list(names: &[String]) -> Vec<u8> {
    let mut text = head("Simple index", None);
    for name in names {
        // A normalised name needs no escaping.
        text.push_str("<a href=\"");
        text.push_str(name);
        text.push_str("/\">");
        text.push_str(name);
        text.push_str("</a><br>\n");
    }
    text.push_str("</body>\n</html>\n");
    text.into_bytes()
}

fn head(title: &str, status: Option<&Status>) -> String {
    let mut text = "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n".to_owned();
    // A status is what version 1.4 brought.
    meta(&mut text, "pypi:repository-version", if status.is_some() { "1.4" } else { "1.0" });
    if let Some(status) = status {
        meta(&mut text, "pypi:project-status", &status.status);
        if let Some(reason) = &status.reason {
            meta(&mut text, "pypi:project-status-reason", reason);
        }
    }
    let _infallible = write!(text, "<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n");
    text
}

fn meta(text: &mut String, name: &str, content: &str) {
    text.push_str("<meta");
    attribute(text, "name", name);
    attribute(text, "content", content);
    text.push_str(">\n");
}

fn anchor(text: &mut String, file: &File, project: &str) {
    let href = format!("{}#sha256={}", super::page::link(file, project), file.sha256);
    text.push_str("<a");
    attribute(text, "href", &href);
    if let Some(requires) = &file.requires_python {
        attribute(text, "data-requires-python", requires);
    }
    if let Some(hex) = &file.metadata {
        let value = format!("sha256={hex}");
        attribute(text, "data-core-metadata", &value);
        attribute(text, "data-dist-info-metadata", &value);
    }
    if let Some(reason) = &file.yanked {
        attribute(text, "data-yanked", reason);
    }
    text.push('>');
    escape(text, &file.filename);
    text.push_str("</a><br>\n");
}

fn attribute(text: &mut String, name: &str, value: &str) {
    text.push(' ');
    text.push_str(name);
    text.push_str("=\"");
    escape(text, value);
    text.push('"');
}

fn escape(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // F98
    #[test]
    fn nothing_of_upstream_becomes_markup() {
        let mut text = String::new();
        attribute(&mut text, "data-yanked", "\"><script>'&");
        assert_eq!(text, " data-yanked=\"&quot;&gt;&lt;script&gt;&#39;&amp;\"");
    }
}
