//! Versions and what differs between them.

use rusqlite::{Connection, Row};

use super::{Outcome, limit, short, signed, unsigned};
use crate::error::{Error, Thing};
use crate::model::{DiffEntry, Digest, JobId, RepositoryId, TypeId, UnitId, Version};

const COLUMNS: &str = "number, created_ms, job, units, added, removed, info";

pub(in crate::meta) fn all(db: &Connection, repository: RepositoryId) -> Outcome<Vec<Version>> {
    let sql = format!("SELECT {COLUMNS} FROM version WHERE repository = ?1 ORDER BY number");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([repository.0], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(in crate::meta) fn by_number(
    db: &Connection,
    repository: RepositoryId,
    number: u64,
) -> Outcome<Option<Version>> {
    let sql = format!("SELECT {COLUMNS} FROM version WHERE repository = ?1 AND number = ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query_map((repository.0, signed(number)), read)?;
    Ok(rows.next().transpose()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        number: unsigned(row.get(0)?),
        created_ms: row.get(1)?,
        job: row.get::<_, Option<i64>>(2)?.map(JobId),
        units: unsigned(row.get(3)?),
        added: unsigned(row.get(4)?),
        removed: unsigned(row.get(5)?),
        info: row.get(6)?,
    })
}

/// Fails unless there is such a version.
pub(super) fn check(db: &Connection, repository: RepositoryId, number: u64) -> Outcome<()> {
    let there = db
        .prepare_cached("SELECT 1 FROM version WHERE repository = ?1 AND number = ?2")?
        .exists((repository.0, signed(number)))?;
    if there { Ok(()) } else { Err(Error::not_found(Thing::Version, &number).into()) }
}

/// Whether a version holds a unit with a file of these bytes.
pub(in crate::meta) fn holds(
    db: &Connection,
    repository: RepositoryId,
    number: u64,
    digest: Digest,
) -> Outcome<bool> {
    let mut statement = db.prepare_cached(
        "SELECT 1 FROM artifact a CROSS JOIN unit_file f ON f.artifact = a.id
            CROSS JOIN membership m ON m.repository = ?1 AND m.unit = f.unit
         WHERE a.hash = ?4 AND a.sha256 = ?3 AND m.added_in <= ?2 AND (m.removed_in IS NULL OR m.removed_in > ?2)",
    )?;
    Ok(statement.exists((repository.0, signed(number), digest.0, short(&digest.0)))?)
}

/// What differs, by the numbers of the units. A unit that left and came back in between does not.
pub(in crate::meta) fn diff(
    db: &Connection,
    repository: RepositoryId,
    from: u64,
    to: u64,
    after: Option<UnitId>,
    page: usize,
) -> Outcome<Vec<DiffEntry>> {
    check(db, repository, from)?;
    check(db, repository, to)?;
    let mut statement = db.prepare_cached(
        "SELECT d.unit, d.later, u.type, t.name, u.key FROM (
            SELECT unit,
                max(added_in <= ?2 AND (removed_in IS NULL OR removed_in > ?2)) AS earlier,
                max(added_in <= ?3 AND (removed_in IS NULL OR removed_in > ?3)) AS later
            FROM membership WHERE repository = ?1 AND unit > ?4
            GROUP BY unit HAVING earlier <> later ORDER BY unit LIMIT ?5
         ) d JOIN unit u ON u.id = d.unit JOIN type t ON t.id = u.type ORDER BY d.unit",
    )?;
    let after = after.map_or(i64::MIN, |unit| unit.0);
    let rows = statement.query_map(
        (repository.0, signed(from), signed(to), after, limit(page, 1_000)),
        |row| {
            Ok(DiffEntry {
                unit: UnitId(row.get(0)?),
                added: row.get(1)?,
                type_id: TypeId(row.get(2)?),
                type_name: row.get(3)?,
                key: row.get(4)?,
            })
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}
