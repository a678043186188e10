//! The key-value example for embedders: its host drives its plugin, and both stay short.

use std::process::Stdio;

use tokio::process::Command;

use super::{DEADLINE, err, out, probe::built};

const PLUGIN: &str = include_str!("../../../../sdk/rust/examples/kv.rs");
const HOST: &str = include_str!("../../../supervisor/examples/kv-host.rs");

async fn run(program: &str, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(built(program));
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    tokio::time::timeout(DEADLINE, command.output()).await.expect("it ends").unwrap()
}

#[tokio::test]
async fn the_host_puts_and_gets_through_the_plugin_and_stops_it() {
    let output = run("examples/kv-host", &[&built("examples/kv"), "name", "wharf"]).await;
    assert_eq!(out(&output), "name = wharf\nthe plugin ended with status 0\n", "{}", err(&output));
    assert!(output.status.success());
}

// P1
#[tokio::test]
async fn the_plugin_says_what_it_is_when_it_is_run_by_hand() {
    let output = run("examples/kv", &[]).await;
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(err(&output).contains("is a plugin"), "{}", err(&output));
}

#[test]
fn both_have_at_most_60_lines() {
    for (name, text) in [("kv.rs", PLUGIN), ("kv-host.rs", HOST)] {
        assert!(text.lines().count() <= 60, "{name}: {}", text.lines().count());
    }
}
