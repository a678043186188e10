//! Which bytes should be here, and who uses them.

use rusqlite::{Connection, OptionalExtension as _};

use super::{Outcome, search, short, unsigned};
use crate::model::{Digest, RelativePath, RepositoryId, Stored, UnitId, Usage};

/// Users of the same bytes that are told.
const USERS: i64 = 100;

/// Bytes of any version or publication of repository ?1; NULL: of all. They are here, or were lost and are needed: by a
/// version, or by what is published now.
const WANTED: &str = "(a.present OR a.lost AND (
        EXISTS (SELECT 1 FROM unit_file f CROSS JOIN repository r CROSS JOIN membership m
            ON m.repository = r.id AND m.unit = f.unit WHERE f.artifact = a.id)
        OR EXISTS (SELECT 1 FROM entry e CROSS JOIN publication p ON p.id = e.publication AND p.state = 1
            WHERE e.artifact = a.id AND e.unit IS NULL)))
    AND (?1 IS NULL
    OR EXISTS (SELECT 1 FROM unit_file f CROSS JOIN membership m ON m.repository = ?1 AND m.unit = f.unit
        WHERE f.artifact = a.id)
    OR EXISTS (SELECT 1 FROM entry e CROSS JOIN publication p ON p.id = e.publication AND p.repository = ?1
        WHERE e.artifact = a.id AND e.unit IS NULL))";

/// How many that are, and how many bytes in all.
pub(in crate::meta) fn count(
    db: &Connection,
    repository: Option<RepositoryId>,
) -> Outcome<(u64, u64)> {
    let sql = format!("SELECT count(*), ifnull(sum(a.size), 0) FROM artifact a WHERE {WANTED}");
    let of = repository.map(|id| id.0);
    Ok(db
        .prepare_cached(&sql)?
        .query_row([of], |row| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?))))?)
}

/// A page of them, behind this row.
pub(in crate::meta) fn page(
    db: &Connection,
    repository: Option<RepositoryId>,
    after: i64,
    most: i64,
) -> Outcome<Vec<Stored>> {
    let sql = format!(
        "SELECT a.id, a.sha256, ifnull(a.size, 0), a.lost FROM artifact a WHERE {WANTED} AND a.id > ?2
         ORDER BY a.id LIMIT ?3"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map((repository.map(|id| id.0), after, most), |row| {
        let (digest, size) = (Digest(row.get(1)?), unsigned(row.get(2)?));
        Ok(Stored { row: row.get(0)?, digest, size, lost: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes that bytes are not here any more.
pub(in crate::meta) fn lost(db: &Connection, digest: Digest) -> Outcome<()> {
    db.prepare_cached("UPDATE artifact SET present = 0, lost = 1 WHERE hash = ?1 AND sha256 = ?2")?
        .execute((short(&digest.0), digest.0))?;
    Ok(())
}

/// Notes that lost bytes are here again.
pub(in crate::meta) fn found(db: &Connection, digest: Digest) -> Outcome<()> {
    let sql = "UPDATE artifact SET present = 1, lost = 0 WHERE hash = ?1 AND sha256 = ?2 AND lost";
    db.prepare_cached(sql)?.execute((short(&digest.0), digest.0))?;
    Ok(())
}

/// The importers of repositories whose newest versions need these bytes have to look at everything again.
pub(in crate::meta) fn incomplete(db: &Connection, digest: Digest) -> Outcome<()> {
    db.prepare_cached(
        "UPDATE attachment SET last_outcome = 'partial'
         WHERE role = 'importer' AND last_outcome = 'succeeded' AND EXISTS
            (SELECT 1 FROM artifact a CROSS JOIN unit_file f ON f.artifact = a.id
                CROSS JOIN membership m ON m.repository = attachment.repository AND m.unit = f.unit
             WHERE a.hash = ?1 AND a.sha256 = ?2 AND m.removed_in IS NULL)",
    )?
    .execute((short(&digest.0), digest.0))?;
    Ok(())
}

/// Files of units that are these bytes.
pub(in crate::meta) fn usages(db: &Connection, digest: Digest) -> Outcome<Vec<Usage>> {
    let mut statement = db.prepare_cached(
        "SELECT f.unit, f.path, t.name, u.key FROM artifact a
            CROSS JOIN unit_file f ON f.artifact = a.id
            CROSS JOIN unit u ON u.id = f.unit CROSS JOIN type t ON t.id = u.type
         WHERE a.hash = ?1 AND a.sha256 = ?2 ORDER BY f.unit LIMIT ?3",
    )?;
    let rows = statement.query_map((short(&digest.0), digest.0, USERS), |row| {
        Ok(Usage {
            unit: UnitId(row.get(0)?),
            path: RelativePath::stored(row.get(1)?),
            type_name: row.get(2)?,
            key: row.get(3)?,
            holdings: Vec::new(),
        })
    })?;
    let mut found = rows.collect::<Result<Vec<_>, _>>()?;
    for usage in &mut found {
        usage.holdings = search::holdings(db, usage.unit)?;
    }
    Ok(found)
}

/// A published file that is these bytes and no unit's: where clients find it.
pub(in crate::meta) fn published(db: &Connection, digest: Digest) -> Outcome<Option<String>> {
    let sql = "SELECT t.path || '/' || e.path FROM artifact a
            CROSS JOIN entry e ON e.artifact = a.id AND e.unit IS NULL
            CROSS JOIN publication p ON p.id = e.publication
            CROSS JOIN attachment t ON t.id = p.attachment
         WHERE a.hash = ?1 AND a.sha256 = ?2 ORDER BY p.state LIMIT 1";
    let at = (short(&digest.0), digest.0);
    Ok(db.prepare_cached(sql)?.query_row(at, |row| row.get(0)).optional()?)
}
