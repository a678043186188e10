//! Which migration the data of each plugin had last.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::Outcome;
use crate::clock;
use crate::error::Error;
use crate::model::Tracked;

const COLUMNS: &str = "plugin, number, plugin_version, applied_ms";

/// All plugins that were ever seen.
pub(in crate::meta) fn all(db: &Connection) -> Outcome<Vec<Tracked>> {
    let sql = format!("SELECT {COLUMNS} FROM migration ORDER BY plugin");
    let mut statement = db.prepare_cached(&sql)?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

fn of(db: &Connection, plugin: &str) -> Outcome<Option<Tracked>> {
    let sql = format!("SELECT {COLUMNS} FROM migration WHERE plugin = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([plugin], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Tracked> {
    Ok(Tracked {
        plugin: row.get(0)?,
        number: row.get(1)?,
        plugin_version: row.get(2)?,
        applied_ms: row.get(3)?,
    })
}

/// Notes plugins that were never seen. Those that were stay as they are.
pub(in crate::meta) fn first_seen(
    db: &Connection,
    plugins: &[(String, u32, String)],
) -> Outcome<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO migration (plugin, number, plugin_version, applied_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (plugin) DO NOTHING",
    )?;
    for (plugin, number, version) in plugins {
        insert.execute((plugin, number, version, clock::now_ms()))?;
    }
    Ok(())
}

/// Moves a plugin on.
///
/// # Errors
///
/// [`Error::Migrated`] when its data had this migration already, or a later one.
pub(super) fn advance(db: &Connection, plugin: &str, version: &str, number: u32) -> Outcome<()> {
    if let Some(found) = of(db, plugin)?.filter(|found| found.number >= number) {
        let plugin = plugin.to_owned();
        return Err(Error::Migrated { plugin, found: found.number, number }.into());
    }
    db.prepare_cached(
        "INSERT INTO migration (plugin, number, plugin_version, applied_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (plugin) DO UPDATE SET number = excluded.number,
            plugin_version = excluded.plugin_version, applied_ms = excluded.applied_ms",
    )?
    .execute((plugin, number, version, clock::now_ms()))?;
    Ok(())
}

/// Whether any unit is of a type that this plugin registered.
pub(in crate::meta) fn has_units(db: &Connection, plugin: &str) -> Outcome<bool> {
    let mut statement = db.prepare_cached(
        "SELECT 1 FROM unit WHERE type IN (SELECT id FROM type WHERE plugin = ?1) LIMIT 1",
    )?;
    Ok(statement.exists([plugin])?)
}
