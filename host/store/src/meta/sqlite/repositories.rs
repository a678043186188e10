//! Repositories.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, jobs, unsigned};
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{Repository, RepositoryId, RepositoryName};

pub(in crate::meta) fn create(
    db: &Connection,
    name: &RepositoryName,
    types: &[String],
) -> Outcome<Repository> {
    if by_name(db, name)?.is_some() {
        return Err(Error::Exists { thing: Thing::Repository, name: name.to_string() }.into());
    }
    let created_ms = clock::now_ms();
    let list = serde_json::Value::from(types).to_string();
    db.prepare_cached(
        "INSERT INTO repository (name, types, created_ms, version, units) VALUES (?1, ?2, ?3, 0, 0)",
    )?
    .execute((name.as_str(), list, created_ms))?;
    let id = RepositoryId(db.last_insert_rowid());
    db.prepare_cached("INSERT INTO version VALUES (?1, 0, ?2, NULL, 0, 0, 0, '')")?
        .execute((id.0, created_ms))?;
    let (name, types) = (name.clone(), types.to_vec());
    Ok(Repository { id, name, types, created_ms, current_version: 0, units: 0 })
}

pub(in crate::meta) fn by_name(db: &Connection, name: &str) -> Outcome<Option<Repository>> {
    one(
        db,
        "SELECT id, name, types, created_ms, version, units FROM repository WHERE name = ?1",
        name,
    )
}

pub(in crate::meta) fn by_id(db: &Connection, id: RepositoryId) -> Outcome<Option<Repository>> {
    one(
        db,
        "SELECT id, name, types, created_ms, version, units FROM repository WHERE id = ?1",
        id.0,
    )
}

/// The repository with this number, or the error that there is none.
pub(super) fn get(db: &Connection, id: RepositoryId) -> Outcome<Repository> {
    by_id(db, id)?.ok_or_else(|| Error::not_found(Thing::Repository, &id).into())
}

fn one(db: &Connection, sql: &str, by: impl rusqlite::ToSql) -> Outcome<Option<Repository>> {
    db.prepare_cached(sql)?.query_row([by], raw).optional()?.map(read).transpose()
}

pub(in crate::meta) fn all(db: &Connection) -> Outcome<Vec<Repository>> {
    let sql = "SELECT id, name, types, created_ms, version, units FROM repository ORDER BY name";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([], raw)?;
    rows.map(|row| row.map_err(Into::into).and_then(read)).collect()
}

type Raw = (i64, String, String, i64, i64, i64);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    row.try_into()
}

fn read((id, name, types, created_ms, version, units): Raw) -> Outcome<Repository> {
    let unreadable = |problem: String| Error::Unreadable { what: "a repository", problem };
    Ok(Repository {
        id: RepositoryId(id),
        name: name.parse().map_err(|error| unreadable(format!("{error}")))?,
        types: serde_json::from_str(&types).map_err(|error| unreadable(error.to_string()))?,
        created_ms,
        current_version: unsigned(version),
        units: unsigned(units),
    })
}

pub(in crate::meta) fn delete(db: &Connection, name: &str) -> Outcome<()> {
    let repository = by_name(db, name)?.ok_or_else(|| Error::not_found(Thing::Repository, name))?;
    if let Some(job) = jobs::open_on(db, "repository", repository.id.0)? {
        let name = name.to_owned();
        return Err(Error::InUse { thing: Thing::Repository, name, job }.into());
    }
    for sql in [
        "DELETE FROM entry WHERE publication IN (SELECT id FROM publication WHERE repository = ?1)",
        "DELETE FROM variant WHERE publication IN (SELECT id FROM publication WHERE repository = ?1)",
        "DELETE FROM membership WHERE repository = ?1",
        "DELETE FROM source WHERE repository = ?1",
        // Versions, attachments, their state and their publications go with it.
        "DELETE FROM repository WHERE id = ?1",
    ] {
        db.execute(sql, [repository.id.0])?;
    }
    Ok(())
}
