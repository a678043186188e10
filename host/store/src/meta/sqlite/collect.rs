//! What nobody refers to any more: found by reading, looked at again and taken away by writing.
//!
//! Units first: those that no version holds. Then bytes: those of no unit's file and no generated file of a
//! publication. A row goes before its file does, so what a cut-off run leaves is a file that no row knows, which the
//! next run finds (F90).

use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use super::{Outcome, publications, short};
use crate::model::{Digest, PublicationId, RepositoryId, UnitId};
use crate::pins::Pins;

/// There are few repositories and many units, so each repository is asked.
const ORPHAN: &str = "NOT EXISTS (SELECT 1 FROM repository r CROSS JOIN membership m
    ON m.repository = r.id AND m.unit = u.id)";

/// Bytes in column `a.id` that nothing refers to.
const UNUSED: &str = "NOT EXISTS (SELECT 1 FROM unit_file f WHERE f.artifact = a.id)
    AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.artifact = a.id AND e.unit IS NULL)";

/// The same, were all units gone that no version holds.
const UNNEEDED: &str =
    "NOT EXISTS (SELECT 1 FROM unit_file f CROSS JOIN repository r CROSS JOIN membership m
        ON m.repository = r.id AND m.unit = f.unit WHERE f.artifact = a.id)
    AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.artifact = a.id AND e.unit IS NULL)";

/// Superseded publications whose time is over.
pub(in crate::meta) fn expired(db: &Connection, now_ms: i64) -> Outcome<Vec<PublicationId>> {
    let mut statement =
        db.prepare_cached("SELECT id FROM publication WHERE state = 2 AND expires_ms <= ?1")?;
    let rows = statement.query_map([now_ms], |row| Ok(PublicationId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Drops one of them. Says whether it was there.
pub(in crate::meta) fn drop_expired(
    db: &Connection,
    publication: PublicationId,
    now_ms: i64,
) -> Outcome<bool> {
    publications::drop_superseded(db, publication, now_ms)
}

/// Repositories that do not keep all their versions.
pub(in crate::meta) fn retaining(db: &Connection) -> Outcome<Vec<RepositoryId>> {
    let mut statement = db.prepare_cached("SELECT id FROM repository WHERE retain IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok(RepositoryId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Units that no version holds, behind this one.
pub(in crate::meta) fn orphans(
    db: &Connection,
    after: Option<UnitId>,
    most: usize,
) -> Outcome<Vec<UnitId>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT u.id FROM unit u WHERE u.id > ?1 AND {ORPHAN} ORDER BY u.id LIMIT ?2"
    ))?;
    let after = after.map_or(i64::MIN, |unit| unit.0);
    let rows =
        statement.query_map((after, super::limit(most, 1_000)), |row| Ok(UnitId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Drops those of these units that no version and no job holds, and answers how many.
pub(in crate::meta) fn drop_units(db: &Connection, pins: &Pins, units: &[UnitId]) -> Outcome<u64> {
    let mut orphan =
        db.prepare_cached(&format!("SELECT 1 FROM unit u WHERE u.id = ?1 AND {ORPHAN}"))?;
    let mut dropped = 0;
    for unit in units {
        if pins.holds_unit(*unit) || !orphan.exists([unit.0])? {
            continue;
        }
        for sql in [
            "DELETE FROM source WHERE repository IN (SELECT id FROM repository) AND unit = ?1",
            "DELETE FROM unit_file WHERE unit = ?1",
            "DELETE FROM unit WHERE id = ?1",
        ] {
            db.prepare_cached(sql)?.execute([unit.0])?;
        }
        dropped += 1;
    }
    Ok(dropped)
}

/// A question about bytes, by their digest.
struct Bytes<'a> {
    find: CachedStatement<'a>,
    unused: CachedStatement<'a>,
}

/// Whether anything refers to bytes.
enum State {
    Used,
    /// Nothing does; this is their row.
    Unused(i64),
    /// They have no row.
    Unknown,
}

impl<'a> Bytes<'a> {
    fn prepare(db: &'a Connection) -> Outcome<Self> {
        Ok(Self {
            find: db.prepare_cached("SELECT id FROM artifact WHERE hash = ?1 AND sha256 = ?2")?,
            unused: db.prepare_cached(&format!(
                "SELECT 1 FROM artifact a WHERE a.id = ?1 AND {UNUSED}"
            ))?,
        })
    }

    fn state(&mut self, digest: Digest) -> Outcome<State> {
        let at = (short(&digest.0), digest.0);
        let id: Option<i64> = self.find.query_row(at, |row| row.get(0)).optional()?;
        match id {
            None => Ok(State::Unknown),
            Some(id) if self.unused.exists([id])? => Ok(State::Unused(id)),
            Some(_) => Ok(State::Used),
        }
    }
}

/// Those of these bytes that nothing in the database refers to but units that no version holds.
pub(in crate::meta) fn unneeded(db: &Connection, digests: &[Digest]) -> Outcome<Vec<Digest>> {
    let mut find = db.prepare_cached("SELECT id FROM artifact WHERE hash = ?1 AND sha256 = ?2")?;
    let mut unneeded =
        db.prepare_cached(&format!("SELECT 1 FROM artifact a WHERE a.id = ?1 AND {UNNEEDED}"))?;
    let mut found = Vec::new();
    for digest in digests {
        let at = (short(&digest.0), digest.0);
        let id: Option<i64> = find.query_row(at, |row| row.get(0)).optional()?;
        if id.map_or(Ok(true), |id| unneeded.exists([id]))? {
            found.push(*digest);
        }
    }
    Ok(found)
}

/// Forgets those of these bytes that nothing refers to and no job holds, and answers them: their files may go, when
/// this is on the disk.
pub(in crate::meta) fn forget(
    db: &Connection,
    pins: &Pins,
    digests: &[Digest],
) -> Outcome<Vec<Digest>> {
    let mut bytes = Bytes::prepare(db)?;
    let mut delete = db.prepare_cached("DELETE FROM artifact WHERE id = ?1")?;
    let mut forgotten = Vec::new();
    for digest in digests {
        let done = match bytes.state(*digest)? {
            State::Used => None,
            State::Unused(row) => pins.unless_held(*digest, || delete.execute([row]).map(drop)),
            State::Unknown => pins.unless_held(*digest, || Ok(())),
        };
        if let Some(done) = done {
            done?;
            forgotten.push(*digest);
        }
    }
    Ok(forgotten)
}

/// Does `remove` for each of these bytes that no row knows and no job holds, and answers the sum of what it answers.
pub(in crate::meta) fn remove_files(
    db: &Connection,
    pins: &Pins,
    digests: &[Digest],
    remove: impl Fn(Digest) -> u64,
) -> Outcome<u64> {
    let mut find = db.prepare_cached("SELECT 1 FROM artifact WHERE hash = ?1 AND sha256 = ?2")?;
    let mut removed = 0;
    for digest in digests {
        if !find.exists((short(&digest.0), digest.0))? {
            removed += pins.unless_held(*digest, || remove(*digest)).unwrap_or(0);
        }
    }
    Ok(removed)
}

/// Forgets bytes that were never here and that nothing refers to: one page of rows from this one on. Answers where to
/// go on, if there is more, and how many.
pub(in crate::meta) fn forget_absent(
    db: &Connection,
    from: i64,
    page: i64,
) -> Outcome<(Option<i64>, u64)> {
    let last: Option<i64> = db
        .prepare_cached(
            "SELECT max(id) FROM (SELECT id FROM artifact WHERE id >= ?1 ORDER BY id LIMIT ?2)",
        )?
        .query_row((from, page), |row| row.get(0))?;
    let Some(last) = last else { return Ok((None, 0)) };
    let gone = db
        .prepare_cached(&format!(
            "DELETE FROM artifact AS a WHERE a.id >= ?1 AND a.id <= ?2 AND NOT a.present AND {UNUSED}"
        ))?
        .execute((from, last))?;
    Ok((Some(last + 1), gone as u64))
}

/// When a job with this operation last ended well, in milliseconds since 1970.
pub(in crate::meta) fn last_run(db: &Connection, operation: &str) -> Outcome<Option<i64>> {
    let sql = "SELECT max(finished_ms) FROM job WHERE operation = ?1 AND state IN ('succeeded', 'partial')";
    Ok(db.prepare_cached(sql)?.query_row([operation], |row| row.get(0))?)
}
