//! Applies a migration: what it staged, the definitions that hold from now on, and the tracker, all at once or not at all.
//!
//! A changed definition has changed keys for every unit of its type, also for those that the plugin did not send. No two
//! units may come to have one key, and no two units of a repository's newest version one place.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, relink, staged, tracker, types, unsigned};
use crate::error::Error;
use crate::model::{JobId, Migrated, Migration, TypeDefinition};

/// How many changed units are told by name.
const TOLD: i64 = 10;

/// Applies it, and answers what it changed.
pub(in crate::meta) fn apply(
    db: &Connection,
    job: JobId,
    migration: &Migration,
) -> Outcome<Migrated> {
    let Migration { plugin, plugin_version, number, types: definitions } = migration;
    let covered: Vec<String> = definitions.iter().map(|definition| definition.id.clone()).collect();
    let changes = types::plan(db, plugin, definitions, &covered)?;
    let rekeyed = rekeyed(db, definitions)?;
    let written = types::write(db, (plugin, plugin_version), definitions, changes)?;
    for (id, definition) in &written {
        types::drop_stale_indexes(db, *id, definition)?;
        if rekeyed.contains(&definition.id.as_str()) {
            staged::stage_rest(db, job, (*id, definition))?;
        }
    }
    check_keys(db, job)?;
    let migrated = account(db, job)?;
    write(db, job)?;
    relink::files(db, job)?;
    check_places(db, job)?;
    for (id, definition) in &written {
        types::make_indexes(db, *id, definition)?;
    }
    tracker::advance(db, plugin, plugin_version, *number)?;
    staged::discard(db, job)?;
    Ok(migrated)
}

/// Applies it, and takes it all back: what it would change.
pub(in crate::meta) fn try_out(
    db: &Connection,
    job: JobId,
    migration: &Migration,
) -> Outcome<Migrated> {
    db.execute_batch("SAVEPOINT trial")?;
    let outcome = apply(db, job, migration);
    db.execute_batch("ROLLBACK TO trial; RELEASE trial")?;
    outcome
}

/// The types of these whose units have other keys or other places from now on.
fn rekeyed<'a>(db: &Connection, definitions: &'a [TypeDefinition]) -> Outcome<Vec<&'a str>> {
    let mut rekeyed = Vec::new();
    for new in definitions {
        let old = types::by_name(db, &new.id)?.map(|stored| stored.definition);
        let differs =
            |old: TypeDefinition| old.unit_key != new.unit_key || old.repo_key != new.repo_key;
        if old.is_some_and(differs) {
            rekeyed.push(new.id.as_str());
        }
    }
    Ok(rekeyed)
}

/// No two units may have one key. Both are named as they still are.
fn check_keys(db: &Connection, job: JobId) -> Outcome<()> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let staged: Option<(String, String, String)> = db
        .prepare_cached(
            "SELECT a.key, b.key, s.key FROM migrated_unit s
             JOIN migrated_unit t ON t.job = s.job AND t.key_hash = s.key_hash
                AND t.key_digest = s.key_digest AND t.unit > s.unit
             JOIN unit a ON a.id = s.unit JOIN unit b ON b.id = t.unit
             WHERE s.job = ?1 LIMIT 1",
        )?
        .query_row([job.0], read)
        .optional()?;
    let standing = db
        .prepare_cached(
            "SELECT a.key, b.key, s.key FROM migrated_unit s JOIN unit a ON a.id = s.unit
             JOIN unit b ON b.key_hash = s.key_hash AND b.key_digest = s.key_digest
             WHERE s.job = ?1 AND b.id <> s.unit AND NOT EXISTS (
                SELECT 1 FROM migrated_unit t WHERE t.job = s.job AND t.unit = b.id)
             LIMIT 1",
        )?
        .query_row([job.0], read)
        .optional()?;
    match staged.or(standing) {
        Some((one, other, key)) => Err(Error::KeyConflict { one, other, key }.into()),
        None => Ok(()),
    }
}

/// What is different, counted while both can be seen.
fn account(db: &Connection, job: JobId) -> Outcome<Migrated> {
    const DIFFERENT: &str = "FROM migrated_unit s JOIN unit u ON u.id = s.unit WHERE s.job = ?1
         AND (s.key <> u.key OR s.attributes <> u.attributes OR s.files IS NOT NULL)";
    let counts = format!("SELECT count(*), ifnull(sum(s.key <> u.key), 0) {DIFFERENT}");
    let (changed, rekeyed): (i64, i64) =
        db.prepare_cached(&counts)?.query_row([job.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let first = format!("SELECT u.key, s.key {DIFFERENT} ORDER BY s.unit LIMIT {TOLD}");
    let mut first = db.prepare_cached(&first)?;
    let first = first.query_map([job.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Migrated {
        changed: unsigned(changed),
        rekeyed: unsigned(rekeyed),
        first: first.collect::<Result<_, _>>()?,
    })
}

/// Puts what was staged in the place of what stood. Which versions hold a unit does not change.
fn write(db: &Connection, job: JobId) -> Outcome<()> {
    db.prepare_cached(
        "UPDATE unit SET key_hash = s.key_hash, key_digest = s.key_digest, repo_key = s.repo_key,
            key = s.key, attributes = s.attributes
         FROM migrated_unit s WHERE s.job = ?1 AND unit.id = s.unit",
    )?
    .execute([job.0])?;
    db.prepare_cached(
        "UPDATE membership SET place = (
            SELECT s.place FROM migrated_unit s WHERE s.job = ?1 AND s.unit = membership.unit)
         WHERE EXISTS (SELECT 1 FROM migrated_unit s
            WHERE s.job = ?1 AND s.unit = membership.unit AND s.place IS NOT membership.place)",
    )?
    .execute([job.0])?;
    Ok(())
}

/// No two units of a newest version may stand in one place.
fn check_places(db: &Connection, job: JobId) -> Outcome<()> {
    let together = db
        .prepare_cached(
            "SELECT r.name, r.version, u.key, v.key FROM migrated_unit s
             JOIN unit u ON u.id = s.unit
             CROSS JOIN repository r
             CROSS JOIN membership m ON m.repository = r.id AND m.unit = s.unit
                AND m.removed_in IS NULL
             CROSS JOIN membership o INDEXED BY membership_place ON o.repository = r.id
                AND o.place = s.place AND o.removed_in IS NULL AND o.unit <> s.unit
             JOIN unit v ON v.id = o.unit AND v.repo_key = s.repo_key
             WHERE s.job = ?1 AND s.repo_key IS NOT NULL LIMIT 1",
        )?
        .query_row([job.0], |row| {
            Ok(Error::MovedTogether {
                repository: row.get(0)?,
                version: unsigned(row.get(1)?),
                one: row.get(2)?,
                other: row.get(3)?,
            })
        })
        .optional()?;
    together.map_or(Ok(()), |error| Err(error.into()))
}
