//! Types: registered once, changed only forward, with real indexes for key and declared searches.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, query};
use crate::error::Error;
use crate::model::{RegisteredType, TypeDefinition, TypeId};

/// What is to be written for a definition.
pub(in crate::meta) enum Change {
    Add,
    Replace(TypeId),
    /// Only an index lacks.
    Index(TypeId),
}

/// What registering would write, by place in `types`. Types that are refused are an error, all of them. Those that
/// `covered` names are changed by a migration: they may have other keys.
pub(in crate::meta) fn plan(
    db: &Connection,
    plugin: &str,
    types: &[TypeDefinition],
    covered: &[String],
) -> Outcome<Vec<(usize, Change)>> {
    let existing = existing_indexes(db)?;
    let (mut changes, mut refused) = (Vec::new(), Vec::new());
    for (place, definition) in types.iter().enumerate() {
        let Some(stored) = by_name(db, &definition.id)? else {
            changes.push((place, Change::Add));
            continue;
        };
        if let Some(reason) = refusal(&stored, definition, covered.contains(&definition.id)) {
            refused.push(format!("type {}: {reason}", definition.id));
        } else if stored.definition != *definition || stored.plugin != plugin {
            changes.push((place, Change::Replace(stored.id)));
        } else if indexes(stored.id, definition)?.iter().any(|(name, _)| !existing.contains(name)) {
            changes.push((place, Change::Index(stored.id)));
        }
    }
    if refused.is_empty() {
        return Ok(changes);
    }
    Err(Error::TypesRefused { plugin: plugin.to_owned(), refused }.into())
}

/// Writes what is new.
pub(in crate::meta) fn register(
    db: &Connection,
    plugin: &str,
    plugin_version: &str,
    types: &[TypeDefinition],
) -> Outcome<()> {
    let changes = plan(db, plugin, types, &[])?;
    for (id, definition) in write(db, (plugin, plugin_version), types, changes)? {
        make_indexes(db, id, definition)?;
    }
    Ok(())
}

/// Writes the rows of definitions, and answers their numbers.
pub(super) fn write<'a>(
    db: &Connection,
    (plugin, plugin_version): (&str, &str),
    types: &'a [TypeDefinition],
    changes: Vec<(usize, Change)>,
) -> Outcome<Vec<(TypeId, &'a TypeDefinition)>> {
    let mut written = Vec::with_capacity(changes.len());
    for (place, change) in changes {
        let definition = &types[place];
        let text = serde_json::to_string(definition).map_err(|error| unreadable(&error))?;
        let id = match change {
            Change::Add => {
                db.prepare_cached(
                    "INSERT INTO type (name, plugin, plugin_version, definition) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((&definition.id, plugin, plugin_version, text))?;
                TypeId(db.last_insert_rowid())
            }
            Change::Replace(id) => {
                db.prepare_cached(
                    "UPDATE type SET plugin = ?2, plugin_version = ?3, definition = ?4 WHERE id = ?1",
                )?
                .execute((id.0, plugin, plugin_version, text))?;
                id
            }
            Change::Index(id) => id,
        };
        written.push((id, definition));
    }
    Ok(written)
}

/// Makes the indexes of a type that lack.
pub(super) fn make_indexes(
    db: &Connection,
    id: TypeId,
    definition: &TypeDefinition,
) -> Outcome<()> {
    for (_name, statement) in indexes(id, definition)? {
        db.execute_batch(&statement)?;
    }
    Ok(())
}

/// Drops the indexes of a type that its definition does not name any more.
pub(super) fn drop_stale_indexes(
    db: &Connection,
    id: TypeId,
    definition: &TypeDefinition,
) -> Outcome<()> {
    let wanted = indexes(id, definition)?;
    let own = format!("search {id} ");
    let stale = existing_indexes(db)?
        .into_iter()
        .filter(|name| name.starts_with(&own) && wanted.iter().all(|(wanted, _)| wanted != name));
    for name in stale {
        db.execute_batch(&format!("DROP INDEX \"{}\"", name.replace('"', "\"\"")))?;
    }
    Ok(())
}

/// The names of all indexes that types have.
fn existing_indexes(db: &Connection) -> Outcome<HashSet<String>> {
    let mut statement = db.prepare_cached(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name GLOB 'search *'",
    )?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// The indexes of a type, each with the statement that makes it. Names of fields were checked when the definition was
/// read; they are checked again where they become an expression.
///
/// None is unique: the key's digest is what tells units apart, and to SQLite true and 1 are one value.
fn indexes(id: TypeId, definition: &TypeDefinition) -> Outcome<Vec<(String, String)>> {
    let index = |fields: Vec<&str>| {
        let expressions = fields
            .iter()
            .map(|field| query::expression(field, Some(definition), ""))
            .collect::<Outcome<Vec<_>>>()?
            .join(", ");
        // Where a field stands is part of the name: the same fields of another column are another index.
        let column =
            |field: &&str| if definition.is_key_field(field) { "key" } else { "attributes" };
        let places: Vec<String> =
            fields.iter().map(|field| format!("{}.{field}", column(field))).collect();
        let name = format!("search {id} {}", places.join(" "));
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let statement = format!(
            "CREATE INDEX IF NOT EXISTS {quoted} ON unit ({expressions}) WHERE type = {id}"
        );
        Ok((name, statement))
    };
    definition.indexes().into_iter().map(index).collect()
}

/// Why a definition may not take the place of the stored one (F66). `covered`: a migration changes the type's units.
fn refusal(stored: &RegisteredType, new: &TypeDefinition, covered: bool) -> Option<String> {
    let old = &stored.definition;
    if old == new {
        return None;
    }
    let (by, difference) =
        (format!("{} {}", stored.plugin, stored.plugin_version), difference(old, new));
    if new.version < old.version {
        return Some(format!(
            "version {} is registered by plugin {by}, this is version {}; use the newer plugin",
            old.version, new.version
        ));
    }
    if new.version == old.version {
        return Some(format!(
            "it changed since plugin {by} registered it, but its version is still {}: {difference}; raise \"version\"",
            old.version
        ));
    }
    let keyed =
        [("unit_key", new.unit_key != old.unit_key), ("repo_key", new.repo_key != old.repo_key)];
    let changed: Vec<&str> =
        keyed.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect();
    if changed.is_empty() || covered {
        return None;
    }
    Some(format!("its {} changed without a migration: {difference}", changed.join(" and ")))
}

/// What is not alike, attribute by attribute.
fn difference(old: &TypeDefinition, new: &TypeDefinition) -> String {
    let json = |definition| serde_json::to_value(definition).unwrap_or_default();
    let (old, new) = (json(old), json(new));
    let names = new.as_object().into_iter().flatten().map(|(name, _)| name);
    let differing = names.filter(|name| *name != "version" && old.get(*name) != new.get(*name));
    let words: Vec<String> =
        differing.map(|name| format!("{name} was {}, is {}", old[name], new[name])).collect();
    words.join("; ")
}

/// All types, by number.
pub(in crate::meta) fn all(db: &Connection) -> Outcome<Vec<RegisteredType>> {
    let mut statement =
        db.prepare_cached("SELECT id, plugin, plugin_version, definition FROM type ORDER BY id")?;
    let rows = statement.query_map([], columns)?;
    rows.map(|row| row.map_err(Into::into).and_then(read)).collect()
}

/// The type with this name.
pub(in crate::meta) fn by_name(db: &Connection, name: &str) -> Outcome<Option<RegisteredType>> {
    let mut statement = db.prepare_cached(
        "SELECT id, plugin, plugin_version, definition FROM type WHERE name = ?1",
    )?;
    statement.query_row([name], columns).optional()?.map(read).transpose()
}

/// The type with this number.
pub(super) fn by_id(db: &Connection, id: TypeId) -> Outcome<Option<TypeDefinition>> {
    let mut statement =
        db.prepare_cached("SELECT id, plugin, plugin_version, definition FROM type WHERE id = ?1")?;
    let found = statement.query_row([id.0], columns).optional()?.map(read).transpose()?;
    Ok(found.map(|found| found.definition))
}

type Columns = (i64, String, String, String);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn read((id, plugin, plugin_version, text): Columns) -> Outcome<RegisteredType> {
    let definition = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    Ok(RegisteredType { id: TypeId(id), plugin, plugin_version, definition })
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::Unreadable { what: "a type", problem: error.to_string() }
}
