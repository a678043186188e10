//! Units of the newest version by where their files lie: at one of some paths, or anywhere below it. Reads all files of
//! these types, so it is for the rare case that it is needed in.

use std::collections::HashSet;

use rusqlite::Connection;

use super::Outcome;
use super::query::of_types;
use crate::model::{RepositoryId, TypeId, UnitId};

/// Each unit once, in the order of their numbers.
pub(in crate::meta) fn members_below(
    db: &Connection,
    repository: RepositoryId,
    types: &[TypeId],
    paths: &HashSet<String>,
) -> Outcome<Vec<UnitId>> {
    let mut find = db.prepare(&format!(
        "SELECT m.unit, f.path FROM membership m
         CROSS JOIN unit u ON u.id = m.unit
         CROSS JOIN unit_file f ON f.unit = m.unit
         WHERE m.repository = ?1 AND m.removed_in IS NULL{}
         ORDER BY m.unit",
        of_types(types, "u.type")
    ))?;
    let mut rows = find.query([repository.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let path: String = row.get(1)?;
        if lies_at(paths, &path) {
            found.push(UnitId(row.get(0)?));
        }
    }
    found.dedup();
    Ok(found)
}

/// Whether a file is one of these, or in one of these folders.
fn lies_at(paths: &HashSet<String>, path: &str) -> bool {
    paths.contains(path) || path.match_indices('/').any(|(end, _)| paths.contains(&path[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lies_in_all_folders_of_its_path_and_in_no_other() {
        let paths = HashSet::from(["a/b".to_owned(), "c.txt".to_owned()]);
        for inside in ["a/b", "a/b/x", "a/b/x/y", "c.txt"] {
            assert!(lies_at(&paths, inside), "{inside}");
        }
        for outside in ["a", "a/bc", "a/x", "b", "x/a/b", "c.txt2"] {
            assert!(!lies_at(&paths, outside), "{outside}");
        }
    }
}
