//! Response headers of published files. Thousands of files have the same few, so each set is stored once.

use std::collections::HashMap;
use std::fmt::Write as _;

use rusqlite::{Connection, OptionalExtension as _};

use super::Outcome;
use crate::model::Header;

/// Finds the number of a set, or gives it one; remembers those of the batch.
pub(super) struct Headers<'a> {
    db: &'a Connection,
    known: HashMap<String, i64>,
}

impl<'a> Headers<'a> {
    pub(super) fn new(db: &'a Connection) -> Self {
        Self { db, known: HashMap::new() }
    }

    pub(super) fn id(&mut self, headers: &[Header]) -> Outcome<Option<i64>> {
        if headers.is_empty() {
            return Ok(None);
        }
        let mut text = String::new();
        for Header { name, value } in headers {
            let _infallible = writeln!(text, "{name}: {value}");
        }
        if let Some(id) = self.known.get(&text) {
            return Ok(Some(*id));
        }
        let mut find = self.db.prepare_cached("SELECT id FROM headers WHERE text = ?1")?;
        let found: Option<i64> = find.query_row([&text], |row| row.get(0)).optional()?;
        let id = if let Some(id) = found {
            id
        } else {
            let insert = "INSERT INTO headers (text) VALUES (?1)";
            self.db.prepare_cached(insert)?.execute([&text])?;
            self.db.last_insert_rowid()
        };
        self.known.insert(text, id);
        Ok(Some(id))
    }
}

/// The set with this number.
pub(super) fn read(db: &Connection, id: Option<i64>) -> Outcome<Vec<Header>> {
    let Some(id) = id else { return Ok(Vec::new()) };
    let text: Option<String> = db
        .prepare_cached("SELECT text FROM headers WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some(Header { name: name.to_owned(), value: value.to_owned() })
    };
    Ok(text.unwrap_or_default().lines().filter_map(header).collect())
}
