//! What clients find at a path. A few lookups by primary key; a directory jumps over what lies deeper.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::publications::below;
use super::{Outcome, limit, unsigned};
use crate::clock;
use crate::model::{
    DirEntry, Digest, Listing, Lookup, PublicationId, PublishedEntry, RelativePath, UnitId,
};

/// The most names in one listing.
const LISTED: usize = 10_000;
/// What a directory shows in place of a listing, if it is there.
const INDEX: &str = "index.html";

const ENTRY: &str = "SELECT e.publication, e.path, a.sha256, coalesce(a.size, f.size),
        ifnull(a.present, 0), iif(e.media_type = '', ifnull(f.media_type, ''), e.media_type),
        e.modified_ms, e.entry_point, e.unit, ifnull(e.unit_path, e.path), e.redirect
     FROM entry e
     LEFT JOIN unit_file f ON f.unit = e.unit AND f.path = ifnull(e.unit_path, e.path)
     LEFT JOIN artifact a ON a.id = ifnull(e.artifact, f.artifact)
     WHERE e.publication = ?1 AND e.path ";

pub(in crate::meta) fn lookup(db: &Connection, path: &str) -> Outcome<Lookup> {
    let Some((attachment, publication, below)) = base(db, path)? else {
        return Ok(Lookup::NotFound);
    };
    let Some(inner) = below.strip_prefix('/') else { return Ok(Lookup::RedirectToSlash) };
    if inner.is_empty() || inner.ends_with('/') {
        return directory(db, publication, inner);
    }
    if let Some(entry) = entry(db, publication, inner)? {
        return Ok(Lookup::File(entry));
    }
    let (low, high) = super::publications::below(inner);
    let is_directory = db
        .prepare_cached("SELECT 1 FROM entry WHERE publication = ?1 AND path >= ?2 AND path < ?3")?
        .exists((publication.0, low, high))?;
    if is_directory {
        return Ok(Lookup::RedirectToSlash);
    }
    let entry = superseded(db, attachment, inner)?;
    Ok(entry.map_or(Lookup::NotFound, Lookup::File))
}

/// The publication that a path lies in, and the rest of the path. No path of a publication lies in another, so the
/// first that fits is the one; most have one segment.
fn base<'p>(
    db: &Connection,
    path: &'p str,
) -> Outcome<Option<(i64, PublicationId, &'p str)>> {
    let mut find = db.prepare_cached(
        "SELECT id, publication FROM attachment WHERE path = ?1 AND publication IS NOT NULL",
    )?;
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    for end in ends {
        let (start, rest) = path.split_at(end);
        let found =
            find.query_row([start], |row| Ok((row.get(0)?, PublicationId(row.get(1)?)))).optional()?;
        if let Some((attachment, publication)) = found {
            return Ok(Some((attachment, publication, rest)));
        }
    }
    Ok(None)
}

/// The file at a path of a publication.
pub(in crate::meta) fn entry(
    db: &Connection,
    publication: PublicationId,
    path: &str,
) -> Outcome<Option<PublishedEntry>> {
    let mut statement = db.prepare_cached(&format!("{ENTRY} = ?2"))?;
    Ok(statement.query_row((publication.0, path), read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<PublishedEntry> {
    let unit: Option<i64> = row.get(8)?;
    let file = |unit| Ok::<_, rusqlite::Error>((UnitId(unit), RelativePath::stored(row.get(9)?)));
    Ok(PublishedEntry {
        publication: PublicationId(row.get(0)?),
        path: row.get(1)?,
        sha256: row.get::<_, Option<[u8; 32]>>(2)?.map(Digest),
        size: row.get::<_, Option<i64>>(3)?.map(unsigned),
        present: row.get(4)?,
        media_type: row.get(5)?,
        modified_ms: row.get(6)?,
        entry_point: row.get(7)?,
        unit: unit.map(file).transpose()?,
        redirect: row.get(10)?,
    })
}

/// A file of a publication whose place another one took a short while ago.
fn superseded(db: &Connection, attachment: i64, path: &str) -> Outcome<Option<PublishedEntry>> {
    let mut earlier = db.prepare_cached(
        "SELECT id FROM publication WHERE attachment = ?1 AND state = 2 AND expires_ms > ?2
         ORDER BY id DESC",
    )?;
    let mut earlier = earlier.query((attachment, clock::now_ms()))?;
    while let Some(row) = earlier.next()? {
        if let Some(entry) = entry(db, PublicationId(row.get(0)?), path)? {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

fn directory(db: &Connection, publication: PublicationId, folder: &str) -> Outcome<Lookup> {
    if let Some(index) = entry(db, publication, &format!("{folder}{INDEX}"))? {
        return Ok(Lookup::File(index));
    }
    let listing = list(db, publication, folder)?;
    if listing.entries.is_empty() && !folder.is_empty() {
        return Ok(Lookup::NotFound);
    }
    Ok(Lookup::Directory(listing))
}

/// The names in a directory. A name with more below it is a directory: the search goes on behind all that is in it.
fn list(db: &Connection, publication: PublicationId, folder: &str) -> Outcome<Listing> {
    let (mut low, high) = below(folder);
    let mut statement = db.prepare_cached(
        "SELECT e.path, coalesce(a.size, f.size), e.modified_ms FROM entry e
         LEFT JOIN unit_file f ON f.unit = e.unit AND f.path = ifnull(e.unit_path, e.path)
         LEFT JOIN artifact a ON a.id = ifnull(e.artifact, f.artifact)
         WHERE e.publication = ?1 AND e.path >= ?2 AND e.path < ?3 ORDER BY e.path",
    )?;
    let mut entries = Vec::new();
    'jump: loop {
        let mut rows = statement.query((publication.0, &low, &high))?;
        while let Some(row) = rows.next()? {
            if entries.len() == LISTED {
                return Ok(sorted(entries, true));
            }
            let path = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            let name = path.get(folder.len()..).unwrap_or_default();
            if let Some((name, _)) = name.split_once('/') {
                let name = name.to_owned();
                low = format!("{folder}{name}0");
                entries.push(DirEntry { name, is_dir: true, size: None, modified_ms: None });
                continue 'jump;
            }
            entries.push(DirEntry {
                name: name.to_owned(),
                is_dir: false,
                size: row.get::<_, Option<i64>>(1)?.map(unsigned),
                modified_ms: Some(row.get(2)?),
            });
        }
        return Ok(sorted(entries, false));
    }
}

fn sorted(mut entries: Vec<DirEntry>, more: bool) -> Listing {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Listing { entries, more }
}

/// The files of a publication below a prefix, by path.
pub(in crate::meta) fn entries(
    db: &Connection,
    publication: PublicationId,
    prefix: &str,
    after: Option<&str>,
    page: usize,
) -> Outcome<Vec<PublishedEntry>> {
    let (low, high) = below(prefix);
    let mut statement = db.prepare_cached(&format!(
        "{ENTRY} >= ?2 AND e.path < ?3 AND e.path > ?4 ORDER BY e.path LIMIT ?5"
    ))?;
    let rows = statement.query_map(
        (publication.0, low, high, after.unwrap_or_default(), limit(page, 1_000)),
        read,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}
