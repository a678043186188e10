//! Tokens, by the digests of their secrets.

use rusqlite::Connection;

use super::Outcome;
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{Digest, RepositoryId, Token};

pub(in crate::meta) fn create(
    db: &Connection,
    name: &str,
    digest: Digest,
    repositories: &[RepositoryId],
) -> Outcome<Token> {
    if db.prepare_cached("SELECT 1 FROM token WHERE name = ?1")?.exists([name])? {
        return Err(Error::Exists { thing: Thing::Token, name: name.to_owned() }.into());
    }
    db.prepare_cached("INSERT INTO token (name, sha256, created_ms) VALUES (?1, ?2, ?3)")?
        .execute((name, digest.0, clock::now_ms()))?;
    let id = db.last_insert_rowid();
    let mut add = db.prepare_cached("INSERT OR IGNORE INTO token_repository VALUES (?1, ?2)")?;
    for repository in repositories {
        super::repositories::get(db, *repository)?;
        add.execute((id, repository.0))?;
    }
    let found = all(db)?.into_iter().find(|token| token.name == name);
    found.ok_or_else(|| Error::not_found(Thing::Token, name).into())
}

pub(in crate::meta) fn all(db: &Connection) -> Outcome<Vec<Token>> {
    let mut tokens =
        db.prepare_cached("SELECT id, name, sha256, created_ms FROM token ORDER BY name")?;
    let mut places = db.prepare_cached(
        "SELECT r.id, r.name FROM token_repository t JOIN repository r ON r.id = t.repository
         WHERE t.token = ?1 ORDER BY r.name",
    )?;
    let mut rows = tokens.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let repositories =
            places.query_map([id], |row| Ok((RepositoryId(row.get(0)?), row.get(1)?)))?;
        found.push(Token {
            name: row.get(1)?,
            digest: Digest(row.get(2)?),
            repositories: repositories.collect::<Result<_, _>>()?,
            created_ms: row.get(3)?,
        });
    }
    Ok(found)
}

pub(in crate::meta) fn delete(db: &Connection, name: &str) -> Outcome<()> {
    let deleted = db.prepare_cached("DELETE FROM token WHERE name = ?1")?.execute([name])?;
    if deleted == 0 { Err(Error::not_found(Thing::Token, name).into()) } else { Ok(()) }
}
