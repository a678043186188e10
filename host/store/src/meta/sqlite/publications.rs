//! Publications: made unseen, shown in one step.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row};

use super::headers::Headers;
use super::{Outcome, attachments, query, short, signed, unsigned, variants, versions};
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{
    AttachmentId, EntryFrom, JobId, LastRun, Lease, NewEntry, Publication, PublicationId,
    PublicationState, RepositoryId, TypeId, UnitId,
};

const BUILDING: i64 = 0;
const LIVE: i64 = 1;
const SUPERSEDED: i64 = 2;

const INSERT: &str = "INSERT INTO entry
        (publication, path, artifact, unit, unit_path, media_type, modified_ms, entry_point, redirect, headers)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (publication, path) DO NOTHING";

pub(in crate::meta) fn begin(
    db: &Connection,
    lease: Lease,
    id: AttachmentId,
    version: u64,
) -> Outcome<PublicationId> {
    let attachment =
        attachments::by_id(db, id)?.ok_or_else(|| Error::not_found(Thing::Attachment, &id))?;
    versions::check(db, attachment.repository, version)?;
    let now = clock::now_ms();
    drop_where(db, "attachment = ?1 AND state = 2 AND expires_ms <= ?2", [id.0, now])?;
    db.prepare_cached(
        "INSERT INTO publication (attachment, repository, version, job, state, created_ms, entries)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
    )?
    .execute((id.0, attachment.repository.0, signed(version), lease.job.0, BUILDING, now))?;
    Ok(PublicationId(db.last_insert_rowid()))
}

fn drop_where(db: &Connection, which: &str, values: impl rusqlite::Params) -> Outcome<()> {
    let mut statement = db.prepare_cached(&format!("SELECT id FROM publication WHERE {which}"))?;
    let ids = statement.query_map(values, |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    for id in ids {
        db.prepare_cached("DELETE FROM entry WHERE publication = ?1")?.execute([id])?;
        db.prepare_cached("DELETE FROM variant WHERE publication = ?1")?.execute([id])?;
        db.prepare_cached("DELETE FROM publication WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}

/// Drops a superseded publication whose time is over. Says whether it was there.
pub(super) fn drop_superseded(db: &Connection, id: PublicationId, now_ms: i64) -> Outcome<bool> {
    let there = by_id(db, id)?.is_some();
    drop_where(db, "id = ?1 AND state = 2 AND expires_ms <= ?2", [id.0, now_ms])?;
    Ok(there && by_id(db, id)?.is_none())
}

/// Drops what a job was making.
pub(super) fn discard_building_of(db: &Connection, job: JobId) -> Outcome<()> {
    drop_where(db, "job = ?1 AND state = 0", [job.0])
}

/// Drops what anyone was making.
pub(super) fn discard_building(db: &Connection) -> Outcome<()> {
    drop_where(db, "state = 0", [])
}

pub(in crate::meta) fn discard(db: &Connection, lease: Lease, id: PublicationId) -> Outcome<()> {
    drop_where(db, "id = ?1 AND job = ?2 AND state = 0", [id.0, lease.job.0])
}

pub(in crate::meta) fn by_id(db: &Connection, id: PublicationId) -> Outcome<Option<Publication>> {
    let read = |row: &Row<'_>| {
        Ok(Publication {
            id,
            attachment: AttachmentId(row.get(0)?),
            repository: RepositoryId(row.get(1)?),
            version: unsigned(row.get(2)?),
            state: match row.get::<_, i64>(3)? {
                BUILDING => PublicationState::Building,
                LIVE => PublicationState::Live,
                _ => PublicationState::Superseded,
            },
            entries: unsigned(row.get(4)?),
            created_ms: row.get(5)?,
        })
    };
    let sql = "SELECT attachment, repository, version, state, entries, created_ms
         FROM publication WHERE id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id.0], read).optional()?)
}

/// The versions of a repository that are shown.
pub(in crate::meta) fn live_versions(db: &Connection, id: RepositoryId) -> Outcome<Vec<u64>> {
    let sql = "SELECT DISTINCT version FROM publication WHERE repository = ?1 AND state = ?2
         ORDER BY version";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([id.0, LIVE], |row| Ok(unsigned(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whose publication it is.
pub(in crate::meta) fn attachment(db: &Connection, id: PublicationId) -> Outcome<AttachmentId> {
    let found = by_id(db, id)?.ok_or_else(|| Error::not_found(Thing::Publication, &id))?;
    Ok(found.attachment)
}

/// A publication that this job is making.
pub(super) fn building(db: &Connection, lease: Lease, id: PublicationId) -> Outcome<Publication> {
    let own = db
        .prepare_cached("SELECT 1 FROM publication WHERE id = ?1 AND job = ?2 AND state = 0")?
        .exists((id.0, lease.job.0))?;
    let found = if own { by_id(db, id)? } else { None };
    found.ok_or_else(|| Error::not_found(Thing::Publication, &id).into())
}

pub(in crate::meta) fn save_entries(
    db: &Connection,
    lease: Lease,
    id: PublicationId,
    entries: &[NewEntry],
) -> Outcome<()> {
    let publication = building(db, lease, id)?;
    let mut insert = db.prepare_cached(INSERT)?;
    let mut finder = Finder::prepare(db, &publication)?;
    let mut headers = Headers::new(db);
    for entry in entries {
        let path = entry.path.as_str();
        let found = finder.find(&entry.from, path)?;
        let media_type = match entry.media_type.as_str() {
            "" => found.media_type,
            given => given,
        };
        let row = (
            id.0,
            path,
            found.artifact,
            found.unit,
            found.unit_path,
            media_type,
            entry.modified_ms,
            entry.entry_point,
            found.redirect,
            headers.id(&entry.headers)?,
        );
        if insert.execute(row)? == 0 {
            return Err(doubled(path));
        }
    }
    Ok(())
}

fn doubled(path: &str) -> super::Fail {
    Error::PathConflict { path: path.to_owned(), other: path.to_owned() }.into()
}

/// What stands at a path, as columns.
#[derive(Default)]
struct Found<'a> {
    artifact: Option<i64>,
    unit: Option<i64>,
    unit_path: Option<&'a str>,
    media_type: &'a str,
    redirect: Option<&'a str>,
}

struct Finder<'a> {
    publication: &'a Publication,
    artifact: CachedStatement<'a>,
    files: CachedStatement<'a>,
    /// The unit that was looked at last, with its files: artifact and media type by path.
    unit: Option<UnitId>,
    known: HashMap<String, (Option<i64>, String)>,
}

impl<'a> Finder<'a> {
    fn prepare(db: &'a Connection, publication: &'a Publication) -> Outcome<Self> {
        Ok(Self {
            publication,
            artifact: db.prepare_cached(
                "SELECT id FROM artifact WHERE hash = ?1 AND sha256 = ?2 AND present",
            )?,
            // A unit that the version does not hold is none of the publication's business.
            files: db.prepare_cached(
                "SELECT f.path, f.artifact, f.media_type FROM unit_file f WHERE f.unit = ?1
                    AND EXISTS (SELECT 1 FROM membership m
                        WHERE m.repository = ?2 AND m.unit = ?1 AND m.added_in <= ?3
                            AND (m.removed_in IS NULL OR m.removed_in > ?3))",
            )?,
            unit: None,
            known: HashMap::new(),
        })
    }

    fn find<'e>(&'e mut self, from: &'e EntryFrom, path: &str) -> Outcome<Found<'e>> {
        match from {
            EntryFrom::Redirect(target) => Ok(Found { redirect: Some(target), ..Found::default() }),
            EntryFrom::Artifact(digest) => {
                let at = (short(&digest.0), digest.0);
                let id = self.artifact.query_row(at, |row| row.get(0)).optional()?;
                let id = id.ok_or(Error::NoBytes { digest: *digest })?;
                Ok(Found { artifact: Some(id), ..Found::default() })
            }
            EntryFrom::UnitFile(unit, file) => {
                self.look_at(*unit)?;
                let (artifact, media_type) = self
                    .known
                    .get(file.as_str())
                    .ok_or_else(|| Error::not_found(Thing::File, file))?;
                Ok(Found {
                    artifact: *artifact,
                    unit: Some(unit.0),
                    unit_path: Some(file.as_str()).filter(|file| *file != path),
                    media_type,
                    redirect: None,
                })
            }
        }
    }

    fn look_at(&mut self, unit: UnitId) -> Outcome<()> {
        if self.unit == Some(unit) {
            return Ok(());
        }
        self.known.clear();
        let publication = self.publication;
        let at = (unit.0, publication.repository.0, signed(publication.version));
        let mut rows = self.files.query(at)?;
        while let Some(row) = rows.next()? {
            self.known.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
        }
        self.unit = Some(unit);
        Ok(())
    }
}

pub(in crate::meta) fn pass_through(
    db: &Connection,
    lease: Lease,
    id: PublicationId,
    prefix: &str,
    types: &[TypeId],
    modified_ms: i64,
) -> Outcome<u64> {
    let publication = building(db, lease, id)?;
    let only = query::of_types(types, "(SELECT u.type FROM unit u WHERE u.id = m.unit)");
    let mut files = db.prepare_cached(&format!(
        "SELECT f.unit, f.path, f.artifact, f.media_type FROM membership m CROSS JOIN unit_file f ON f.unit = m.unit
         WHERE m.repository = ?1 AND m.added_in <= ?2 AND (m.removed_in IS NULL OR m.removed_in > ?2)
            {only} ORDER BY f.path"
    ))?;
    let mut files = files.query((publication.repository.0, signed(publication.version)))?;
    let mut insert = db.prepare_cached(INSERT)?;
    let mut count = 0;
    let (folder, _) = below(prefix);
    let mut target = String::new();
    while let Some(file) = files.next()? {
        let (unit, artifact): (i64, Option<i64>) = (file.get(0)?, file.get(2)?);
        let path = file.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        folder.clone_into(&mut target);
        target.push_str(path);
        let unit_path = Some(path).filter(|_| !prefix.is_empty());
        let media_type = file.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
        let (redirect, headers): (Option<&str>, Option<i64>) = (None, None);
        let row = (
            id.0,
            &target,
            artifact,
            unit,
            unit_path,
            media_type,
            modified_ms,
            false,
            redirect,
            headers,
        );
        if insert.execute(row)? == 0 {
            return Err(doubled(&target));
        }
        count += 1;
    }
    Ok(count)
}

pub(in crate::meta) fn reuse(
    db: &Connection,
    lease: Lease,
    id: PublicationId,
    previous: PublicationId,
    prefix: &str,
) -> Outcome<u64> {
    let publication = building(db, lease, id)?;
    let earlier = by_id(db, previous)?.filter(|earlier| {
        earlier.attachment == publication.attachment && earlier.state != PublicationState::Building
    });
    earlier.ok_or_else(|| Error::not_found(Thing::Publication, &previous))?;
    let (low, high) = below(prefix);
    let doubled_path: Option<String> = db
        .prepare_cached(
            "SELECT path FROM entry e WHERE publication = ?1 AND path >= ?3 AND path < ?4 AND EXISTS
                (SELECT 1 FROM entry p WHERE p.publication = ?2 AND p.path = e.path) LIMIT 1",
        )?
        .query_row((id.0, previous.0, &low, &high), |row| row.get(0))
        .optional()?;
    if let Some(path) = doubled_path {
        return Err(doubled(&path));
    }
    let copied = db
        .prepare_cached(
            "INSERT INTO entry SELECT ?1, path, artifact, unit, unit_path, media_type, modified_ms,
                entry_point, redirect, headers
             FROM entry WHERE publication = ?2 AND path >= ?3 AND path < ?4 ORDER BY path",
        )?
        .execute((id.0, previous.0, &low, &high))?;
    variants::reuse(db, id, previous, prefix)?;
    Ok(copied as u64)
}

/// The paths below a folder, or below the root if it is empty: from the first up to but without the second. Any text
/// is less than any blob.
pub(super) fn below(folder: &str) -> (String, rusqlite::types::Value) {
    match folder.strip_suffix('/').unwrap_or(folder) {
        "" => (String::new(), Vec::new().into()),
        // The character after the slash is 0.
        folder => (format!("{folder}/"), format!("{folder}0").into()),
    }
}

pub(in crate::meta) fn go_live(
    db: &Connection,
    lease: Lease,
    id: PublicationId,
    last: &LastRun,
    grace: Duration,
) -> Outcome<u64> {
    let publication = building(db, lease, id)?;
    let entries = check_directories(db, id)?;
    variants::check(db, id)?;
    let grace = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
    let attachment = publication.attachment.0;
    db.prepare_cached(
        "UPDATE publication SET state = ?2, expires_ms = ?3 WHERE attachment = ?1 AND state = ?4",
    )?
    .execute((attachment, SUPERSEDED, clock::now_ms().saturating_add(grace), LIVE))?;
    let settings = if last.outcome == "succeeded" { last.settings_digest.as_str() } else { "" };
    db.prepare_cached(
        "UPDATE publication SET state = ?2, entries = ?3, settings = ?4 WHERE id = ?1",
    )?
    .execute((id.0, LIVE, signed(entries), settings))?;
    db.prepare_cached("UPDATE attachment SET publication = ?2 WHERE id = ?1")?
        .execute((attachment, id.0))?;
    Ok(entries)
}

/// Counts the entries, and makes sure that no file stands where others need a directory (F100).
///
/// In the order of paths all that is below a directory comes together, so each directory is looked up once, when its
/// first file comes.
fn check_directories(db: &Connection, id: PublicationId) -> Outcome<u64> {
    let mut paths =
        db.prepare_cached("SELECT path FROM entry WHERE publication = ?1 ORDER BY path")?;
    let mut is_file =
        db.prepare_cached("SELECT 1 FROM entry WHERE publication = ?1 AND path = ?2")?;
    let mut rows = paths.query([id.0])?;
    let mut before = String::new();
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let path = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let shared = before.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
        for (at, _) in path.match_indices('/').filter(|(at, _)| *at >= shared) {
            let directory = &path[..at];
            if is_file.exists((id.0, directory))? {
                let (path, other) = (directory.to_owned(), path.to_owned());
                return Err(Error::PathConflict { path, other }.into());
            }
        }
        path.clone_into(&mut before);
        count += 1;
    }
    Ok(count)
}
