//! Stores units, their files and the addresses of their bytes.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row};

use super::artifacts::Known;
use super::{Outcome, repositories, signed, types};
use crate::error::{Error, Thing};
use crate::model::{
    Digest, FileSource, NewArtifact, NewFile, NewUnit, RelativePath, RepositoryId, Saved, Source,
    TypeId, UnitId,
};

/// Stores units, or finds them. Answers in the order given.
pub(in crate::meta) fn save_units(
    db: &Connection,
    repository: RepositoryId,
    units: &[NewUnit],
) -> Outcome<Vec<Saved>> {
    if units.is_empty() {
        return Ok(Vec::new());
    }
    check_types(db, repository, units)?;
    let mut saving = Saving::prepare(db, repository)?;
    units.iter().map(|unit| saving.unit(unit)).collect()
}

/// A repository that names its types takes no others.
fn check_types(db: &Connection, id: RepositoryId, units: &[NewUnit]) -> Outcome<()> {
    let repository = repositories::get(db, id)?;
    if repository.types.is_empty() {
        return Ok(());
    }
    let ids: HashSet<TypeId> = units.iter().map(|unit| unit.type_id).collect();
    for id in ids {
        let definition = types::by_id(db, id)?;
        let type_name = definition
            .ok_or_else(|| Error::not_found(Thing::Type, &id))
            .map(|definition| definition.id)?;
        if !repository.types.contains(&type_name) {
            let repository = repository.name.to_string();
            return Err(Error::TypeNotTaken { repository, type_name }.into());
        }
    }
    Ok(())
}

/// The tables of units, with their statements at hand.
struct Saving<'a> {
    db: &'a Connection,
    repository: i64,
    artifacts: Known<'a>,
    insert_unit: CachedStatement<'a>,
    find_unit: CachedStatement<'a>,
    insert_file: CachedStatement<'a>,
    find_file: CachedStatement<'a>,
    complete_file: CachedStatement<'a>,
    source: CachedStatement<'a>,
}

impl<'a> Saving<'a> {
    fn prepare(db: &'a Connection, repository: RepositoryId) -> Outcome<Self> {
        Ok(Self {
            db,
            repository: repository.0,
            artifacts: Known::prepare(db)?,
            insert_unit: db.prepare_cached(
                "INSERT INTO unit (type, key_digest, repo_key, key, attributes)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key_digest) DO NOTHING",
            )?,
            find_unit: db.prepare_cached(
                "SELECT u.id, EXISTS (SELECT 1 FROM membership m
                    WHERE m.repository = ?2 AND m.unit = u.id AND m.removed_in IS NULL)
                 FROM unit u WHERE u.key_digest = ?1",
            )?,
            insert_file: db.prepare_cached(
                "INSERT INTO unit_file (unit, path, artifact, size, media_type, digests)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (unit, path) DO NOTHING",
            )?,
            find_file: db.prepare_cached(FIND_FILE)?,
            complete_file: db.prepare_cached(COMPLETE_FILE)?,
            source: db.prepare_cached(
                "INSERT INTO source (repository, unit, path, list) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (repository, unit, path) DO UPDATE SET list = excluded.list
                    WHERE list <> excluded.list",
            )?,
        })
    }

    fn unit(&mut self, unit: &NewUnit) -> Outcome<Saved> {
        let created = self.insert_unit.execute((
            unit.type_id.0,
            unit.key_digest,
            unit.repo_key,
            &unit.key,
            &unit.attributes,
        ))? > 0;
        let saved = if created {
            Saved { unit: UnitId(self.db.last_insert_rowid()), member: false, created }
        } else {
            let read = |row: &Row<'_>| {
                Ok(Saved { unit: UnitId(row.get(0)?), member: row.get(1)?, created })
            };
            self.find_unit.query_row((unit.key_digest, self.repository), read)?
        };
        for file in &unit.files {
            self.file(saved.unit, unit, file)?;
        }
        Ok(saved)
    }

    fn file(&mut self, id: UnitId, unit: &NewUnit, file: &NewFile) -> Outcome<()> {
        let artifact = match file.sha256 {
            Some(digest) => Some(self.artifacts.somewhere(digest, file.size)?),
            None => None,
        };
        let inserted = self.insert_file.execute((
            id.0,
            file.path.as_str(),
            artifact,
            file.size.map(signed),
            &file.media_type,
            file.digests.join(" "),
        ))? > 0;
        if !inserted && let (Some(artifact), Some(digest)) = (artifact, file.sha256) {
            let statements = (&mut self.find_file, &mut self.complete_file);
            complete(statements, id, &file.path, (artifact, digest), &unit.key)?;
        }
        if !file.sources.is_empty() {
            let list = serde_json::to_string(&file.sources).map_err(|error| unreadable(&error))?;
            self.source.execute((self.repository, id.0, file.path.as_str(), list))?;
        }
        Ok(())
    }
}

const FIND_FILE: &str = "SELECT f.artifact, a.sha256 FROM unit_file f
     LEFT JOIN artifact a ON a.id = f.artifact WHERE f.unit = ?1 AND f.path = ?2";
const COMPLETE_FILE: &str = "UPDATE unit_file SET artifact = ?3 WHERE unit = ?1 AND path = ?2";

/// Notes the bytes of a file that is known. They never change: a unit that two sources describe with different bytes is
/// not one unit.
fn complete(
    (find, complete): (&mut CachedStatement<'_>, &mut CachedStatement<'_>),
    unit: UnitId,
    path: &RelativePath,
    (artifact, digest): (i64, Digest),
    key: &str,
) -> Outcome<()> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let stored: Option<(Option<i64>, Option<[u8; 32]>)> =
        find.query_row((unit.0, path.as_str()), read).optional()?;
    match stored {
        None => Err(Error::not_found(Thing::File, path).into()),
        Some((Some(stored), _)) if stored == artifact => Ok(()),
        Some((_, Some(have))) => {
            let (key, path) = (key.to_owned(), path.to_string());
            Err(Error::FileConflict { key, path, have: Digest(have), got: digest }.into())
        }
        Some((_, None)) => {
            complete.execute((unit.0, path.as_str(), artifact))?;
            Ok(())
        }
    }
}

/// Notes that the bytes of a unit's file came.
pub(in crate::meta) fn artifact_added(
    db: &Connection,
    unit: UnitId,
    path: &RelativePath,
    artifact: NewArtifact,
) -> Outcome<()> {
    let key: Option<String> = db
        .prepare_cached("SELECT key FROM unit WHERE id = ?1")?
        .query_row([unit.0], |row| row.get(0))
        .optional()?;
    let key = key.ok_or_else(|| Error::not_found(Thing::Unit, &unit))?;
    let id = Known::prepare(db)?.here(artifact)?;
    let mut find = db.prepare_cached(FIND_FILE)?;
    let mut update = db.prepare_cached(COMPLETE_FILE)?;
    complete((&mut find, &mut update), unit, path, (id, artifact.digest), &key)
}

/// The addresses of a file's bytes, of all repositories that name any. There are few repositories and many units, so
/// each repository is asked.
pub(in crate::meta) fn sources(
    db: &Connection,
    unit: UnitId,
    path: &RelativePath,
) -> Outcome<Vec<FileSource>> {
    let mut statement = db.prepare_cached(
        "SELECT r.id, s.list FROM repository r CROSS JOIN source s
            ON s.repository = r.id AND s.unit = ?1 AND s.path = ?2",
    )?;
    let rows = statement.query_map((unit.0, path.as_str()), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (repository, list) = row?;
        let list: Vec<Source> = serde_json::from_str(&list).map_err(|error| unreadable(&error))?;
        let repository = RepositoryId(repository);
        found.extend(list.into_iter().map(|source| FileSource { repository, source }));
    }
    Ok(found)
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::Unreadable { what: "a list of sources", problem: error.to_string() }
}
