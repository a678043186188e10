//! Brings the database's schema up to date: numbered steps, forward only, each in one transaction.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::sql_error;
use crate::error::Error;

/// Step n brings schema n - 1 to schema n. A step that was released never changes.
const STEPS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0006.sql"),
    include_str!("migrations/0007.sql"),
    include_str!("migrations/0008.sql"),
    include_str!("migrations/0009.sql"),
    include_str!("migrations/0010.sql"),
];

/// Checks that the database is one that this release can use, and brings its schema up to date.
pub(super) fn prepare(db: &mut Connection, file: &Path) -> Result<(), Error> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let sql = |error: rusqlite::Error| sql_error(&error, file);
    let found = version(db).map_err(sql)?;
    if found > known {
        return Err(Error::Newer { path: file.to_path_buf(), found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        keep_copy(db, file, found).map_err(sql)?;
    }
    for (step, number) in STEPS.iter().zip(1_i64..).skip(usize::try_from(found).unwrap_or(0)) {
        apply(db, step, number).map_err(sql)?;
    }
    Ok(())
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// A copy of the database as it was, beside it (F94).
fn keep_copy(db: &Connection, file: &Path, version: i64) -> rusqlite::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".schema-{version}"));
    let copy = PathBuf::from(name);
    if !copy.exists() {
        db.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    }
    Ok(())
}

fn apply(db: &mut Connection, step: &str, number: i64) -> rusqlite::Result<()> {
    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
    if version(&change)? < number {
        change.execute_batch(step)?;
        change.pragma_update(None, "user_version", number)?;
    }
    change.commit()
}

/// Looks for damage, as thoroughly as there is reason to (F86).
///
/// After an orderly end only the length is compared. After any other end all pages are looked at.
pub(super) fn check(db: &Connection, file: &Path, clean: bool) -> Result<(), Error> {
    let sql = |error: rusqlite::Error| sql_error(&error, file);
    let damaged = |problem: String| Error::Damaged { path: file.to_path_buf(), problem };
    let size: i64 = db
        .query_row(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            [],
            |row| row.get(0),
        )
        .map_err(sql)?;
    if clean {
        let length =
            file.metadata().map_err(|error| Error::storage("cannot read", file, error))?.len();
        if length < super::unsigned(size) {
            return Err(damaged(format!("it has {length} of {size} bytes")));
        }
        return Ok(());
    }
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sql)?;
    if found == "ok" { Ok(()) } else { Err(damaged(found)) }
}
