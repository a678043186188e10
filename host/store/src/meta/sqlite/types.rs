//! Types: registered once, changed only forward, with an index for each declared search.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, query};
use crate::error::Error;
use crate::model::{TypeDefinition, TypeId};

/// What is to be written for a definition.
pub(in crate::meta) enum Change {
    Add,
    Replace(TypeId),
}

/// What registering would write, by place in `types`. A refusal is an error.
pub(in crate::meta) fn plan(
    db: &Connection,
    plugin: &str,
    types: &[TypeDefinition],
) -> Outcome<Vec<(usize, Change)>> {
    let mut changes = Vec::new();
    for (place, definition) in types.iter().enumerate() {
        let Some(stored) = stored(db, &definition.id)? else {
            changes.push((place, Change::Add));
            continue;
        };
        if stored.definition == *definition {
            continue;
        }
        if let Some(reason) = refusal(&stored, plugin, definition) {
            let (name, plugin) = (definition.id.clone(), plugin.to_owned());
            return Err(Error::TypeRefused { name, plugin, reason }.into());
        }
        changes.push((place, Change::Replace(stored.id)));
    }
    Ok(changes)
}

/// Writes what is new.
pub(in crate::meta) fn register(
    db: &Connection,
    plugin: &str,
    plugin_version: &str,
    types: &[TypeDefinition],
) -> Outcome<()> {
    for (place, change) in plan(db, plugin, types)? {
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
                    "UPDATE type SET plugin_version = ?2, definition = ?3 WHERE id = ?1",
                )?
                .execute((id.0, plugin_version, text))?;
                id
            }
        };
        for fields in &definition.search_indexes {
            db.execute_batch(&index(id, definition, fields)?)?;
        }
    }
    warn_of_unknown_references(db, plugin, types)
}

/// The statement that makes the index of a declared search. Names were checked when the definition was read; they are
/// checked again where they become an expression.
fn index(id: TypeId, definition: &TypeDefinition, fields: &[String]) -> Outcome<String> {
    let expressions = fields
        .iter()
        .map(|field| query::expression(field, Some(definition), ""))
        .collect::<Outcome<Vec<_>>>()?;
    let name = format!("search {} {}", id.0, fields.join(" "));
    Ok(format!(
        "CREATE INDEX IF NOT EXISTS {} ON unit ({}) WHERE type = {}",
        quoted(&name),
        expressions.join(", "),
        id.0
    ))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Types of other plugins may come later, so this is no error.
fn warn_of_unknown_references(
    db: &Connection,
    plugin: &str,
    types: &[TypeDefinition],
) -> Outcome<()> {
    let names: HashSet<String> =
        all(db)?.into_iter().map(|(_, definition)| definition.id).collect();
    for definition in types {
        for name in definition.referenced_types.iter().filter(|name| !names.contains(*name)) {
            tracing::warn!(plugin, r#type = %definition.id, references = %name, "no such type yet");
        }
    }
    Ok(())
}

struct Stored {
    id: TypeId,
    plugin: String,
    definition: TypeDefinition,
}

fn stored(db: &Connection, name: &str) -> Outcome<Option<Stored>> {
    let row = db
        .prepare_cached("SELECT id, plugin, definition FROM type WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
        .optional()?;
    row.map(|(id, plugin, text)| Ok(Stored { id: TypeId(id), plugin, definition: read(&text)? }))
        .transpose()
}

/// Why a definition may not take the place of the stored one (F66).
fn refusal(stored: &Stored, plugin: &str, new: &TypeDefinition) -> Option<String> {
    let old = &stored.definition;
    let difference = difference(old, new);
    if stored.plugin != plugin {
        return Some(format!(
            "plugin {} declares it too, but not alike: {difference}",
            stored.plugin
        ));
    }
    if new.version < old.version {
        return Some(format!(
            "version {} is registered, this is version {}; use the newer plugin",
            old.version, new.version
        ));
    }
    if new.version == old.version {
        return Some(format!(
            "it changed, but its version is still {}: {difference}; raise \"version\"",
            old.version
        ));
    }
    if new.unit_key != old.unit_key {
        return Some(format!("its unit_key changed without a migration: {difference}"));
    }
    None
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
pub(in crate::meta) fn all(db: &Connection) -> Outcome<Vec<(TypeId, TypeDefinition)>> {
    let mut statement = db.prepare_cached("SELECT id, definition FROM type ORDER BY id")?;
    let rows = statement.query_map([], pair)?;
    rows.map(|row| row.map_err(Into::into).and_then(typed)).collect()
}

/// The type with this name.
pub(in crate::meta) fn by_name(
    db: &Connection,
    name: &str,
) -> Outcome<Option<(TypeId, TypeDefinition)>> {
    let mut statement = db.prepare_cached("SELECT id, definition FROM type WHERE name = ?1")?;
    statement.query_row([name], pair).optional()?.map(typed).transpose()
}

/// The type with this number.
pub(super) fn by_id(db: &Connection, id: TypeId) -> Outcome<Option<TypeDefinition>> {
    let mut statement = db.prepare_cached("SELECT id, definition FROM type WHERE id = ?1")?;
    let found = statement.query_row([id.0], pair).optional()?.map(typed).transpose()?;
    Ok(found.map(|(_, definition)| definition))
}

fn pair(row: &Row<'_>) -> rusqlite::Result<(i64, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn typed((id, text): (i64, String)) -> Outcome<(TypeId, TypeDefinition)> {
    Ok((TypeId(id), read(&text)?))
}

fn read(text: &str) -> Outcome<TypeDefinition> {
    Ok(serde_json::from_str(text).map_err(|error| unreadable(&error))?)
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::Unreadable { what: "a type", problem: error.to_string() }
}
