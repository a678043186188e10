//! From the tree to a template: every field that a template can have, and what it must be.

mod content;
mod os;
mod packages;

use crate::fields::Fields;
use crate::model::{Disk, Template};
use crate::node::{Node, Value};
use crate::problem::Problems;
use crate::size;

pub(crate) use packages::{packages, repositories};

/// Entries of one list.
const MAX_ENTRIES: usize = 10_000;
/// The size of a disk when the template names none.
const DEFAULT_DISK: u64 = 10 << 30;

/// Reads a template; `None` when something that it cannot be without is wrong. The problems tell what.
pub(crate) fn template(node: Node, problems: &mut Problems) -> Option<Template> {
    let mut fields = Fields::of(node, "", problems);
    version(&mut fields);
    let name = fields.required("name", "what the template is called");
    let description = fields.verbatim("description").map(|(text, _)| text.trim().to_owned());
    let os = if let Some((node, path, problems)) = fields.part("os") {
        os::os(node, &path, problems)
    } else {
        fields.missing("os", "the system that is installed");
        None
    };
    let packages = packages(&mut fields);
    let repositories = repositories(&mut fields);
    packages::known_repositories(&packages, &repositories, &mut fields);
    let files = content::files(&mut fields);
    let commands = content::commands("commands", &mut fields);
    let precommands = content::commands("precommands", &mut fields);
    let disk = disk(&mut fields);
    fields.finish();
    Some(Template {
        name: name?.0,
        description: description.filter(|text| !text.is_empty()),
        os: os?,
        packages: packages.into_iter().map(|(package, _)| package).collect(),
        repositories,
        files,
        commands,
        precommands,
        disk,
    })
}

/// The language has one version.
fn version(fields: &mut Fields<'_>) {
    if let Some((version, place)) = fields.optional("version")
        && version != "1.0"
    {
        fields.problem(place, "version", format!("expected 1.0, found {version:?}"));
    }
}

fn disk(fields: &mut Fields<'_>) -> Disk {
    let size_bytes = match fields.part("disk") {
        None => DEFAULT_DISK,
        Some((node, path, problems)) => {
            let mut disk = Fields::of(node, &path, problems);
            let size = size(&mut disk);
            disk.finish();
            size
        }
    };
    Disk { size_bytes }
}

/// `size`, with a unit, or `size_bytes`.
fn size(disk: &mut Fields<'_>) -> u64 {
    let read = |node: &Node, name| match &node.value {
        Value::Number(number) if name == "size_bytes" => {
            number.parse().ok().and_then(size::in_bounds)
        }
        Value::Number(number) => size::bytes(number),
        Value::Text(text) if name == "size" => size::bytes(text),
        _ => None,
    };
    let mut found = None;
    for name in ["size", "size_bytes"] {
        let Some(node) = disk.take(name) else { continue };
        if found.is_some() {
            disk.problem(node.place, name, "the size is given twice");
        }
        let bytes = read(&node, name);
        if bytes.is_none() {
            let expected = if name == "size" { size::EXPECTED } else { "bytes, at most 64 TiB" };
            disk.problem(node.place, name, format!("expected {expected}"));
        }
        found = Some(bytes.unwrap_or(DEFAULT_DISK));
    }
    found.unwrap_or(DEFAULT_DISK)
}
