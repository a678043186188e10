//! Representations of published paths: one path, several files, the client's choice.

use rusqlite::{Connection, OptionalExtension as _};

use super::Outcome;
use super::publications::{below, building};
use crate::error::{Error, Thing};
use crate::model::{Lease, NewVariant, PublicationId, Variant};

pub(in crate::meta) fn save(
    db: &Connection,
    lease: Lease,
    id: PublicationId,
    variants: &[NewVariant],
) -> Outcome<()> {
    building(db, lease, id)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO variant (publication, path, n, target, media_type, also, encoding)
         SELECT ?1, ?2, count(*), ?3, ?4, ?5, ?6 FROM variant WHERE publication = ?1 AND path = ?2",
    )?;
    for variant in variants {
        let also = variant.also.join(" ");
        let target = variant.target.as_str();
        let row = (id.0, &variant.path, target, &variant.media_type, also, &variant.encoding);
        insert.execute(row)?;
    }
    Ok(())
}

/// Takes over those of an earlier publication below a folder.
pub(super) fn reuse(
    db: &Connection,
    id: PublicationId,
    previous: PublicationId,
    prefix: &str,
) -> Outcome<()> {
    let (low, high) = below(prefix);
    db.prepare_cached(
        "INSERT INTO variant SELECT ?1, path, n, target, media_type, also, encoding
         FROM variant WHERE publication = ?2 AND path >= ?3 AND path < ?4",
    )?
    .execute((id.0, previous.0, low, high))?;
    Ok(())
}

/// Each has its file, and none stands in the place of a file.
pub(super) fn check(db: &Connection, id: PublicationId) -> Outcome<()> {
    let wrong: Option<(String, String, bool)> = db
        .prepare_cached(
            "SELECT v.path, v.target, EXISTS
                (SELECT 1 FROM entry e WHERE e.publication = ?1 AND e.path = v.path) AS taken
             FROM variant v WHERE v.publication = ?1 AND (taken OR NOT EXISTS
                (SELECT 1 FROM entry e WHERE e.publication = ?1 AND e.path = v.target)) LIMIT 1",
        )?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match wrong {
        None => Ok(()),
        Some((path, _, true)) => Err(Error::PathConflict { other: path.clone(), path }.into()),
        Some((_, target, false)) => Err(Error::not_found(Thing::File, &target).into()),
    }
}

/// The variants of a path, in their order.
pub(super) fn of_path(
    db: &Connection,
    publication: PublicationId,
    path: &str,
) -> Outcome<Vec<Variant>> {
    let mut statement = db.prepare_cached(
        "SELECT target, media_type, also, encoding FROM variant
         WHERE publication = ?1 AND path = ?2 ORDER BY n",
    )?;
    let rows = statement.query_map((publication.0, path), |row| {
        let also: String = row.get(2)?;
        Ok(Variant {
            publication,
            target: row.get(0)?,
            media_type: row.get(1)?,
            also: also.split_whitespace().map(str::to_owned).collect(),
            encoding: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
