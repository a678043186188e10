//! The files of migrated units: other paths and media types, and further files whose bytes are here.
//!
//! A file's bytes never change, and none goes away: versions that hold the unit promised them, and publications may show
//! them. A publication that shows a file by its path in the unit follows it to its new path, and shows it where it did.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use super::Outcome;
use super::artifacts::{self, Known};
use crate::error::Error;
use crate::model::{ChangedFile, Digest, JobId};

/// A file as it stands.
struct Stored {
    n: i64,
    path: String,
    sha256: Option<Digest>,
}

/// Writes the files of all staged units that have others now.
pub(super) fn files(db: &Connection, job: JobId) -> Outcome<()> {
    let mut staged = db.prepare_cached(
        "SELECT s.unit, s.files, s.key FROM migrated_unit s
         WHERE s.job = ?1 AND s.files IS NOT NULL ORDER BY s.unit",
    )?;
    let mut staged = staged.query([job.0])?;
    let mut relinking = None;
    while let Some(row) = staged.next()? {
        let relinking = match &mut relinking {
            Some(relinking) => relinking,
            none => none.insert(Relinking::prepare(db)?),
        };
        let (text, key): (String, String) = (row.get(1)?, row.get(2)?);
        let files: Vec<ChangedFile> = serde_json::from_str(&text).map_err(|error| {
            Error::Unreadable { what: "a list of files", problem: error.to_string() }
        })?;
        relinking.unit(row.get(0)?, &key, &files)?;
    }
    match relinking {
        Some(relinking) => relinking.follow(),
        None => Ok(()),
    }
}

struct Relinking<'a> {
    db: &'a Connection,
    artifacts: Known<'a>,
    stored: CachedStatement<'a>,
    change: CachedStatement<'a>,
    add: CachedStatement<'a>,
    renamed: CachedStatement<'a>,
}

impl<'a> Relinking<'a> {
    fn prepare(db: &'a Connection) -> Outcome<Self> {
        db.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS renamed_file (
                unit INTEGER NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY (unit, old)
             ) WITHOUT ROWID;
             DELETE FROM renamed_file",
        )?;
        Ok(Self {
            db,
            artifacts: Known::prepare(db)?,
            stored: db.prepare_cached(
                "SELECT f.n, f.path, a.sha256 FROM unit_file f
                 LEFT JOIN artifact a ON a.id = f.artifact WHERE f.unit = ?1 ORDER BY f.n",
            )?,
            change: db.prepare_cached(
                "UPDATE unit_file SET path = ?3, artifact = coalesce(artifact, ?4),
                    media_type = CASE ?5 WHEN '' THEN media_type ELSE ?5 END
                 WHERE unit = ?1 AND n = ?2",
            )?,
            add: db.prepare_cached(
                "INSERT INTO unit_file (unit, n, path, artifact, media_type, digests)
                 VALUES (?1, ?2, ?3, ?4, ?5, '')",
            )?,
            renamed: db.prepare_cached("INSERT INTO renamed_file VALUES (?1, ?2, ?3)")?,
        })
    }

    fn unit(&mut self, unit: i64, key: &str, files: &[ChangedFile]) -> Outcome<()> {
        let refuse = |problem| Error::UnitChange { key: key.to_owned(), problem };
        let rows = self.stored.query_map([unit], |row| {
            let sha256: Option<[u8; 32]> = row.get(2)?;
            Ok(Stored { n: row.get(0)?, path: row.get(1)?, sha256: sha256.map(Digest) })
        })?;
        let mut left = rows.collect::<Result<Vec<_>, _>>()?;
        let mut next = i64::try_from(left.len()).unwrap_or(i64::MAX);
        for (place, file) in files.iter().enumerate() {
            if files.iter().take(place).any(|other| other.path == file.path) {
                return Err(refuse(format!("it names the file {} twice", file.path)).into());
            }
        }
        // Files that keep their path are settled first: another one may have the same bytes.
        let (same, others): (Vec<&ChangedFile>, Vec<&ChangedFile>) = files
            .iter()
            .partition(|file| left.iter().any(|stored| stored.path == file.path.as_str()));
        for file in same.into_iter().chain(others) {
            if let Some(place) = claimed(&left, file) {
                let stored = left.swap_remove(place);
                self.change(unit, &stored, file)?;
            } else if self.add(unit, next, file)? {
                next += 1;
            } else {
                let path = &file.path;
                return Err(refuse(format!(
                    "it has no file {path}, and a migration brings no bytes"
                ))
                .into());
            }
        }
        match left.first() {
            Some(gone) => {
                Err(refuse(format!("a migration takes no file away, and {} is gone", gone.path))
                    .into())
            }
            None => Ok(()),
        }
    }

    fn change(&mut self, unit: i64, stored: &Stored, file: &ChangedFile) -> Outcome<()> {
        let artifact = match (stored.sha256, file.sha256) {
            (None, Some(digest)) => Some(self.artifacts.somewhere(digest, None)?),
            _ => None,
        };
        let path = file.path.as_str();
        self.change.execute((unit, stored.n, path, artifact, &file.media_type))?;
        if stored.path != path {
            self.renamed.execute((unit, &stored.path, path))?;
        }
        Ok(())
    }

    /// Adds a file, and says whether its bytes are here: else it is not added.
    fn add(&mut self, unit: i64, n: i64, file: &ChangedFile) -> Outcome<bool> {
        let Some(digest) = file.sha256 else { return Ok(false) };
        if artifacts::sizes(self.db, &[digest])?.first().copied().flatten().is_none() {
            return Ok(false);
        }
        let artifact = self.artifacts.somewhere(digest, None)?;
        let row = (unit, n, file.path.as_str(), artifact, &file.media_type);
        self.add.execute(row)?;
        Ok(true)
    }

    /// Publications show renamed files where they showed them.
    fn follow(self) -> Outcome<()> {
        let any: Option<i64> = self
            .db
            .query_row("SELECT 1 FROM renamed_file LIMIT 1", [], |row| row.get(0))
            .optional()?;
        if any.is_some() {
            self.db.execute(
                "UPDATE entry SET unit_path = (SELECT r.new FROM renamed_file r
                    WHERE r.unit = entry.unit AND r.old = coalesce(entry.unit_path, entry.path))
                 WHERE unit IS NOT NULL AND EXISTS (SELECT 1 FROM renamed_file r
                    WHERE r.unit = entry.unit AND r.old = coalesce(entry.unit_path, entry.path))",
                [],
            )?;
        }
        Ok(())
    }
}

/// Which of the files that are left this one is: the one with its path, else the one with its bytes.
fn claimed(left: &[Stored], file: &ChangedFile) -> Option<usize> {
    let fits = |stored: &Stored| match (stored.sha256, file.sha256) {
        (Some(have), Some(wanted)) => have == wanted,
        _ => true,
    };
    left.iter().position(|stored| stored.path == file.path.as_str() && fits(stored)).or_else(|| {
        let same = |stored: &Stored| file.sha256.is_some() && stored.sha256 == file.sha256;
        left.iter().position(same)
    })
}
