//! SQLite: one thread that writes, four that read, and the statements.
//!
//! [`writer`] and [`readers`] run closures; every other module holds the statements of one subject as plain functions
//! over a connection. Statements are prepared once for each connection. Rows that come by the thousand carry no foreign
//! keys: each would cost a lookup for a promise that the code above keeps by its order of writing.

pub(super) mod again;
pub(super) mod artifacts;
pub(super) mod attachments;
pub(super) mod below;
pub(super) mod callbacks;
pub(super) mod collect;
pub(super) mod commit;
mod connect;
pub(super) mod folder;
mod headers;
pub(super) mod history;
pub(super) mod instances;
pub(super) mod jobs;
pub(super) mod known;
pub(super) mod lookup;
pub(super) mod migrate;
pub(super) mod of_types;
pub(super) mod publications;
pub(super) mod query;
mod readers;
pub(super) mod recover;
mod relink;
pub(super) mod repositories;
pub(super) mod retain;
pub(super) mod save;
pub(super) mod schedules;
mod schema;
pub(super) mod search;
pub(super) mod staged;
pub(super) mod tokens;
pub(super) mod tracker;
pub(super) mod types;
pub(super) mod uploads;
pub(super) mod variants;
pub(super) mod verify;
pub(super) mod versions;
mod writer;

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

pub(super) use self::readers::Readers;
pub(super) use self::writer::{Durability, Writer};
use crate::error::Error;

/// Why a closure failed: a statement, or a rule.
#[derive(Debug)]
pub(super) enum Fail {
    Sql(rusqlite::Error),
    Rule(Error),
}

/// What a closure answers.
pub(super) type Outcome<T> = Result<T, Fail>;

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::Rule(error)
    }
}

impl Fail {
    /// The same, for callers.
    fn into_error(self, file: &Path) -> Error {
        match self {
            Self::Sql(error) => sql_error(&error, file),
            Self::Rule(error) => error,
        }
    }
}

/// What SQLite says, as callers tell it apart.
fn sql_error(error: &rusqlite::Error, file: &Path) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => io::ErrorKind::StorageFull,
        Some(ErrorCode::ReadOnly) => io::ErrorKind::ReadOnlyFilesystem,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => io::ErrorKind::ResourceBusy,
        Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            io::ErrorKind::PermissionDenied
        }
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => {
            io::ErrorKind::Other
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            return Error::Damaged { path: file.to_path_buf(), problem: error.to_string() };
        }
        _ => return Error::Bug { what: "a statement", problem: error.to_string() },
    };
    Error::storage("cannot use the database", file, io::Error::new(kind, error.to_string()))
}

/// What an index holds of a digest: its first bytes, so that the index is small.
fn short(digest: &[u8; 32]) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}

/// A count or a number of a row that is never negative.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A number for a row; what no row can hold becomes the largest that it can.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How many rows are wanted, where 0 means `default`.
fn limit(wanted: usize, default: i64) -> i64 {
    if wanted == 0 { default } else { i64::try_from(wanted).unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod plans;
#[cfg(test)]
mod tests;
