//! Running other programs for a call: what is told of them, and that none is left.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "helpers of tests")]

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use wharf_sdk::testing::{FakeHost, Harness};
use wharf_sdk::tool::{self, Command, Options};
use wharf_sdk::wire::event::Event;
use wharf_sdk::wire::{ErrorClass, Log};
use wharf_sdk::{
    BuildRequest, Builder, Component, Context, Done, Error, Plugin, Stage, async_trait,
};

const MANIFEST: &str = r#"{
    "manifest_version": 1, "name": "sample", "version": "1.2.3",
    "components": [{ "id": "builder", "role": "builder", "operations": ["build"] }]
}"#;
const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a script of the shell.
struct Runs;

#[derive(Deserialize)]
struct Parameters {
    script: String,
    #[serde(default = "a_minute")]
    limit_ms: u64,
    #[serde(default)]
    capture: Option<usize>,
}

fn a_minute() -> u64 {
    60_000
}

impl Component for Runs {}

#[async_trait]
impl Builder for Runs {
    async fn build(&self, request: BuildRequest, context: &Context) -> Result<Done, Error> {
        let parameters: Parameters = request.parameters()?;
        let mut options = Options::new("trying")
            .limit(Duration::from_millis(parameters.limit_ms))
            .progress(tool::percent);
        if let Some(max) = parameters.capture {
            options = options.capture(max);
        }
        let command = Command::new("sh").args(["-c", &parameters.script]);
        let output = tool::run(context, &command, &options).await?;
        Done::changed().summary(&json!({ "text": output.text(), "last": output.last_lines }))
    }
}

fn harness() -> Harness {
    Harness::start(Plugin::new(MANIFEST).builder("builder", Runs), FakeHost::new())
}

fn texts(logs: &[Log]) -> Vec<&str> {
    logs.iter().map(|log| log.text.as_str()).collect()
}

/// Waits until the process that wrote its number into a file is gone.
async fn gone(file: &Path) {
    let pid = std::fs::read_to_string(file).unwrap();
    let place = format!("/proc/{}/stat", pid.trim());
    let deadline = Instant::now() + DEADLINE;
    // Whoever adopted it may take a moment to notice that it ended.
    let alive = || std::fs::read_to_string(&place).is_ok_and(|stat| !stat.contains(") Z "));
    while alive() {
        assert!(Instant::now() < deadline, "{place} is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn lines_are_logged_and_progress_is_shown() {
    let harness = harness();
    let script = r"echo one; echo two >&2; printf '  (50.00/100%%)\r'; printf rest";
    let run = harness.call("builder").settings(&json!({ "script": script })).build(Stage::Base);
    let run = run.await;
    assert!(run.done().changed);
    let mut logged = texts(&run.logs);
    logged.sort_unstable();
    assert_eq!(logged, ["one", "rest", "two"]);
    assert!(run.logs.iter().all(|log| log.fields["tool"] == "sh"));
    let last = run.progress.last().unwrap();
    assert_eq!((last.done, last.total), (50, 100));
    assert_eq!((last.phase.as_str(), last.activity.as_str()), ("trying", "sh"));
}

#[tokio::test]
async fn output_is_kept_instead_of_logged_when_it_is_asked_for() {
    let harness = harness();
    let settings = json!({ "script": "printf 'a\\nb'; echo note >&2", "capture": 3 });
    let run = harness.call("builder").settings(&settings).build(Stage::Base).await;
    assert_eq!(texts(&run.logs), ["note"]);
    assert!(run.done().summary.contains(r#""text":"a\nb""#), "{}", run.done().summary);
    let settings = json!({ "script": "echo abcd; exec cat", "capture": 4 });
    let run = harness.call("builder").settings(&settings).build(Stage::Base).await;
    assert_eq!(run.failure().code, "limit.output");
}

#[tokio::test]
async fn a_failure_tells_command_status_and_last_lines() {
    let harness = harness();
    let script = "for i in $(seq 1 25); do echo line $i; done; exit 3";
    let run = harness.call("builder").settings(&json!({ "script": script })).build(Stage::Base);
    let run = run.await;
    let error = run.failure();
    assert_eq!(error.class(), ErrorClass::Operation);
    assert!(error.message.starts_with("`sh -c "), "{}", error.message);
    assert!(error.message.contains("exit status: 3"), "{}", error.message);
    assert!(error.message.contains("\n  line 6\n"), "{}", error.message);
    assert!(error.message.ends_with("\n  line 25"), "{}", error.message);
    assert!(!error.message.contains("line 5\n"), "{}", error.message);
}

#[tokio::test]
async fn a_missing_program_names_the_package_that_brings_it() {
    struct Missing;
    impl Component for Missing {}
    #[async_trait]
    impl Builder for Missing {
        async fn build(&self, _: BuildRequest, context: &Context) -> Result<Done, Error> {
            let command = Command::new("no-such-tool").package("no-such-package");
            tool::run(context, &command, &Options::new("trying")).await?;
            Ok(Done::changed())
        }
    }
    let plugin = Plugin::new(MANIFEST).builder("builder", Missing);
    let harness = Harness::start(plugin, FakeHost::new());
    let run = harness.call("builder").build(Stage::Base).await;
    assert_eq!(run.failure().class(), ErrorClass::Usage);
    assert!(run.failure().message.contains("apt-get install no-such-package"));
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended_with_all_that_it_started() {
    let harness = harness();
    let script =
        "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > pid; exec sleep 1000' & echo waiting; wait";
    let settings = json!({ "script": script, "limit_ms": 700 });
    let run = harness.call("builder").settings(&settings).build(Stage::Base).await;
    assert_eq!(run.failure().code, "limit.time");
    assert!(run.failure().message.contains("\n  waiting"), "{}", run.failure().message);
    gone(&harness.work_dir().join("pid")).await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_is_ended_and_holds_nothing_up() {
    let harness = harness();
    let script =
        "sh -c 'echo $$ > pid; exec sleep 1000' & while ! [ -s pid ]; do :; done; echo done";
    let run = harness.call("builder").settings(&json!({ "script": script })).build(Stage::Base);
    let run = tokio::time::timeout(DEADLINE, run).await.unwrap();
    assert!(run.done().changed);
    gone(&harness.work_dir().join("pid")).await;
}

#[tokio::test]
async fn a_cancelled_call_leaves_no_process() {
    let harness = harness();
    let script = "sh -c 'echo $$ > pid; echo started; exec sleep 1000' & wait";
    let settings = json!({ "script": script });
    let mut running = harness.call("builder").settings(&settings).start_build(Stage::Base).await;
    while let Some(event) = running.next().await.unwrap() {
        if matches!(&event, Event::Log(log) if log.text == "started") {
            break;
        }
    }
    drop(running);
    gone(&harness.work_dir().join("pid")).await;
}
