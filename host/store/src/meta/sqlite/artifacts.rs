//! Bytes that are known by their digest.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use super::{Outcome, short, signed, unsigned};
use crate::model::{Digest, NewArtifact};

/// The sizes of bytes that are here, in the order asked.
pub(in crate::meta) fn sizes(db: &Connection, digests: &[Digest]) -> Outcome<Vec<Option<u64>>> {
    let mut find =
        db.prepare_cached("SELECT size FROM artifact WHERE hash = ?1 AND sha256 = ?2 AND present")?;
    let mut size = |digest: &Digest| {
        let at = (short(&digest.0), digest.0);
        let size: Option<i64> = find.query_row(at, |row| row.get(0)).optional()?;
        Ok(size.map(unsigned))
    };
    digests.iter().map(&mut size).collect()
}

/// Notes bytes that are here now.
pub(in crate::meta) fn save(db: &Connection, artifacts: &[NewArtifact]) -> Outcome<()> {
    let mut known = Known::prepare(db)?;
    artifacts.iter().try_for_each(|artifact| known.here(*artifact).map(drop))
}

/// The table, with its statements at hand.
pub(super) struct Known<'a> {
    db: &'a Connection,
    find: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    arrived: CachedStatement<'a>,
    /// Rows that were looked up for this operation already.
    rows: HashMap<Digest, i64>,
}

impl<'a> Known<'a> {
    pub(super) fn prepare(db: &'a Connection) -> Outcome<Self> {
        Ok(Self {
            db,
            find: db.prepare_cached("SELECT id FROM artifact WHERE hash = ?1 AND sha256 = ?2")?,
            insert: db.prepare_cached(
                "INSERT INTO artifact (hash, sha256, size, present) VALUES (?1, ?2, ?3, ?4)",
            )?,
            arrived: db.prepare_cached(
                "UPDATE artifact SET present = 1, lost = 0, size = ?2 WHERE id = ?1 AND NOT present",
            )?,
            rows: HashMap::new(),
        })
    }

    /// The row of bytes that are here now.
    pub(super) fn here(&mut self, artifact: NewArtifact) -> Outcome<i64> {
        let (id, new) = self.row(artifact.digest, Some(artifact.size), true)?;
        if !new {
            self.arrived.execute((id, signed(artifact.size)))?;
        }
        Ok(id)
    }

    /// The row of bytes, wherever they are.
    pub(super) fn somewhere(&mut self, digest: Digest, size: Option<u64>) -> Outcome<i64> {
        Ok(self.row(digest, size, false)?.0)
    }

    /// The row, and whether it is new.
    fn row(&mut self, digest: Digest, size: Option<u64>, here: bool) -> Outcome<(i64, bool)> {
        if let Some(id) = self.rows.get(&digest) {
            return Ok((*id, false));
        }
        let hash = short(&digest.0);
        let found = self.find.query_row((hash, digest.0), |row| row.get(0)).optional()?;
        let id = if let Some(id) = found {
            id
        } else {
            self.insert.execute((hash, digest.0, size.map(signed), here))?;
            self.db.last_insert_rowid()
        };
        self.rows.insert(digest, id);
        Ok((id, found.is_none()))
    }
}
