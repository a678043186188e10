//! What clients find at a path. A few lookups by primary key; a directory jumps over what lies deeper.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::publications::below;
use super::{Outcome, headers, limit, unsigned, variants};
use crate::clock;
use crate::model::{
    Digest, DirEntry, Listing, Lookup, PublicationId, PublishedEntry, RelativePath, UnitId,
};

/// The most names in one listing.
const LISTED: usize = 10_000;
/// What a directory shows in place of a listing, if it is there.
const INDEX: &str = "index.html";

/// No join: SQLite would prepare the statement anew for each path.
const ENTRY: &str = "SELECT e.publication, e.path, e.media_type, e.modified_ms, e.entry_point,
        e.unit, e.unit_path, e.redirect, e.artifact, e.headers
     FROM entry e WHERE e.publication = ?1 AND e.path ";

pub(in crate::meta) fn lookup(db: &Connection, path: &str) -> Outcome<Lookup> {
    let Some((attachment, publication, below)) = base(db, path)? else {
        return Ok(Lookup::NotFound);
    };
    let Some(inner) = below.strip_prefix('/') else { return Ok(Lookup::RedirectToSlash) };
    if inner.starts_with('/') || inner.contains("//") {
        return Ok(Lookup::NotFound);
    }
    if inner.is_empty() || inner.ends_with('/') {
        return directory(db, publication, inner);
    }
    if let Some(entry) = entry(db, publication, inner)? {
        return Ok(Lookup::File(entry));
    }
    let variants = variants::of_path(db, publication, inner)?;
    if !variants.is_empty() {
        return Ok(Lookup::Variants(variants));
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
fn base<'p>(db: &Connection, path: &'p str) -> Outcome<Option<(i64, PublicationId, &'p str)>> {
    let mut find = db.prepare_cached(
        "SELECT id, publication FROM attachment WHERE path = ?1 AND publication IS NOT NULL",
    )?;
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    for end in ends {
        let (start, rest) = path.split_at(end);
        let found = find
            .query_row([start], |row| Ok((row.get(0)?, PublicationId(row.get(1)?))))
            .optional()?;
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
    let found = statement.query_row((publication.0, path), read).optional()?;
    found.map(|found| complete(db, found)).transpose()
}

/// An entry without its bytes and headers: the row of the bytes, if it was known when it was published, and that of the
/// headers.
type Partial = (PublishedEntry, Option<i64>, Option<i64>);

fn read(row: &Row<'_>) -> rusqlite::Result<Partial> {
    let path: String = row.get(1)?;
    let unit = match row.get(5)? {
        Some(unit) => {
            let file: Option<String> = row.get(6)?;
            Some((UnitId(unit), RelativePath::stored(file.unwrap_or_else(|| path.clone()))))
        }
        None => None,
    };
    let entry = PublishedEntry {
        publication: PublicationId(row.get(0)?),
        path,
        sha256: None,
        size: None,
        present: false,
        media_type: row.get(2)?,
        modified_ms: row.get(3)?,
        entry_point: row.get(4)?,
        unit,
        redirect: row.get(7)?,
        headers: Vec::new(),
    };
    Ok((entry, row.get(8)?, row.get(9)?))
}

/// Adds bytes and headers.
fn complete(db: &Connection, (mut entry, artifact, headers): Partial) -> Outcome<PublishedEntry> {
    entry.headers = headers::read(db, headers)?;
    let bytes = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found: Option<(Option<[u8; 32]>, Option<i64>, bool)> = match (artifact, &entry.unit) {
        (Some(artifact), _) => db
            .prepare_cached("SELECT sha256, size, present FROM artifact WHERE id = ?1")?
            .query_row([artifact], bytes)
            .optional()?,
        (None, Some((unit, file))) => db
            .prepare_cached(
                "SELECT a.sha256, coalesce(a.size, f.size), ifnull(a.present, 0) FROM unit_file f
                 LEFT JOIN artifact a ON a.id = f.artifact WHERE f.unit = ?1 AND f.path = ?2",
            )?
            .query_row((unit.0, file.as_str()), bytes)
            .optional()?,
        (None, None) => None,
    };
    if let Some((sha256, size, present)) = found {
        entry.sha256 = sha256.map(Digest);
        entry.size = size.map(unsigned);
        entry.present = present;
    }
    Ok(entry)
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
    let variants = variants::of_path(db, publication, folder)?;
    if !variants.is_empty() {
        return Ok(Lookup::Variants(variants));
    }
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
        "SELECT path, artifact, modified_ms FROM entry
         WHERE publication = ?1 AND path >= ?2 AND path < ?3 ORDER BY path",
    )?;
    let mut sizes = db.prepare_cached("SELECT size FROM artifact WHERE id = ?1")?;
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
            let name = name.to_owned();
            let artifact: Option<i64> = row.get(1)?;
            let size = sizes.query_row([artifact], |row| row.get(0)).optional()?.flatten();
            entries.push(DirEntry {
                name,
                is_dir: false,
                size: size.map(unsigned),
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
    rows.map(|row| complete(db, row?)).collect()
}
