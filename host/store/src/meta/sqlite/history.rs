//! Questions about what runs did, and forgetting them.

use rusqlite::Connection;

use super::{Outcome, limit, signed, unsigned};
use crate::model::{JobId, RepositoryId, Since};

pub(in crate::meta) fn since(
    db: &Connection,
    repository: RepositoryId,
    version: u64,
) -> Outcome<Since> {
    let sql = "SELECT
            EXISTS (SELECT 1 FROM membership WHERE repository = ?1 AND added_in > ?2),
            EXISTS (SELECT 1 FROM membership WHERE repository = ?1 AND removed_in > ?2)";
    let read = |row: &rusqlite::Row<'_>| Ok(Since { added: row.get(0)?, removed: row.get(1)? });
    Ok(db.prepare_cached(sql)?.query_row((repository.0, signed(version)), read)?)
}

pub(in crate::meta) fn updated_in(
    db: &Connection,
    repository: RepositoryId,
    version: u64,
) -> Outcome<u64> {
    let sql = "SELECT count(*) FROM membership
         WHERE repository = ?1 AND added_in = ?2 AND place IN
            (SELECT place FROM membership WHERE repository = ?1 AND removed_in = ?2)";
    let values = (repository.0, signed(version));
    Ok(unsigned(db.prepare_cached(sql)?.query_row(values, |row| row.get(0))?))
}

pub(in crate::meta) fn units_by_type(
    db: &Connection,
    repository: RepositoryId,
) -> Outcome<Vec<(String, u64)>> {
    let mut statement = db.prepare_cached(
        "SELECT t.name, count(*) FROM membership m JOIN unit u ON u.id = m.unit
            JOIN type t ON t.id = u.type
         WHERE m.repository = ?1 AND m.removed_in IS NULL
         GROUP BY t.name ORDER BY t.name",
    )?;
    let rows = statement.query_map([repository.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<Result<Vec<(String, i64)>, _>>()?;
    Ok(rows.into_iter().map(|(name, units)| (name, unsigned(units))).collect())
}

/// Jobs are forgotten in the order of their numbers: one whose time lies in the future does not keep those behind it
/// that are older than the bound (F97).
pub(in crate::meta) fn reap_jobs(
    db: &Connection,
    before_ms: i64,
    most: usize,
) -> Outcome<Vec<JobId>> {
    let mut statement = db.prepare_cached(
        "DELETE FROM job WHERE id IN (
            SELECT id FROM job
            WHERE state NOT IN ('queued', 'blocked', 'running', 'cancelling') AND finished_ms < ?1
            ORDER BY id LIMIT ?2)
         RETURNING id",
    )?;
    let ids = statement.query_map((before_ms, limit(most, 1_000)), |row| row.get(0))?;
    Ok(ids.collect::<Result<Vec<i64>, _>>()?.into_iter().map(JobId).collect())
}
