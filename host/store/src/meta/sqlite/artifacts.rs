//! Bytes that are known by their digest.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use super::{Outcome, signed, unsigned};
use crate::model::{Digest, NewArtifact};

/// The sizes of bytes that are here, in the order asked.
pub(in crate::meta) fn sizes(db: &Connection, digests: &[Digest]) -> Outcome<Vec<Option<u64>>> {
    let mut find = db.prepare_cached("SELECT size FROM artifact WHERE sha256 = ?1 AND present")?;
    let mut size = |digest: &Digest| {
        let size: Option<i64> = find.query_row([digest.0], |row| row.get(0)).optional()?;
        Ok(size.map(unsigned))
    };
    digests.iter().map(&mut size).collect()
}

/// Notes bytes that are here now.
pub(in crate::meta) fn save(db: &Connection, artifacts: &[NewArtifact]) -> Outcome<()> {
    if artifacts.is_empty() {
        return Ok(());
    }
    let mut known = Known::prepare(db)?;
    for artifact in artifacts {
        known.here(*artifact)?;
    }
    Ok(())
}

/// The table, with its statements at hand.
pub(super) struct Known<'a> {
    db: &'a Connection,
    find: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    arrived: CachedStatement<'a>,
}

impl<'a> Known<'a> {
    pub(super) fn prepare(db: &'a Connection) -> Outcome<Self> {
        Ok(Self {
            db,
            find: db.prepare_cached("SELECT id FROM artifact WHERE sha256 = ?1")?,
            insert: db.prepare_cached(
                "INSERT INTO artifact (sha256, size, present) VALUES (?1, ?2, ?3)
                 ON CONFLICT (sha256) DO NOTHING",
            )?,
            arrived: db.prepare_cached(
                "UPDATE artifact SET present = 1, size = ?2 WHERE id = ?1 AND NOT present",
            )?,
        })
    }

    /// The row of bytes that are here now.
    pub(super) fn here(&mut self, artifact: NewArtifact) -> Outcome<i64> {
        let size = signed(artifact.size);
        if self.insert.execute((artifact.digest.0, size, true))? > 0 {
            return Ok(self.db.last_insert_rowid());
        }
        let id = self.find(artifact.digest)?;
        self.arrived.execute((id, size))?;
        Ok(id)
    }

    /// The row of bytes, wherever they are.
    pub(super) fn somewhere(&mut self, digest: Digest, size: Option<u64>) -> Outcome<i64> {
        // Most are known: their bytes were noted just before.
        if let Some(id) = self.find.query_row([digest.0], |row| row.get(0)).optional()? {
            return Ok(id);
        }
        self.insert.execute((digest.0, size.map(signed), false))?;
        Ok(self.db.last_insert_rowid())
    }

    fn find(&mut self, digest: Digest) -> Outcome<i64> {
        Ok(self.find.query_row([digest.0], |row| row.get(0))?)
    }
}
