//! How `SQLite` means to answer: what is asked for by an indexed field is found by an index, and nothing is read through.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::{Outcome, connect, query, schema, search, types};
use crate::model::{
    FieldEquals, FieldMatch, KeyField, Match, RepositoryId, TypeDefinition, TypeId, UnitCursor,
    UnitId, UnitOrder, UnitSearch,
};

const REPOSITORY: RepositoryId = RepositoryId(1);

fn definition(id: &str, key: &[&str], indexes: &[&[&str]]) -> TypeDefinition {
    let field = |name: &&str| KeyField { name: (*name).to_owned(), from_artifact: false };
    let index = |fields: &&[&str]| fields.iter().map(|field| (*field).to_owned()).collect();
    TypeDefinition {
        id: id.to_owned(),
        display_name: String::new(),
        description: String::new(),
        unit_key: key.iter().map(field).collect(),
        search_indexes: indexes.iter().map(index).collect(),
        referenced_types: Vec::new(),
        version: 1,
        repo_key: Vec::new(),
        attributes: None,
    }
}

/// Three types: two have an index for `name`; of the third, that has none, there is no unit. All units are in version 0.
fn filled() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wharf.db");
    let mut db = connect::writer(&file).unwrap();
    schema::prepare(&mut db, &file).unwrap();
    let kinds = [
        definition("deb", &["name", "version"], &[&["source"]]),
        definition("tag", &["text"], &[&["name"]]),
        definition("other", &["path"], &[]),
    ];
    types::register(&db, "p", "1", &kinds).unwrap();
    db.execute_batch(
        "INSERT INTO repository (id, name, types, created_ms, version, units)
            VALUES (1, 'r', '[]', 0, 0, 0);
         INSERT INTO version VALUES (1, 0, 0, NULL, 0, 0, 0, '');
         INSERT INTO unit (id, type, key_hash, key_digest, key, attributes) VALUES
            (1, 1, 0, x'01', '{\"name\":\"a\",\"version\":\"1\"}', '{\"source\":\"s\"}'),
            (2, 2, 0, x'02', '{\"text\":\"a\"}', '{\"name\":\"a\"}');
         INSERT INTO membership (repository, unit, added_in) VALUES (1, 1, 0), (1, 2, 0);",
    )
    .unwrap();
    (folder, db)
}

fn plan(db: &Connection, sql: &str, values: &[Value]) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.query_map(params_from_iter(values), |row| row.get("detail")).unwrap();
    steps.collect::<Result<_, _>>().unwrap()
}

/// Whether neither all units nor all that a version holds are read.
fn reads_through(plan: &[String]) -> bool {
    plan.iter().any(|step| {
        (step.starts_with("SCAN u") && !step.contains("USING INDEX search"))
            || step.starts_with("SEARCH u USING INTEGER PRIMARY KEY (rowid>")
            || step.starts_with("SCAN m")
            || (step.starts_with("SEARCH m") && !step.contains("unit=?"))
    })
}

fn uses(plan: &[String], index: &str) -> bool {
    plan.iter().any(|step| step.contains(index))
}

#[test]
fn units_that_are_kept_by_a_field_are_found_by_their_types_index() {
    let (_folder, db) = filled();
    let filter = [FieldEquals { name: "name".to_owned(), value: "\"a\"".to_owned() }];
    let asked = |wanted: &[TypeId]| {
        let question = query::Question::new(&db, (REPOSITORY, 0, None), wanted, &filter).unwrap();
        plan(&db, &question.statement("ORDER BY m.unit"), &question.values)
    };
    for (id, index) in [(1, "search 1 key.name key.version"), (2, "search 2 attributes.name")] {
        let plan = asked(&[TypeId(id)]);
        assert!(uses(&plan, index) && !reads_through(&plan), "{plan:#?}");
    }
    assert!(reads_through(&asked(&[])), "all types at once: no index serves");
}

fn explain(db: &Connection, wanted: &UnitSearch) -> Outcome<Vec<String>> {
    let statement = search::statement(db, wanted, 100)?;
    Ok(plan(db, &statement.sql, &statement.values))
}

fn searches(field: &str) -> Vec<UnitSearch> {
    let text = |text: &str| text.to_owned();
    let ways = [Match::Value(text("\"a\"")), Match::Written(text("1")), Match::Prefix(text("a"))];
    let cursor = |value: &str| UnitCursor { value: text(value), unit: UnitId(1) };
    let mut searches = Vec::new();
    for is in ways {
        for version in [None, Some((REPOSITORY, 0))] {
            for (order, after) in
                [(false, None), (false, Some("")), (true, None), (true, Some("\"a\""))]
            {
                let order = order.then(|| UnitOrder { field: text(field), descending: false });
                searches.push(UnitSearch {
                    version,
                    filter: vec![FieldMatch { name: text(field), is: is.clone() }],
                    order,
                    after: after.map(cursor),
                    ..UnitSearch::default()
                });
            }
        }
    }
    searches
}

#[test]
fn a_search_by_an_indexed_field_reads_nothing_through_with_or_without_its_type() {
    let (_folder, db) = filled();
    for search in searches("name") {
        let plan = explain(&db, &search).unwrap();
        assert!(uses(&plan, "search 1 key.name key.version"), "{search:?}\n{plan:#?}");
        assert!(uses(&plan, "search 2 attributes.name"), "{search:?}\n{plan:#?}");
        assert!(!reads_through(&plan), "{search:?}\n{plan:#?}");
    }
    for search in searches("source") {
        let search = UnitSearch { types: vec![TypeId(1)], ..search };
        let plan = explain(&db, &search).unwrap();
        assert!(uses(&plan, "search 1 attributes.source"), "{search:?}\n{plan:#?}");
        assert!(!reads_through(&plan), "{search:?}\n{plan:#?}");
    }
}

#[test]
fn pages_in_the_order_of_an_indexed_field_are_not_sorted_again() {
    let (_folder, db) = filled();
    for version in [None, Some((REPOSITORY, 0))] {
        for (descending, last) in
            [(false, None), (true, None), (false, Some("\"a\"")), (true, Some("\"a\""))]
        {
            let search = UnitSearch {
                version,
                types: vec![TypeId(1)],
                order: Some(UnitOrder { field: "name".to_owned(), descending }),
                after: last
                    .map(|value: &str| UnitCursor { value: value.to_owned(), unit: UnitId(1) }),
                ..UnitSearch::default()
            };
            let plan = explain(&db, &search).unwrap();
            assert!(uses(&plan, "search 1 key.name key.version"), "{search:?}\n{plan:#?}");
            // Only those of the same name are put in the order of their numbers.
            let sorted = plan.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY");
            assert!(!sorted && !reads_through(&plan), "{search:?}\n{plan:#?}");
        }
    }
}
