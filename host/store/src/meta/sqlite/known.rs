//! What is known of units, asked by the thousand: one statement for each key, all on one snapshot.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, short};
use crate::model::{Known, Member, RepositoryId, TypeId, UnitId};

/// Whether all bytes of the unit in column `{}` are here.
macro_rules! complete {
    ($unit:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM unit_file f LEFT JOIN artifact a ON a.id = f.artifact
                WHERE f.unit = ",
            $unit,
            " AND a.present IS NOT 1)"
        )
    };
}

const BY_KEY: &str = concat!(
    "SELECT u.id,
        EXISTS (SELECT 1 FROM membership m
            WHERE m.repository = ?2 AND m.unit = u.id AND m.removed_in IS NULL), ",
    complete!("u.id"),
    " FROM unit u WHERE u.key_hash = ?4 AND u.key_digest = ?1 AND u.type = ?3"
);

const BY_PLACE: &str = concat!(
    "SELECT m.unit, m.revision, ",
    complete!("m.unit"),
    " FROM membership m INDEXED BY membership_place CROSS JOIN unit u ON u.id = m.unit
      WHERE m.repository = ?1 AND m.place = ?2 AND m.removed_in IS NULL AND u.repo_key = ?3"
);

/// What is known of units, by type and key digest, in the order asked.
pub(in crate::meta) fn known(
    db: &Connection,
    repository: RepositoryId,
    keys: &[(TypeId, [u8; 32])],
) -> Outcome<Vec<Option<Known>>> {
    let mut find = db.prepare_cached(BY_KEY)?;
    let read = |row: &Row<'_>| {
        Ok(Known { unit: UnitId(row.get(0)?), member: row.get(1)?, complete: row.get(2)? })
    };
    let mut one = |(type_id, digest): &(TypeId, [u8; 32])| {
        Ok(find.query_row((digest, repository.0, type_id.0, short(digest)), read).optional()?)
    };
    keys.iter().map(&mut one).collect()
}

/// Units of the newest version by their place, in the order asked.
pub(in crate::meta) fn members_by_place(
    db: &Connection,
    repository: RepositoryId,
    places: &[[u8; 32]],
) -> Outcome<Vec<Option<Member>>> {
    let mut find = db.prepare_cached(BY_PLACE)?;
    let read = |row: &Row<'_>| {
        Ok(Member { unit: UnitId(row.get(0)?), revision: row.get(1)?, complete: row.get(2)? })
    };
    let mut one = |digest: &[u8; 32]| {
        Ok(find.query_row((repository.0, short(digest), digest), read).optional()?)
    };
    places.iter().map(&mut one).collect()
}
