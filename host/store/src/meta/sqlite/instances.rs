//! Named instances, and who uses them.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::Outcome;
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::NamedInstance;

const COLUMNS: &str = "name, component, settings, created_ms, changed_ms";

pub(in crate::meta) fn create(
    db: &Connection,
    name: &str,
    component: &str,
    settings: &serde_json::Value,
) -> Outcome<NamedInstance> {
    if db.prepare_cached("SELECT 1 FROM instance WHERE name = ?1")?.exists([name])? {
        return Err(Error::Exists { thing: Thing::Instance, name: name.to_owned() }.into());
    }
    db.prepare_cached(
        "INSERT INTO instance (name, component, settings, created_ms, changed_ms)
         VALUES (?1, ?2, ?3, ?4, ?4)",
    )?
    .execute((name, component, settings.to_string(), clock::now_ms()))?;
    get(db, name)
}

pub(in crate::meta) fn change(
    db: &Connection,
    name: &str,
    settings: &serde_json::Value,
) -> Outcome<NamedInstance> {
    db.prepare_cached("UPDATE instance SET settings = ?2, changed_ms = ?3 WHERE name = ?1")?
        .execute((name, settings.to_string(), clock::now_ms()))?;
    get(db, name)
}

pub(in crate::meta) fn by_name(db: &Connection, name: &str) -> Outcome<Option<NamedInstance>> {
    let row = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM instance WHERE name = ?1"))?
        .query_row([name], raw)
        .optional()?;
    row.map(|row| read(db, row)).transpose()
}

pub(in crate::meta) fn all(db: &Connection) -> Outcome<Vec<NamedInstance>> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM instance ORDER BY name"))?;
    let rows = statement.query_map([], raw)?.collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().map(|row| read(db, row)).collect()
}

/// Says whether it was there and is bound to no repository.
pub(in crate::meta) fn delete(db: &Connection, name: &str) -> Outcome<bool> {
    let sql = "DELETE FROM instance WHERE name = ?1 AND NOT EXISTS (
        SELECT 1 FROM attachment a
        WHERE a.component = instance.component AND a.instance = instance.name)";
    Ok(db.prepare_cached(sql)?.execute([name])? > 0)
}

fn get(db: &Connection, name: &str) -> Outcome<NamedInstance> {
    by_name(db, name)?.ok_or_else(|| Error::not_found(Thing::Instance, name).into())
}

type Raw = (String, String, String, i64, i64);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn read(
    db: &Connection,
    (name, component, settings, created_ms, changed_ms): Raw,
) -> Outcome<NamedInstance> {
    let settings = serde_json::from_str(&settings)
        .map_err(|error| Error::Unreadable { what: "settings", problem: error.to_string() })?;
    let used_by = db
        .prepare_cached(
            "SELECT DISTINCT r.name FROM attachment a JOIN repository r ON r.id = a.repository
             WHERE a.component = ?1 AND a.instance = ?2 ORDER BY r.name",
        )?
        .query_map([&component, &name], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(NamedInstance { name, component, settings, created_ms, changed_ms, used_by })
}
