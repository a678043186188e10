//! Opens connections, each set up for its work.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::sql_error;
use crate::error::Error;

/// How long a statement waits for another process (F87).
const BUSY: Duration = Duration::from_secs(30);
/// The write-ahead log is copied into the database when it has so many pages of 4 KiB.
const CHECKPOINT_PAGES: u32 = 16384;
/// Statements that stay prepared.
const STATEMENTS: usize = 128;

const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE
    .union(OpenFlags::SQLITE_OPEN_NO_MUTEX)
    .union(OpenFlags::SQLITE_OPEN_NOFOLLOW);

/// The one connection that writes. Makes the database if there is none. What it deletes is overwritten, for it may have
/// been a password.
pub(super) fn writer(file: &Path) -> Result<Connection, Error> {
    let flags = FLAGS | OpenFlags::SQLITE_OPEN_CREATE;
    let set_up = |db: Connection| {
        db.execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON;
             PRAGMA cache_size = -49152;
             PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
             PRAGMA journal_size_limit = 67108864;
             PRAGMA temp_store = MEMORY;"
        ))?;
        Ok(db)
    };
    open(file, flags).and_then(set_up).map_err(|error| sql_error(&error, file))
}

/// A connection that reads.
pub(super) fn reader(file: &Path) -> Result<Connection, Error> {
    let set_up = |db: Connection| {
        db.execute_batch(
            "PRAGMA query_only = ON; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;",
        )?;
        Ok(db)
    };
    open(file, FLAGS).and_then(set_up).map_err(|error| sql_error(&error, file))
}

fn open(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    // A database may be reached through a linked folder; only the last name must be no link.
    let file = match (file.parent().map(Path::canonicalize), file.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => file.to_path_buf(),
    };
    let db = Connection::open_with_flags(file, flags)?;
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans do not look at bound values. Otherwise a partial index makes each new value a new plan, and parsing costs
    // more than the lookup.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(db)
}
