//! Units: one a line, or all about one.

use serde_json::{Map, Value};

use super::repo::{short, text};
use super::table::labelled;
use super::text::{count, exact};
use super::{LABEL, styled};
use crate::api::{FoundUnit, Holding, Unit, UnitFile};

/// `12  deb  stable  main  hello  1.0  [apt, backports]`: number, type, the fields asked for or those of the key, and
/// who holds it.
pub(crate) fn line(unit: &FoundUnit, fields: &[String]) -> String {
    let mut cells = vec![unit.id.to_string(), exact(&unit.type_id)];
    if fields.is_empty() {
        cells.extend(unit.key.values().map(short));
    } else {
        let of = |name: &String| unit.key.get(name).or_else(|| unit.attributes.get(name));
        cells.extend(fields.iter().map(|name| of(name).map_or_else(|| "-".to_owned(), short)));
    }
    if !unit.repositories.is_empty() {
        let names: Vec<String> = unit.repositories.iter().map(|name| exact(name)).collect();
        cells.push(styled(LABEL, &format!("[{}]", names.join(", "))));
    }
    cells.join("  ")
}

/// All about one unit.
pub(crate) fn details(unit: &Unit) -> String {
    let files: Vec<String> = unit.files.iter().map(file).collect();
    let versions: Vec<String> = unit.versions.iter().map(holding).collect();
    let rows = [
        ("unit", unit.id.to_string()),
        ("type", exact(&unit.type_id)),
        ("key", fields(&unit.key)),
        ("attributes", fields(&unit.attributes)),
        ("files", files.join("\n")),
        ("in", if versions.is_empty() { "no version".to_owned() } else { versions.join("\n") }),
    ];
    labelled(&rows)
}

fn fields(object: &Map<String, Value>) -> String {
    let lines = object.iter().map(|(name, value)| format!("{}={}", exact(name), multiline(value)));
    lines.collect::<Vec<_>>().join("\n")
}

/// A text of several lines keeps them.
fn multiline(value: &Value) -> String {
    text(value).lines().map(exact).collect::<Vec<_>>().join("\n")
}

fn file(file: &UnitFile) -> String {
    let digest = file.sha256.as_deref().map_or_else(|| "-".to_owned(), exact);
    let size = file.size.map_or_else(|| "unknown size".to_owned(), |size| count(size) + " bytes");
    let here = if file.present { "" } else { ", not here" };
    format!("{}  sha256 {digest}, {size}{here}", exact(&file.path))
}

fn holding(holding: &Holding) -> String {
    let name = exact(&holding.repository);
    match holding.removed_in {
        None => format!("{name} from version {} on", holding.added_in),
        Some(end) => format!("{name} from version {}, gone in {end}", holding.added_in),
    }
}
