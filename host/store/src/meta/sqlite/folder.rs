//! The base state of folder distributors.

use rusqlite::{Connection, Row};

use super::{Outcome, signed, unsigned};
use crate::model::{AttachmentId, Digest, FileStamp, FolderFile, RelativePath};

pub(in crate::meta) fn all(db: &Connection, attachment: AttachmentId) -> Outcome<Vec<FolderFile>> {
    let mut statement = db.prepare_cached(
        "SELECT path, local, sha256, size, modified_ns, changed_ns, inode, seen_ns
         FROM folder_file WHERE attachment = ?1 ORDER BY path",
    )?;
    Ok(statement.query_map([attachment.0], read)?.collect::<Result<_, _>>()?)
}

pub(in crate::meta) fn put(
    db: &Connection,
    attachment: AttachmentId,
    files: &[FolderFile],
) -> Outcome<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO folder_file
            (attachment, path, local, sha256, size, modified_ns, changed_ns, inode, seen_ns)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for file in files {
        let FileStamp { size, modified_ns, changed_ns, inode } = file.stamp;
        insert.execute((
            attachment.0,
            file.path.as_str(),
            file.local.as_str(),
            file.digest.0,
            signed(size),
            modified_ns,
            changed_ns,
            inode.cast_signed(),
            file.seen_ns,
        ))?;
    }
    Ok(())
}

pub(in crate::meta) fn forget(
    db: &Connection,
    attachment: AttachmentId,
    paths: &[RelativePath],
) -> Outcome<()> {
    let mut delete =
        db.prepare_cached("DELETE FROM folder_file WHERE attachment = ?1 AND path = ?2")?;
    for path in paths {
        delete.execute((attachment.0, path.as_str()))?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<FolderFile> {
    Ok(FolderFile {
        path: RelativePath::stored(row.get(0)?),
        local: RelativePath::stored(row.get(1)?),
        digest: Digest(row.get(2)?),
        stamp: FileStamp {
            size: unsigned(row.get(3)?),
            modified_ns: row.get(4)?,
            changed_ns: row.get(5)?,
            inode: row.get::<_, i64>(6)?.cast_unsigned(),
        },
        seen_ns: row.get(7)?,
    })
}
