//! Of threads, transactions and schemas: what the store's users cannot see.

use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::model::{FieldEquals, KeyField, RepositoryId, TypeDefinition, UnitQuery};

const SOON: Duration = Duration::from_secs(20);

fn opened() -> (TempDir, Writer, Readers) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wharf.db");
    let writer = Writer::open(&file).unwrap();
    let readers = Readers::new(&file).unwrap();
    (folder, writer, readers)
}

fn insert(name: &'static str) -> impl FnOnce(&rusqlite::Connection) -> Outcome<i64> {
    move |db| {
        db.execute("INSERT INTO repository (id, name, types, created_ms, version, units) VALUES (NULL, ?1, '[]', 0, 0, 0)", [name])?;
        Ok(db.last_insert_rowid())
    }
}

async fn names(readers: &Readers) -> Vec<String> {
    let all = |db: &rusqlite::Connection| {
        let mut statement = db.prepare("SELECT name FROM repository ORDER BY id")?;
        let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    };
    readers.run(all).await.unwrap()
}

#[tokio::test]
async fn an_operation_that_fails_takes_back_its_own_changes_and_no_others() {
    let (_folder, writer, readers) = opened();
    let fail = |db: &rusqlite::Connection| -> Outcome<()> {
        insert("lost")(db)?;
        db.execute("INSERT INTO repository (id, name, types, created_ms, version, units) VALUES (1, 'x', '[]', 0, 0, 0)", [])?;
        db.execute("INSERT INTO repository (id, name, types, created_ms, version, units) VALUES (1, 'x', '[]', 0, 0, 0)", [])?;
        Ok(())
    };
    let panic = |db: &rusqlite::Connection| -> Outcome<()> {
        insert("lost too")(db)?;
        panic!("a bug")
    };
    // The first operation holds the thread until all the others wait: they become one group.
    let (go, wait) = mpsc::sync_channel(1);
    let hold = move |_db: &rusqlite::Connection| {
        wait.recv_timeout(SOON).expect("let go");
        Ok(())
    };
    let release = async {
        tokio::task::yield_now().await;
        go.send(()).expect("the first waits");
    };
    let outcomes = tokio::join!(
        writer.run(Durability::Now, hold),
        writer.run(Durability::Later, fail),
        writer.run(Durability::Later, insert("good")),
        writer.run(Durability::Now, panic),
        writer.run(Durability::Later, fail),
        writer.run(Durability::Later, insert("good too")),
        release,
    );
    outcomes.0.unwrap();
    assert_eq!(outcomes.1.unwrap_err().code(), "internal");
    assert_eq!(outcomes.2.unwrap(), 1);
    assert_eq!(outcomes.3.unwrap_err().code(), "storage.closed");
    assert_eq!(outcomes.4.unwrap_err().code(), "internal");
    outcomes.5.unwrap();
    assert_eq!(names(&readers).await, ["good", "good too"]);
}

#[tokio::test]
async fn f81_a_full_disk_is_an_error_and_work_goes_on_when_there_is_room() {
    let (_folder, writer, readers) = opened();
    writer.run(Durability::Now, insert("before")).await.unwrap();
    let pages = |db: &rusqlite::Connection, more: i64| -> Outcome<()> {
        let now: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        db.query_row(&format!("PRAGMA max_page_count = {}", now + more), [], |_row| Ok(()))?;
        Ok(())
    };
    writer.run(Durability::Later, move |db| pages(db, 2)).await.unwrap();
    let fill = |db: &rusqlite::Connection| -> Outcome<()> {
        let sql = "INSERT INTO attachment_state VALUES (1, ?1, 1, zeroblob(8000))";
        db.execute("INSERT INTO repository (id, name, types, created_ms, version, units) VALUES (9, 'r', '[]', 0, 0, 0)", [])?;
        db.execute(
            "INSERT INTO attachment (id, repository, component, instance, role, settings,
                settings_changed_ms, state) VALUES (1, 9, 'c', 'i', 'r', '{}', 0, x'')",
            [],
        )?;
        for key in 0..20 {
            db.execute(sql, [key])?;
        }
        Ok(())
    };
    let error = writer.run(Durability::Now, fill).await.unwrap_err();
    let Error::Storage { path, source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert!(path.ends_with("wharf.db"));
    assert!(error.to_string().contains("make room"), "{error}");
    assert_eq!(names(&readers).await, ["before"], "reading goes on");
    writer.run(Durability::Later, move |db| pages(db, 10_000)).await.unwrap();
    writer.run(Durability::Now, fill).await.unwrap();
    assert_eq!(names(&readers).await, ["before", "r"]);
}

#[tokio::test]
async fn readers_see_one_snapshot_each_and_are_never_more_than_their_bound() {
    let (_folder, writer, readers) = opened();
    let (begun, wait_begun) = tokio::sync::oneshot::channel();
    let (go, wait) = mpsc::sync_channel(1);
    let count = |db: &rusqlite::Connection| {
        Ok(db.query_row("SELECT count(*) FROM repository", [], |row| row.get::<_, i64>(0))?)
    };
    let slow = readers.run(move |db| {
        let before = count(db)?;
        begun.send(()).expect("the other side waits");
        wait.recv_timeout(SOON).expect("let go");
        Ok((before, count(db)?))
    });
    let meanwhile = async {
        wait_begun.await.unwrap();
        writer.run(Durability::Now, insert("a")).await.unwrap();
        let now = readers.run(count).await.unwrap();
        go.send(()).unwrap();
        now
    };
    let (slow, now) = tokio::join!(slow, meanwhile);
    assert_eq!((slow.unwrap(), now), ((0, 0), 1));
    let refused = readers.run(|db| insert("b")(db)).await.unwrap_err();
    assert_eq!(refused.code(), "storage", "a reader cannot write: {refused}");
    let panic = readers.run(|_db| -> Outcome<()> { panic!("a bug") }).await;
    assert_eq!(panic.unwrap_err().code(), "storage.closed");
    let threads = std::thread::scope(|scope| {
        let ask = || (0..50).map(|_| readers.run_here(count).unwrap()).sum::<i64>();
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<i64>()
    });
    assert_eq!(threads, 20 * 50);
}

#[test]
fn f95_a_schema_of_a_newer_release_is_refused() {
    let (folder, writer, readers) = opened();
    readers.close();
    writer.close();
    let file = folder.path().join("wharf.db");
    let db = rusqlite::Connection::open(&file).unwrap();
    db.pragma_update(None, "user_version", 4_711).unwrap();
    db.close().unwrap();
    let error = Writer::open(&file).map(drop).unwrap_err();
    assert!(matches!(error, Error::Newer { found: 4_711, .. }), "{error}");
    assert_eq!(error.code(), "policy.schema");
}

#[test]
fn f86_after_a_crash_every_page_is_looked_at() {
    let (folder, writer, readers) = opened();
    readers.close();
    writer.close();
    let file = folder.path().join("wharf.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4_096..4_200].fill(0xA5);
    std::fs::write(&file, bytes).unwrap();
    let db = connect::writer(&file).unwrap();
    schema::check(&db, &file, true).unwrap();
    let error = schema::check(&db, &file, false).unwrap_err();
    assert_eq!(error.code(), "storage.damaged", "{error}");
}

fn definition() -> TypeDefinition {
    let field = |name: &str| KeyField { name: name.to_owned(), from_artifact: false };
    TypeDefinition {
        id: "deb".to_owned(),
        display_name: String::new(),
        description: String::new(),
        unit_key: vec![field("name"), field("version")],
        search_indexes: vec![
            vec!["x.y-z$".to_owned(), "name".to_owned()],
            vec!["source".to_owned()],
        ],
        referenced_types: Vec::new(),
        version: 1,
        repo_key: Vec::new(),
        attributes: None,
    }
}

#[tokio::test]
async fn an_index_that_lacks_is_made_though_nothing_changed() {
    let (_folder, writer, readers) = opened();
    let register = |db: &rusqlite::Connection| types::register(db, "p", "1", &[definition()]);
    writer.run(Durability::Now, register).await.unwrap();
    let plan = || readers.run(|db| Ok(types::plan(db, "p", &[definition()], &[])?.len()));
    assert_eq!(plan().await.unwrap(), 0);
    let drop = |db: &rusqlite::Connection| -> Outcome<()> {
        db.execute_batch("DROP INDEX \"search 1 attributes.source\"")?;
        Ok(())
    };
    writer.run(Durability::Now, drop).await.unwrap();
    assert_eq!(plan().await.unwrap(), 1);
    writer.run(Durability::Now, register).await.unwrap();
    assert_eq!(plan().await.unwrap(), 0);
}

#[tokio::test]
async fn key_and_declared_searches_are_served_by_their_indexes() {
    let (_folder, writer, readers) = opened();
    let register = |db: &rusqlite::Connection| types::register(db, "p", "1", &[definition()]);
    writer.run(Durability::Now, register).await.unwrap();
    let plan = readers.run(|db| {
        let id = types::by_name(db, "deb")?.unwrap().id;
        let plan = |name: &str| -> Outcome<String> {
            let definition = types::by_id(db, id)?.unwrap();
            let expression = query::expression(name, Some(&definition), "u.")?;
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT m.unit FROM unit u CROSS JOIN membership m
                    ON m.repository = ?1 AND m.unit = u.id
                 WHERE u.id > ?3{} AND {expression} IS ?2",
                query::of_types(&[id], "u.type")
            );
            Ok(db.query_row(&sql, (1, "x", 0), |row| row.get("detail"))?)
        };
        Ok((plan("name")?, plan("x.y-z$")?, plan("source")?, plan("version")?))
    });
    let (name, odd, source, later) = plan.await.unwrap();
    assert!(name.contains("search 1 key.name key.version"), "{name}");
    assert!(odd.contains("search 1 attributes.x.y-z$ key.name"), "{odd}");
    assert!(source.contains("search 1 attributes.source"), "{source}");
    assert!(!later.contains("search"), "a later field alone is not served: {later}");
    let filter = vec![FieldEquals { name: "source".to_owned(), value: "\"x\"".to_owned() }];
    writer.run(Durability::Now, insert("r")).await.unwrap();
    let version = |db: &rusqlite::Connection| {
        Ok(db.execute("INSERT INTO version VALUES (1, 0, 0, NULL, 0, 0, 0, '')", [])?)
    };
    writer.run(Durability::Now, version).await.unwrap();
    let query = UnitQuery { types: vec![crate::model::TypeId(1)], filter, ..UnitQuery::default() };
    let found = readers.run(move |db| query::units(db, RepositoryId(1), 0, &query));
    assert_eq!(found.await.unwrap(), []);
}
