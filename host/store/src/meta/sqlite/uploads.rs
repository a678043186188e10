//! Uploads: what was announced, and how much of it is there.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, repositories, signed, unsigned};
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{Digest, NewUpload, RepositoryId, Upload, UploadId};

const COLUMNS: &str = "id, repository, name, size, sha256, received, created_ms, touched_ms";

pub(in crate::meta) fn begin(db: &Connection, new: &NewUpload) -> Outcome<Upload> {
    repositories::get(db, new.repository)?;
    db.prepare_cached(
        "INSERT INTO upload (repository, name, size, sha256, received, created_ms, touched_ms)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5)",
    )?
    .execute((
        new.repository.0,
        &new.name,
        new.size.map(signed),
        new.sha256.map(|digest| digest.0),
        clock::now_ms(),
    ))?;
    get(db, UploadId(db.last_insert_rowid()))
}

pub(in crate::meta) fn by_id(db: &Connection, id: UploadId) -> Outcome<Option<Upload>> {
    let sql = format!("SELECT {COLUMNS} FROM upload WHERE id = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([id.0], read).optional()?)
}

pub(in crate::meta) fn all(
    db: &Connection,
    repository: Option<RepositoryId>,
) -> Outcome<Vec<Upload>> {
    let sql =
        format!("SELECT {COLUMNS} FROM upload WHERE ?1 IS NULL OR repository = ?1 ORDER BY id");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([repository.map(|id| id.0)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(in crate::meta) fn received(
    db: &Connection,
    id: UploadId,
    offset: u64,
    received: u64,
) -> Outcome<Upload> {
    let changed = db
        .prepare_cached(
            "UPDATE upload SET received = ?3, touched_ms = ?4 WHERE id = ?1 AND received = ?2",
        )?
        .execute((id.0, signed(offset), signed(received), clock::now_ms()))?;
    let upload = get(db, id)?;
    if changed == 0 {
        let received = upload.received;
        return Err(Error::OffsetMoved { upload: id, received, offset }.into());
    }
    Ok(upload)
}

pub(in crate::meta) fn forget(db: &Connection, ids: &[UploadId]) -> Outcome<()> {
    let mut delete = db.prepare_cached("DELETE FROM upload WHERE id = ?1")?;
    for id in ids {
        delete.execute([id.0])?;
    }
    Ok(())
}

fn get(db: &Connection, id: UploadId) -> Outcome<Upload> {
    by_id(db, id)?.ok_or_else(|| Error::not_found(Thing::Upload, &id).into())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload {
        id: UploadId(row.get(0)?),
        repository: RepositoryId(row.get(1)?),
        name: row.get(2)?,
        size: row.get::<_, Option<i64>>(3)?.map(unsigned),
        sha256: row.get::<_, Option<[u8; 32]>>(4)?.map(Digest),
        received: unsigned(row.get(5)?),
        created_ms: row.get(6)?,
        touched_ms: row.get(7)?,
    })
}
