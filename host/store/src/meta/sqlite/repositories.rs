//! Repositories.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, jobs, retain, signed, unsigned};
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{Repository, RepositoryChange, RepositoryId, RepositoryName};

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
    get(db, id)
}

pub(in crate::meta) fn by_name(db: &Connection, name: &str) -> Outcome<Option<Repository>> {
    one(db, "name", name)
}

pub(in crate::meta) fn by_id(db: &Connection, id: RepositoryId) -> Outcome<Option<Repository>> {
    one(db, "id", id.0)
}

/// The repository with this number, or the error that there is none.
pub(super) fn get(db: &Connection, id: RepositoryId) -> Outcome<Repository> {
    by_id(db, id)?.ok_or_else(|| Error::not_found(Thing::Repository, &id).into())
}

const COLUMNS: &str = "id, name, types, created_ms, version, units, labels, retain";

fn one(db: &Connection, column: &str, by: impl rusqlite::ToSql) -> Outcome<Option<Repository>> {
    let sql = format!("SELECT {COLUMNS} FROM repository WHERE {column} = ?1");
    db.prepare_cached(&sql)?.query_row([by], raw).optional()?.map(read).transpose()
}

pub(in crate::meta) fn all(db: &Connection) -> Outcome<Vec<Repository>> {
    let sql = format!("SELECT {COLUMNS} FROM repository ORDER BY name");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([], raw)?;
    rows.map(|row| row.map_err(Into::into).and_then(read)).collect()
}

type Raw = (i64, String, String, i64, i64, i64, String, Option<i64>);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    row.try_into()
}

fn read(raw: Raw) -> Outcome<Repository> {
    let (id, name, types, created_ms, version, units, labels, retain) = raw;
    let unreadable = |problem: String| Error::Unreadable { what: "a repository", problem };
    Ok(Repository {
        id: RepositoryId(id),
        name: name.parse().map_err(|error| unreadable(format!("{error}")))?,
        types: serde_json::from_str(&types).map_err(|error| unreadable(error.to_string()))?,
        created_ms,
        current_version: unsigned(version),
        units: unsigned(units),
        labels: serde_json::from_str(&labels).map_err(|error| unreadable(error.to_string()))?,
        retain: retain.map(unsigned),
    })
}

/// Changes what users say of a repository, and answers how it is then.
pub(in crate::meta) fn change(
    db: &Connection,
    name: &str,
    change: &RepositoryChange,
) -> Outcome<Repository> {
    let mut repository =
        by_name(db, name)?.ok_or_else(|| Error::not_found(Thing::Repository, name))?;
    for (label, value) in &change.labels {
        match value {
            Some(value) => drop(repository.labels.insert(label.clone(), value.clone())),
            None => drop(repository.labels.remove(label)),
        }
    }
    if let Some(retain) = change.retain {
        repository.retain = retain;
    }
    let labels = serde_json::json!(repository.labels).to_string();
    db.prepare_cached("UPDATE repository SET labels = ?2, retain = ?3 WHERE id = ?1")?
        .execute((repository.id.0, labels, repository.retain.map(signed)))?;
    if change.retain.is_some() {
        retain::apply(db, repository.id)?;
    }
    Ok(repository)
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
