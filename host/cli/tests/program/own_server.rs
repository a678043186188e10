//! The program with a real server: inside a command, or as `wharf serve`.

use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use super::{DEADLINE, code, data, err, last_object, out, run, send, wharf};

#[tokio::test]
async fn without_a_server_a_command_runs_one_and_leaves_none() {
    let data = data();
    let made = run(data.path(), "repo create tools").await;
    assert_eq!((out(&made).as_str(), err(&made).as_str()), ("tools created\n", ""));
    let list = run(data.path(), "repo --output json").await;
    assert_eq!(last_object(&list)["repositories"][0]["name"], "tools");
    for left in ["api.sock", "server.json"] {
        assert!(!data.path().join(left).exists(), "{left}");
    }
    let again = run(data.path(), "repo create tools").await;
    assert_eq!(again.status.code(), Some(2), "{}", err(&again));
}

#[tokio::test]
async fn commands_at_the_same_time_share_one_server() {
    let data = data();
    let commands: Vec<Child> = (0..5)
        .map(|number| wharf(data.path(), &format!("repo create r{number}")).spawn().unwrap())
        .collect();
    for command in commands {
        assert_eq!(code(command).await, Some(0));
    }
    let list = last_object(&run(data.path(), "repo list --output json").await);
    assert_eq!(list["repositories"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_job_cannot_be_left_to_a_server_that_ends_with_the_command() {
    let data = data();
    let output = run(data.path(), "sync tools --no-wait --output json").await;
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(last_object(&output)["problem"]["code"], "usage");
}

#[tokio::test]
async fn f162_a_server_announces_itself_ignores_a_hangup_and_stops_on_sigterm() {
    let data = data();
    let mut command = wharf(data.path(), "serve --listen 127.0.0.1:0 --output json");
    let mut serve = command.stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(serve.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(DEADLINE, lines.next_line()).await.unwrap().unwrap().unwrap();
    let announced: Value = serde_json::from_str(&line).unwrap();
    assert!(announced["server"]["content"].as_str().unwrap().starts_with("http://127.0.0.1:"));

    let second = run(data.path(), "serve --listen 127.0.0.1:0").await;
    assert_eq!(second.status.code(), Some(2));
    let pid = serve.id().unwrap();
    assert!(err(&second).contains(&format!("process {pid} uses")), "{}", err(&second));

    send(&serve, Signal::HUP);
    let status = last_object(&run(data.path(), "status --output json").await);
    assert_eq!((&status["running"], &status["server"]["pid"]), (&json!(true), &json!(pid)));

    send(&serve, Signal::TERM);
    assert_eq!(code(serve).await, Some(0));
    let status = last_object(&run(data.path(), "status --output json").await);
    assert_eq!(status["running"], false);
}

#[tokio::test]
async fn a_demo_that_cannot_be_shown_says_why_and_leaves_nothing() {
    let (data, temporary, empty) = (data(), data(), data());
    let line = format!("demo {}", empty.path().display());
    let output = wharf(data.path(), &line).env("TMPDIR", temporary.path()).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("holds no files"), "{}", err(&output));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);

    let line = format!("demo {}", temporary.path().display());
    let output = wharf(data.path(), &line).env("TMPDIR", temporary.path()).output().await.unwrap();
    assert!(err(&output).contains("inside the source"), "{}", err(&output));
}

// F75, H113
#[tokio::test]
async fn a_crash_loop_is_said_so_with_count_reason_and_next_try() {
    let data = data();
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/plugins");
    let mut command = wharf(data.path(), "serve --listen 127.0.0.1:0 --output json");
    command.env("WHARF_PLUGIN_PATH", plugins).stderr(Stdio::null());
    let mut serve = command.spawn().unwrap();
    let mut lines = BufReader::new(serve.stdout.take().unwrap()).lines();
    tokio::time::timeout(DEADLINE, lines.next_line()).await.unwrap().unwrap().unwrap();
    run(data.path(), "repo create tools").await;

    // The pauses grow, so that the loop is seen however slow the machine is.
    let looping = async {
        loop {
            let failed = run(data.path(), "attach tools handshake.importer").await;
            assert_eq!(failed.status.code(), Some(4), "{}", err(&failed));
            let told = out(&run(data.path(), "plugin list").await);
            if told.contains("crash-loop") {
                return told;
            }
        }
    };
    let told = tokio::time::timeout(DEADLINE, looping).await.unwrap();
    assert!(told.contains("times in a row, tried again in "), "{told}");
    assert!(told.contains("ended before the handshake: it ended with status 0"), "{told}");

    send(&serve, Signal::TERM);
    assert_eq!(code(serve).await, Some(0));
}
