//! Migrations through the harness: which number, which units, and a manifest that must agree.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wharf_sdk::testing::{FakeHost, Harness};
use wharf_sdk::{
    Action, Component, Context, Done, Error, Migration, Migrations, Plugin, Query, Unit,
    async_trait,
};

struct Nothing;
impl Component for Nothing {}
impl Action for Nothing {}

struct Shout;

#[async_trait]
impl Migrations for Shout {
    async fn migrate(&self, migration: Migration, context: &Context) -> Result<Done, Error> {
        assert_eq!((migration.number, migration.name.as_str()), (2, "shout"));
        let mut pages = context.units(Query::all()).await?;
        while let Some(page) = pages.next().await? {
            for unit in page {
                let key: BTreeMap<String, String> = unit.read_key()?;
                let shouted = key.into_iter().map(|(name, text)| (name, text.to_uppercase()));
                let shouted: BTreeMap<String, String> = shouted.collect();
                context.unit(Unit::existing("greeting", unit.id()).key(&shouted)?).await?;
            }
        }
        Ok(Done::changed())
    }
}

fn plugin(migrations: &Value) -> Plugin {
    let manifest = json!({
        "name": "hello", "version": "2.0.0", "components": [{ "id": "go", "role": "action" }],
        "migrations": migrations,
    });
    Plugin::new(&manifest.to_string()).action("go", Nothing)
}

#[tokio::test]
async fn a_migration_sends_back_units_with_their_ids() {
    let greeting = |text: &str| Unit::new("greeting").key(&json!({ "text": text })).unwrap();
    let host = FakeHost::new().unit(greeting("hello")).unit(greeting("good morning"));
    let named = json!([{ "number": 2, "name": "shout" }]);
    let harness = Harness::start(plugin(&named).migrations(Shout), host);
    let run = harness.migrate(2).await;
    assert_eq!(run.keys(), [r#"{"text":"HELLO"}"#, r#"{"text":"GOOD MORNING"}"#]);
    assert_eq!(run.units.iter().map(|unit| unit.id).collect::<Vec<_>>(), [1, 2]);
    assert!(run.done().changed);
    let unknown = harness.migrate(3).await;
    assert_eq!(unknown.status.map(|status| status.code()), Some(tonic::Code::NotFound));
}

#[tokio::test]
#[should_panic(expected = "names migrations, but the program registers none")]
async fn migrations_that_nobody_runs_are_told_at_start() {
    Harness::start(plugin(&json!([{ "number": 1, "name": "a" }])), FakeHost::new());
}

#[tokio::test]
#[should_panic(expected = "names no migrations, but the program registers some")]
async fn migrations_that_nobody_names_are_told_at_start() {
    Harness::start(plugin(&json!([])).migrations(Shout), FakeHost::new());
}
