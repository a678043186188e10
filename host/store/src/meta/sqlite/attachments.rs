//! Attachments, where they publish, and what they keep.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, jobs, repositories, signed, unsigned};
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{
    Attachment, AttachmentId, LastRun, NewAttachment, PublicationId, RelativePath, RepositoryId,
};

const COLUMNS: &str = "id, repository, component, instance, role, settings, settings_changed_ms, \
     state, last_ms, last_version, last_outcome, last_settings, publication, path, \
     (SELECT i.settings FROM instance i WHERE i.name = attachment.instance AND i.component = attachment.component)";

pub(in crate::meta) fn attach(
    db: &Connection,
    repository: RepositoryId,
    new: &NewAttachment,
) -> Outcome<Attachment> {
    repositories::get(db, repository)?;
    let stored: Option<i64> = db
        .prepare_cached(
            "SELECT id FROM attachment WHERE repository = ?1 AND component = ?2 AND instance = ?3",
        )?
        .query_row((repository.0, &new.component, &new.instance), |row| row.get(0))
        .optional()?;
    if let Some(path) = &new.path {
        check_path(db, path, stored)?;
    }
    let settings = new.settings.to_string();
    let path = new.path.as_ref().map(RelativePath::as_str);
    let now = clock::now_ms();
    let id = if let Some(id) = stored {
        db.prepare_cached(
            "UPDATE attachment SET role = ?2, path = ?3, settings = ?4,
                settings_changed_ms = iif(settings = ?4, settings_changed_ms, ?5)
             WHERE id = ?1",
        )?
        .execute((id, &new.role, path, settings, now))?;
        id
    } else {
        db.prepare_cached(
            "INSERT INTO attachment
                (repository, component, instance, role, settings, settings_changed_ms, state, path)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, x'', ?7)",
        )?
        .execute((
            repository.0,
            &new.component,
            &new.instance,
            &new.role,
            settings,
            now,
            path,
        ))?;
        db.last_insert_rowid()
    };
    by_id(db, AttachmentId(id))?
        .ok_or_else(|| Error::not_found(Thing::Attachment, &AttachmentId(id)).into())
}

/// Two publications must not lie inside each other.
fn check_path(db: &Connection, path: &RelativePath, own: Option<i64>) -> Outcome<()> {
    let mut statement = db.prepare_cached(
        "SELECT a.path, a.component, r.name FROM attachment a JOIN repository r ON r.id = a.repository
         WHERE a.path IS NOT NULL AND a.id IS NOT ?2 AND
            (a.path = ?1 OR substr(a.path, 1, length(?1) + 1) = ?1 || '/'
             OR substr(?1, 1, length(a.path) + 1) = a.path || '/')",
    )?;
    let taken: Option<(String, String, String)> =
        statement.query_row((path.as_str(), own), |row| row.try_into()).optional()?;
    match taken {
        None => Ok(()),
        Some((taken, component, repository)) => {
            let holder = format!("{component} of repository {repository}");
            Err(Error::PathTaken { path: path.to_string(), taken, holder }.into())
        }
    }
}

pub(in crate::meta) fn detach(db: &Connection, id: AttachmentId) -> Outcome<()> {
    let stored = by_id(db, id)?.ok_or_else(|| Error::not_found(Thing::Attachment, &id))?;
    if let Some(job) = jobs::open_on(db, "attachment", id.0)? {
        let name = stored.component;
        return Err(Error::InUse { thing: Thing::Attachment, name, job }.into());
    }
    for sql in [
        "DELETE FROM entry WHERE publication IN (SELECT id FROM publication WHERE attachment = ?1)",
        "DELETE FROM variant WHERE publication IN (SELECT id FROM publication WHERE attachment = ?1)",
    ] {
        db.execute(sql, [id.0])?;
    }
    // Its state and its publications go with it.
    db.execute("DELETE FROM attachment WHERE id = ?1", [id.0])?;
    Ok(())
}

pub(in crate::meta) fn of_repository(
    db: &Connection,
    repository: RepositoryId,
) -> Outcome<Vec<Attachment>> {
    let sql = format!("SELECT {COLUMNS} FROM attachment WHERE repository = ?1 ORDER BY id");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([repository.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

pub(in crate::meta) fn by_id(db: &Connection, id: AttachmentId) -> Outcome<Option<Attachment>> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM attachment WHERE id = ?1"))?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(read).transpose()
}

fn read(row: &Row<'_>) -> Outcome<Attachment> {
    let object = |text: String| {
        serde_json::from_str::<serde_json::Value>(&text)
            .map_err(|error| Error::Unreadable { what: "settings", problem: error.to_string() })
    };
    let settings = object(row.get(5)?)?;
    let instance_settings = row.get::<_, Option<String>>(14)?.map(object).transpose()?;
    let last = match row.get(8)? {
        Some(finished_ms) => Some(LastRun {
            finished_ms,
            version: unsigned(row.get(9)?),
            outcome: row.get(10)?,
            settings_digest: row.get(11)?,
        }),
        None => None,
    };
    Ok(Attachment {
        id: AttachmentId(row.get(0)?),
        repository: RepositoryId(row.get(1)?),
        component: row.get(2)?,
        instance: row.get(3)?,
        role: row.get(4)?,
        settings,
        instance_settings,
        settings_changed_ms: row.get(6)?,
        state: row.get(7)?,
        last,
        publication: row.get::<_, Option<i64>>(12)?.map(PublicationId),
        path: row.get(13)?,
    })
}

/// Notes a run that finished. `state` None: what was kept stays.
pub(in crate::meta) fn ran(
    db: &Connection,
    id: AttachmentId,
    state: Option<&[u8]>,
    last: &LastRun,
) -> Outcome<()> {
    let changed = db
        .prepare_cached(
            "UPDATE attachment SET state = ifnull(?2, state), last_ms = ?3, last_version = ?4,
                last_outcome = ?5, last_settings = ?6
             WHERE id = ?1",
        )?
        .execute((
            id.0,
            state,
            last.finished_ms,
            signed(last.version),
            &last.outcome,
            &last.settings_digest,
        ))?;
    if changed == 0 { Err(Error::not_found(Thing::Attachment, &id).into()) } else { Ok(()) }
}

pub(in crate::meta) fn get_state(
    db: &Connection,
    id: AttachmentId,
    key: &str,
) -> Outcome<Option<(u64, Vec<u8>)>> {
    let sql = "SELECT revision, value FROM attachment_state WHERE attachment = ?1 AND key = ?2";
    let read = |row: &Row<'_>| Ok((unsigned(row.get(0)?), row.get(1)?));
    Ok(db.prepare_cached(sql)?.query_row((id.0, key), read).optional()?)
}

pub(in crate::meta) fn put_state(
    db: &Connection,
    id: AttachmentId,
    key: &str,
    expected: u64,
    value: &[u8],
) -> Outcome<u64> {
    let found = get_state(db, id, key)?.map_or(0, |(revision, _)| revision);
    if found != expected {
        return Err(Error::StateMoved { key: key.to_owned(), expected, found }.into());
    }
    db.prepare_cached("INSERT OR REPLACE INTO attachment_state VALUES (?1, ?2, ?3, ?4)")?
        .execute((id.0, key, signed(found + 1), value))?;
    Ok(found + 1)
}
