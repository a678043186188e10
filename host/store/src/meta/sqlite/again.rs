//! Publications that went out of sight a while ago and are to be seen again.

use rusqlite::{Connection, OptionalExtension as _};

use super::publications::building;
use super::{Outcome, signed};
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{AttachmentId, Lease, PublicationId};

/// A superseded publication of this version that was made whole, with these settings, and is still here.
pub(in crate::meta) fn find(
    db: &Connection,
    attachment: AttachmentId,
    version: u64,
    settings: &str,
) -> Outcome<Option<PublicationId>> {
    let sql = "SELECT id FROM publication WHERE attachment = ?1 AND state = 2 AND version = ?2
            AND settings = ?3 AND settings <> '' AND expires_ms > ?4 ORDER BY id DESC LIMIT 1";
    let at = (attachment.0, signed(version), settings, clock::now_ms());
    let found = db.prepare_cached(sql)?.query_row(at, |row| row.get(0)).optional()?;
    Ok(found.map(PublicationId))
}

/// Puts everything of it into one that is being made, but what clients read first. Answers how many files.
pub(in crate::meta) fn take(
    db: &Connection,
    lease: Lease,
    id: PublicationId,
    earlier: PublicationId,
) -> Outcome<u64> {
    let publication = building(db, lease, id)?;
    let same = db
        .prepare_cached(
            "SELECT 1 FROM publication WHERE id = ?1 AND attachment = ?2 AND version = ?3",
        )?
        .exists((earlier.0, publication.attachment.0, signed(publication.version)))?;
    if !same {
        return Err(Error::not_found(Thing::Publication, &earlier).into());
    }
    let taken = db
        .prepare_cached(
            "INSERT INTO entry SELECT ?1, path, artifact, unit, unit_path, media_type, modified_ms,
                entry_point, redirect, headers
             FROM entry WHERE publication = ?2 AND NOT entry_point ORDER BY path",
        )?
        .execute((id.0, earlier.0))?;
    super::variants::reuse(db, id, earlier, "")?;
    Ok(taken as u64)
}
