//! The hello importer of the examples does what the README says of it.

use serde_json::json;
use wharf_sdk::testing::{FakeHost, Harness};

#[allow(dead_code, reason = "the example's main is not called here")]
#[path = "../examples/hello.rs"]
mod example;

const TYPES: &str = include_str!("../examples/hello/types/greeting.json");

#[tokio::test]
async fn it_makes_a_unit_of_every_line() {
    let host = FakeHost::new().file("https://words.example/list", "hello\ngood morning\n");
    let harness = Harness::start(example::plugin().types(TYPES), host);
    let settings = json!({ "url": "https://words.example/list" });
    let run = harness.call("importer").settings(&settings).sync().await;
    assert_eq!(run.keys(), [r#"{"text":"hello"}"#, r#"{"text":"good morning"}"#]);
    assert!(run.done().changed);
}

#[tokio::test]
async fn an_unreachable_list_is_the_hosts_error() {
    let harness = Harness::start(example::plugin().types(TYPES), FakeHost::new());
    let settings = json!({ "url": "https://words.example/none" });
    let run = harness.call("importer").settings(&settings).sync().await;
    assert_eq!(run.failure().code, "source.not_found");
}
