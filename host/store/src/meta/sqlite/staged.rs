//! Units as a running migration would have them: checked and kept beside the real ones until the migration is whole.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row};
use serde_json::Value;

use super::{Outcome, short};
use crate::error::Error;
use crate::model::{
    ChangedFile, ChangedUnit, Digest, JobId, TypeDefinition, TypeId, UnitId, canonical_key, rekey,
};

/// Keeps changed units until their migration is applied. A unit that was sent before is replaced. `definitions` are
/// those that hold after the migration, of all types whose units it may change.
///
/// # Errors
///
/// [`Error::UnitChange`] names the first unit that cannot be so.
pub(in crate::meta) fn stage(
    db: &Connection,
    job: JobId,
    definitions: &HashMap<TypeId, TypeDefinition>,
    units: &[ChangedUnit],
) -> Outcome<()> {
    let mut staging = Staging::prepare(db, job, definitions)?;
    units.iter().try_for_each(|unit| staging.unit(unit))
}

/// Keeps every unit of a type that was not staged, with the key that it has under a changed definition.
pub(super) fn stage_rest(
    db: &Connection,
    job: JobId,
    (id, definition): (TypeId, &TypeDefinition),
) -> Outcome<()> {
    let definitions = HashMap::from([(id, definition.clone())]);
    let mut staging = Staging::prepare(db, job, &definitions)?;
    let mut rest = db.prepare(
        "SELECT u.id FROM unit u WHERE u.type = ?1
            AND NOT EXISTS (SELECT 1 FROM migrated_unit s WHERE s.job = ?2 AND s.unit = u.id)",
    )?;
    let rest = rest.query_map((id.0, job.0), |row| Ok(UnitId(row.get(0)?)))?;
    // All before the first one is staged: the question is about the table that is written.
    for unit in rest.collect::<Result<Vec<_>, _>>()? {
        let (key, attributes) = (String::new(), String::new());
        let files = Vec::new();
        staging.unit(&ChangedUnit { unit, type_id: id, key, attributes, files })?;
    }
    Ok(())
}

/// Forgets what a job staged.
pub(in crate::meta) fn discard(db: &Connection, job: JobId) -> Outcome<()> {
    db.prepare_cached("DELETE FROM migrated_unit WHERE job = ?1")?.execute([job.0])?;
    Ok(())
}

/// Forgets what any job staged.
pub(super) fn clear(db: &Connection) -> Outcome<()> {
    db.execute("DELETE FROM migrated_unit", [])?;
    Ok(())
}

struct Staging<'a> {
    job: i64,
    definitions: &'a HashMap<TypeId, TypeDefinition>,
    unit: CachedStatement<'a>,
    first_file: CachedStatement<'a>,
    files: CachedStatement<'a>,
    insert: CachedStatement<'a>,
}

/// A unit as it stands.
struct Standing {
    type_id: TypeId,
    key: String,
    attributes: String,
}

impl<'a> Staging<'a> {
    fn prepare(
        db: &'a Connection,
        job: JobId,
        definitions: &'a HashMap<TypeId, TypeDefinition>,
    ) -> Outcome<Self> {
        Ok(Self {
            job: job.0,
            definitions,
            unit: db.prepare_cached("SELECT type, key, attributes FROM unit WHERE id = ?1")?,
            first_file: db.prepare_cached(
                "SELECT a.sha256 FROM unit_file f JOIN artifact a ON a.id = f.artifact
                 WHERE f.unit = ?1 AND f.n = 0",
            )?,
            files: db.prepare_cached(
                "SELECT f.path, a.sha256, f.media_type FROM unit_file f
                 LEFT JOIN artifact a ON a.id = f.artifact WHERE f.unit = ?1",
            )?,
            insert: db.prepare_cached(
                "INSERT OR REPLACE INTO migrated_unit
                    (job, unit, key_hash, key_digest, repo_key, place, key, attributes, files)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?,
        })
    }

    fn unit(&mut self, changed: &ChangedUnit) -> Outcome<()> {
        let id = changed.unit;
        let read = |row: &Row<'_>| {
            let type_id = TypeId(row.get(0)?);
            Ok(Standing { type_id, key: row.get(1)?, attributes: row.get(2)? })
        };
        let refuse = |key: String, problem: String| Error::UnitChange { key, problem };
        let standing = self.unit.query_row([id.0], read).optional()?;
        let standing = standing
            .ok_or_else(|| refuse(format!("{id}"), "there is no unit of that number".to_owned()))?;
        let own = self.definitions.get(&standing.type_id);
        let definition = own.filter(|_| changed.type_id == standing.type_id).ok_or_else(|| {
            refuse(standing.key.clone(), "it is of another type, or of another plugin".to_owned())
        })?;
        let bad = |error| refuse(standing.key.clone(), format!("{error}"));
        let attributes = changed_text(&standing.attributes, &changed.attributes);
        let (key, attributes) = if changed.key.is_empty() {
            let (key, rekeyed) = rekey(definition, &standing.key, attributes).map_err(bad)?;
            (key, changed_text(attributes, &rekeyed).to_owned())
        } else {
            (changed.key.clone(), attributes.to_owned())
        };
        let first: Option<[u8; 32]> = if definition.unit_key.iter().any(|it| it.from_artifact) {
            self.first_file.query_row([id.0], |row| row.get(0)).optional()?
        } else {
            None
        };
        let first = first.map(Digest);
        let key = canonical_key(definition, &key, &attributes, first.as_ref()).map_err(bad)?;
        let files = self.files(changed)?;
        let place = key.repo_key.as_ref().map(short);
        self.insert.execute((
            self.job,
            id.0,
            short(&key.digest),
            key.digest,
            key.repo_key,
            place,
            key.text,
            attributes,
            files,
        ))?;
        Ok(())
    }

    /// The files as JSON, unless they are those that the unit has.
    fn files(&mut self, changed: &ChangedUnit) -> Outcome<Option<String>> {
        if changed.files.is_empty() {
            return Ok(None);
        }
        let rows = self.files.query_map([changed.unit.0], |row| {
            Ok((row.get(0)?, row.get::<_, Option<[u8; 32]>>(1)?.map(Digest), row.get(2)?))
        })?;
        let had = rows.collect::<Result<Vec<(String, Option<Digest>, String)>, _>>()?;
        let same = |file: &ChangedFile| {
            had.iter().any(|(path, sha256, media_type)| {
                path == file.path.as_str()
                    && sha256 == &file.sha256
                    && (file.media_type.is_empty() || file.media_type == *media_type)
            })
        };
        if had.len() == changed.files.len() && changed.files.iter().all(same) {
            return Ok(None);
        }
        let text = serde_json::to_string(&changed.files);
        let problem = |error: serde_json::Error| Error::Bug {
            what: "a list of files cannot be written",
            problem: error.to_string(),
        };
        Ok(Some(text.map_err(problem)?))
    }
}

/// What is new, unless it is nothing or says the same in another way.
fn changed_text<'a>(old: &'a str, new: &'a str) -> &'a str {
    let value = |text: &str| serde_json::from_str::<Value>(text).ok();
    if new.is_empty() || old == new || value(old) == value(new) { old } else { new }
}
