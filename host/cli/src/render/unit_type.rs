//! Types of units.

use serde_json::Value;

use super::table::{Align, Cell, Table, labelled};
use super::text::{exact, one_line, plain};
use super::{WARN, styled};
use crate::api::TypeInfo;

/// Types, one a line.
pub(crate) fn table(types: &[TypeInfo], width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("TYPE", Align::Left),
        ("VERSION", Align::Right),
        ("PLUGIN", Align::Left),
        ("UNIT KEY", Align::Left),
        ("REPO KEY", Align::Left),
    ]);
    for kind in types {
        let plugin = plain(kind.plugin.as_deref().unwrap_or_default());
        let plugin = if kind.defined {
            plugin.into()
        } else {
            Cell::styled(format!("{plugin} (gone)"), WARN)
        };
        table.row([
            exact(&kind.id).into(),
            kind.version.to_string().into(),
            plugin,
            fields(&kind.unit_key).into(),
            fields(&kind.repo_key).into(),
        ]);
    }
    table.render(width)
}

/// One registered type.
pub(crate) fn details(kind: &TypeInfo) -> String {
    let mut rows = definition(kind);
    rows.push(("defined by", origin(kind)));
    rows.push(("used by", fields(&kind.components)));
    labelled(&rows)
}

/// One definition of a file that was found good.
pub(crate) fn checked(kind: &TypeInfo, file: &str, pulp: bool, notes: &[String]) -> String {
    let form = if pulp { "in the form of Pulp 2; it becomes:" } else { "in wharf's form" };
    let mut rows = definition(kind);
    let notes: Vec<String> = notes.iter().map(|note| one_line(note)).collect();
    rows.push(("notes", notes.join("\n")));
    format!("{}: {} {form}\n{}", exact(file), exact(&kind.id), labelled(&rows))
}

fn definition(kind: &TypeInfo) -> Vec<(&'static str, String)> {
    let place = if kind.repo_key.is_empty() {
        "units with different keys stand side by side".to_owned()
    } else {
        format!("one unit for each {}; a new one takes its place", fields(&kind.repo_key))
    };
    vec![
        ("type", exact(&kind.id)),
        ("name", one_line(&kind.display_name)),
        ("about", one_line(&kind.description)),
        ("version", kind.version.to_string()),
        ("unit key", unit_key(kind)),
        ("repository", place),
        (
            "indexes",
            kind.search_indexes.iter().map(|index| fields(index)).collect::<Vec<_>>().join("\n"),
        ),
        ("refers to", fields(&kind.referenced_types)),
        ("attributes", attributes(kind.attributes.as_ref())),
    ]
}

fn unit_key(kind: &TypeInfo) -> String {
    let field = |name: &String| {
        let filled = if kind.from_artifact.contains(name) { " (from the bytes)" } else { "" };
        format!("{}{filled}", exact(name))
    };
    kind.unit_key.iter().map(field).collect::<Vec<_>>().join(", ")
}

/// The names of attributes that a schema has, and whether there may be others.
fn attributes(schema: Option<&Value>) -> String {
    let Some(schema) = schema else { return "any".to_owned() };
    let properties = schema.get("properties").and_then(Value::as_object);
    let names: Vec<String> =
        properties.into_iter().flatten().map(|(name, _schema)| exact(name)).collect();
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    match (names.is_empty(), closed) {
        (true, _) => "as the schema says".to_owned(),
        (false, true) => names.join(", "),
        (false, false) => format!("{}, and others", names.join(", ")),
    }
}

fn origin(kind: &TypeInfo) -> String {
    let (plugin, version) = (kind.plugin.as_deref(), kind.plugin_version.as_deref());
    let plugin = plain(&format!("{} {}", plugin.unwrap_or_default(), version.unwrap_or_default()));
    if kind.defined {
        return plugin;
    }
    format!(
        "{plugin}, {}",
        styled(WARN, "which does not define it any more; it is kept with its units")
    )
}

fn fields(names: &[String]) -> String {
    names.iter().map(|name| exact(name)).collect::<Vec<_>>().join(", ")
}
