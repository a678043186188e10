//! Drops versions: those beyond what a repository keeps, or one by hand.
//!
//! Memberships are spans of version numbers, so the rows of the versions that stay need no change when one between
//! them goes: only rows that no version lies in any more are removed. What a version added and removed is counted
//! against the one before it, so the one behind a dropped version is counted anew.

use rusqlite::Connection;

use super::{Outcome, jobs, repositories, signed, unsigned, versions};
use crate::error::{Error, Thing};
use crate::model::RepositoryId;

/// A version is in use as long as a publication shows it, also one that is being made or was superseded a while ago.
const UNUSED: &str = "NOT EXISTS (SELECT 1 FROM publication p
    WHERE p.repository = v.repository AND p.version = v.number)";

/// Drops the versions that a repository does not keep, and answers how many. The empty one and those in use stay.
pub(in crate::meta) fn apply(db: &Connection, id: RepositoryId) -> Outcome<u64> {
    let repository = repositories::get(db, id)?;
    let Some(retain) = repository.retain else { return Ok(0) };
    let sql = format!(
        "SELECT v.number FROM version v WHERE v.repository = ?1 AND v.number > 0 AND v.number < ?2 AND {UNUSED}
            AND (SELECT count(*) FROM version n WHERE n.repository = ?1 AND n.number > v.number) >= ?3
         ORDER BY v.number"
    );
    let at = (id.0, signed(repository.current_version), signed(retain.max(1)));
    let mut statement = db.prepare_cached(&sql)?;
    let numbers = statement.query_map(at, |row| row.get(0))?;
    let numbers = numbers.collect::<Result<Vec<i64>, _>>()?;
    remove(db, id, &numbers)?;
    Ok(numbers.len() as u64)
}

/// Deletes one version.
pub(in crate::meta) fn delete(db: &Connection, name: &str, number: u64) -> Outcome<()> {
    let found = repositories::by_name(db, name)?;
    let repository = found.ok_or_else(|| Error::not_found(Thing::Repository, name))?;
    versions::check(db, repository.id, number)?;
    let kept = |reason| Err(Error::VersionKept { number, reason }.into());
    if number == 0 {
        return kept("every repository begins with it");
    }
    if number == repository.current_version {
        return kept("it is the newest; roll back to another version first");
    }
    if let Some(job) = jobs::open_on(db, "repository", repository.id.0)? {
        return Err(Error::InUse { thing: Thing::Repository, name: name.to_owned(), job }.into());
    }
    let sql =
        format!("SELECT 1 FROM version v WHERE v.repository = ?1 AND v.number = ?2 AND {UNUSED}");
    if !db.prepare_cached(&sql)?.exists((repository.id.0, signed(number)))? {
        return kept("it is published, or was until a while ago; clients may still be reading it");
    }
    remove(db, repository.id, &[signed(number)])
}

/// Removes versions, none of them the newest.
fn remove(db: &Connection, repository: RepositoryId, numbers: &[i64]) -> Outcome<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    let mut delete =
        db.prepare_cached("DELETE FROM version WHERE repository = ?1 AND number = ?2")?;
    for number in numbers {
        delete.execute((repository.0, number))?;
    }
    db.prepare_cached(
        "DELETE FROM membership WHERE repository = ?1 AND removed_in IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM version v
                WHERE v.repository = ?1 AND v.number >= added_in AND v.number < removed_in)",
    )?
    .execute([repository.0])?;
    let mut behind =
        db.prepare_cached("SELECT min(number) FROM version WHERE repository = ?1 AND number > ?2")?;
    let mut counted = None;
    for number in numbers {
        let next: Option<i64> = behind.query_row((repository.0, number), |row| row.get(0))?;
        if next.is_some() && next != counted {
            count(db, repository, unsigned(next.unwrap_or_default()))?;
            counted = next;
        }
    }
    Ok(())
}

/// Counts what a version added to the one that is before it now, and removed.
fn count(db: &Connection, repository: RepositoryId, number: u64) -> Outcome<()> {
    db.prepare_cached(
        "UPDATE version SET (added, removed) = (
            SELECT ifnull(sum(later > earlier), 0), ifnull(sum(earlier > later), 0) FROM (
                SELECT max(m.added_in <= ?2 AND (m.removed_in IS NULL OR m.removed_in > ?2)) AS later,
                    max(m.added_in <= b.number AND (m.removed_in IS NULL OR m.removed_in > b.number)) AS earlier
                FROM membership m CROSS JOIN
                    (SELECT max(number) AS number FROM version WHERE repository = ?1 AND number < ?2) b
                WHERE m.repository = ?1 GROUP BY m.unit))
         WHERE repository = ?1 AND number = ?2",
    )?
    .execute((repository.0, signed(number)))?;
    Ok(())
}
