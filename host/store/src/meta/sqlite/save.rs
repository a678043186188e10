//! Stores units, their files and the addresses of their bytes.

use std::collections::{HashMap, HashSet};

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row};

use super::artifacts::Known;
use super::{Outcome, repositories, short, signed, types};
use crate::error::{Error, Thing};
use crate::model::{
    Digest, FileSource, NewArtifact, NewFile, NewUnit, RelativePath, RepositoryId, Saved, Source,
    TypeId, UnitId,
};

/// Notes bytes that are here now, and stores units, or finds them. Answers in the order given.
pub(in crate::meta) fn save_units(
    db: &Connection,
    repository: RepositoryId,
    units: &[NewUnit],
    artifacts: &[NewArtifact],
) -> Outcome<Vec<Saved>> {
    check_types(db, repository, units)?;
    let mut saving = Saving::prepare(db, repository)?;
    for artifact in artifacts {
        saving.artifacts.here(*artifact)?;
    }
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
    find_unit: CachedStatement<'a>,
    insert_unit: CachedStatement<'a>,
    files: CachedStatement<'a>,
    insert_file: CachedStatement<'a>,
    complete_file: CachedStatement<'a>,
    source: CachedStatement<'a>,
}

impl<'a> Saving<'a> {
    fn prepare(db: &'a Connection, repository: RepositoryId) -> Outcome<Self> {
        Ok(Self {
            db,
            repository: repository.0,
            artifacts: Known::prepare(db)?,
            find_unit: db.prepare_cached(
                "SELECT u.id, EXISTS (SELECT 1 FROM membership m
                    WHERE m.repository = ?3 AND m.unit = u.id AND m.removed_in IS NULL)
                 FROM unit u WHERE u.key_hash = ?1 AND u.key_digest = ?2",
            )?,
            insert_unit: db.prepare_cached(
                "INSERT INTO unit (type, key_hash, key_digest, repo_key, key, attributes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            files: db.prepare_cached(FILES)?,
            insert_file: db.prepare_cached(
                "INSERT INTO unit_file (unit, n, path, artifact, size, media_type, digests)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            complete_file: db.prepare_cached(COMPLETE_FILE)?,
            source: db.prepare_cached(
                "INSERT INTO source (repository, unit, n, list) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (repository, unit, n) DO UPDATE SET list = excluded.list
                    WHERE list <> excluded.list",
            )?,
        })
    }

    fn unit(&mut self, unit: &NewUnit) -> Outcome<Saved> {
        let hash = short(&unit.key_digest);
        let read = |row: &Row<'_>| {
            Ok(Saved { unit: UnitId(row.get(0)?), member: row.get(1)?, created: false })
        };
        let found =
            self.find_unit.query_row((hash, unit.key_digest, self.repository), read).optional()?;
        let (saved, mut known) = if let Some(found) = found {
            (found, files(&mut self.files, found.unit)?)
        } else {
            self.insert_unit.execute((
                unit.type_id.0,
                hash,
                unit.key_digest,
                unit.repo_key,
                &unit.key,
                &unit.attributes,
            ))?;
            let id = UnitId(self.db.last_insert_rowid());
            (Saved { unit: id, member: false, created: true }, HashMap::new())
        };
        // Most units have one file, which no other can be held against.
        let only = saved.created && unit.files.len() == 1;
        for file in &unit.files {
            let new = self.file(saved.unit, &unit.key, file, &known)?;
            if !only && let Some(stored) = new {
                known.insert(file.path.to_string(), stored);
            }
        }
        Ok(saved)
    }

    /// Stores a file of a unit. What is new is answered, to be known for the unit's other files.
    fn file(
        &mut self,
        unit: UnitId,
        key: &str,
        file: &NewFile,
        known: &HashMap<String, Stored>,
    ) -> Outcome<Option<Stored>> {
        let artifact = match file.sha256 {
            Some(digest) => Some((self.artifacts.somewhere(digest, file.size)?, digest)),
            None => None,
        };
        if let Some(stored) = known.get(file.path.as_str()) {
            if let Some(artifact) = artifact {
                complete(&mut self.complete_file, (unit, key, &file.path), stored, artifact)?;
            }
            self.sources(unit, stored.n, &file.sources)?;
            return Ok(None);
        }
        let n = i64::try_from(known.len()).unwrap_or(i64::MAX);
        self.insert_file.execute((
            unit.0,
            n,
            file.path.as_str(),
            artifact.map(|(id, _)| id),
            file.size.map(signed),
            &file.media_type,
            further(&file.digests),
        ))?;
        self.sources(unit, n, &file.sources)?;
        Ok(Some(Stored { n, artifact: artifact.map(|(id, digest)| (id, digest.0)) }))
    }

    fn sources(&mut self, unit: UnitId, n: i64, sources: &[Source]) -> Outcome<()> {
        if !sources.is_empty() {
            let list = serde_json::to_string(sources).map_err(|error| unreadable(&error))?;
            self.source.execute((self.repository, unit.0, n, list))?;
        }
        Ok(())
    }
}

/// Digests that are not known from the bytes anyway.
fn further(digests: &[String]) -> String {
    let further = digests.iter().map(String::as_str);
    further.filter(|digest| !digest.starts_with("sha256:")).collect::<Vec<_>>().join(" ")
}

/// A file of a unit, as far as it matters to others that claim to be it.
struct Stored {
    n: i64,
    artifact: Option<(i64, [u8; 32])>,
}

const FILES: &str = "SELECT f.path, f.n, f.artifact, a.sha256 FROM unit_file f
     LEFT JOIN artifact a ON a.id = f.artifact WHERE f.unit = ?1";
const COMPLETE_FILE: &str = "UPDATE unit_file SET artifact = ?3 WHERE unit = ?1 AND n = ?2";

fn files(statement: &mut CachedStatement<'_>, unit: UnitId) -> Outcome<HashMap<String, Stored>> {
    let rows = statement.query_map([unit.0], |row| {
        let artifact = match (row.get(2)?, row.get(3)?) {
            (Some(id), Some(sha256)) => Some((id, sha256)),
            _ => None,
        };
        Ok((row.get(0)?, Stored { n: row.get(1)?, artifact }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes the bytes of a file that is known. They never change: a unit that two sources describe with different bytes is
/// not one unit.
fn complete(
    statement: &mut CachedStatement<'_>,
    (unit, key, path): (UnitId, &str, &RelativePath),
    stored: &Stored,
    (artifact, got): (i64, Digest),
) -> Outcome<()> {
    match stored.artifact {
        Some((known, _)) if known == artifact => Ok(()),
        Some((_, have)) => {
            let (key, path) = (key.to_owned(), path.to_string());
            Err(Error::FileConflict { key, path, have: Digest(have), got }.into())
        }
        None => {
            statement.execute((unit.0, stored.n, artifact))?;
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
    let known = files(&mut db.prepare_cached(FILES)?, unit)?;
    let stored = known.get(path.as_str()).ok_or_else(|| Error::not_found(Thing::File, path))?;
    let id = Known::prepare(db)?.here(artifact)?;
    let mut update = db.prepare_cached(COMPLETE_FILE)?;
    complete(&mut update, (unit, &key, path), stored, (id, artifact.digest))
}

/// The addresses of a file's bytes, of all repositories that name any. There are few repositories and many units, so
/// each repository is asked.
pub(in crate::meta) fn sources(
    db: &Connection,
    unit: UnitId,
    path: &RelativePath,
) -> Outcome<Vec<FileSource>> {
    let mut statement = db.prepare_cached(
        "SELECT r.id, s.list FROM unit_file f CROSS JOIN repository r CROSS JOIN source s
            ON s.repository = r.id AND s.unit = f.unit AND s.n = f.n
         WHERE f.unit = ?1 AND f.path = ?2",
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

/// Takes over addresses of units that a repository has none for.
pub(in crate::meta) fn copy_sources(
    db: &Connection,
    from: RepositoryId,
    to: RepositoryId,
    units: &[UnitId],
) -> Outcome<()> {
    let mut copy = db.prepare_cached(
        "INSERT INTO source (repository, unit, n, list)
         SELECT ?2, unit, n, list FROM source WHERE repository = ?1 AND unit = ?3
         ON CONFLICT (repository, unit, n) DO NOTHING",
    )?;
    for unit in units {
        copy.execute((from.0, to.0, unit.0))?;
    }
    Ok(())
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::Unreadable { what: "a list of sources", problem: error.to_string() }
}
