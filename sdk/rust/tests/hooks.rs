//! Hooks through the harness: four decisions, how the step ended, an end, and a manifest that must agree.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "helpers of tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use wharf_sdk::testing::{FakeHost, Harness};
use wharf_sdk::wire::{HookDecision, HookResponse};
use wharf_sdk::{
    Action, After, Before, Component, Contribution, Download, Error, File, HookContext, Hooks,
    Outcome, Plugin, StateScope, Step, Unit, async_trait,
};

const KEY: &str = "https://keys.example/key";
const DEADLINE: Duration = Duration::from_secs(10);
const BEFORE: &str = "before:build.target";
const AFTER: &str = "after:build.target";

struct Nothing;
impl Component for Nothing {}
impl Action for Nothing {}

/// Does what the subject says.
#[derive(Clone, Default)]
struct Signing {
    begun: Arc<Notify>,
    ended: Arc<Notify>,
    seen: Arc<Mutex<Option<Step>>>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    task: String,
}

fn image(name: &str) -> Result<Unit, Error> {
    Unit::new("image").key(&json!({ "name": name }))
}

#[async_trait]
impl Hooks for Signing {
    async fn before(&self, step: Step, context: &HookContext) -> Result<Before, Error> {
        let subject: Subject = step.subject()?;
        match subject.task.as_str() {
            "skip" => return Ok(Before::skip()),
            "replace" => return Ok(Before::replace(image("x")?.file(File::at("x").staged("x")))),
            "refuse" => {
                return Ok(Before::refuse(Error::operation("source.unreachable", "nobody there")));
            }
            "error" => {
                return Err(Error::usage("policy.target", "not this one").at_field("/target"));
            }
            "bug" => panic!("on purpose"),
            "wait" => {
                self.begun.notify_one();
                context.cancelled().await;
                let asked = context.get_state(StateScope::Instance, "x").await;
                self.ended.notify_one();
                asked?;
            }
            _ => {}
        }
        let key = context.download(Download::from_url(KEY)).await?;
        let key = std::fs::read(context.in_work_dir(key.staged.unwrap())).unwrap();
        Ok(Before::proceed().contribution(Contribution::new("file", step.name, key).order(1)))
    }

    async fn after(&self, step: Step, _: &HookContext) -> Result<After, Error> {
        *self.seen.lock().unwrap() = Some(step.clone());
        match (step.error, step.outcome) {
            (Some(_), _) => Err(Error::operation("storage", "the rest cannot be removed")),
            (None, Some(Outcome::Added)) => Ok(After::changed(image("y")?)),
            _ => Ok(After::unchanged()),
        }
    }
}

fn plugin(hooks: &Value) -> Plugin {
    let manifest = json!({
        "name": "hooked", "version": "1",
        "components": [{ "id": "go", "role": "action", "hooks": hooks }],
    });
    Plugin::new(&manifest.to_string()).action("go", Nothing)
}

fn subscribed() -> Plugin {
    plugin(&json!([{ "on": BEFORE }, { "on": AFTER }]))
}

fn harness(hooks: impl Hooks) -> Harness {
    Harness::start(subscribed().hooks(hooks), FakeHost::new().file(KEY, "key"))
}

async fn decide(task: &str) -> HookResponse {
    harness(Signing::default()).hook(BEFORE, &json!({ "task": task })).await.unwrap()
}

#[tokio::test]
async fn a_hook_lets_a_step_proceed_and_gives_something_to_it() {
    let answer = decide("").await;
    assert_eq!(answer.decision(), HookDecision::Proceed);
    let given = &answer.contributions[0];
    assert_eq!((given.kind.as_str(), given.name.as_str()), ("file", "build.target"));
    assert_eq!((given.content.as_slice(), given.order), (b"key".as_slice(), 1));
}

#[tokio::test]
async fn a_hook_skips_a_step_or_makes_its_object_itself() {
    assert_eq!(decide("skip").await.decision(), HookDecision::Skip);
    let replaced = decide("replace").await;
    assert_eq!(replaced.decision(), HookDecision::Replace);
    assert_eq!(replaced.unit.unwrap().files[0].staged.as_deref(), Some("x"));
}

#[tokio::test]
async fn a_hook_refuses_a_step_by_its_answer_or_by_an_error() {
    for (task, code) in [("refuse", "source.unreachable"), ("error", "policy.target")] {
        let refused = decide(task).await;
        assert_eq!(refused.decision(), HookDecision::Refuse, "{task}");
        assert_eq!(refused.error.unwrap().code, code);
    }
}

#[tokio::test]
async fn a_bug_in_a_hook_fails_its_call_and_the_next_one_works() {
    let harness = harness(Signing::default());
    let failed = harness.hook(BEFORE, &json!({ "task": "bug" })).await.unwrap_err();
    assert_eq!(failed.code(), tonic::Code::Internal);
    assert!(failed.message().contains("on purpose"), "{failed}");
    let next = harness.hook(BEFORE, &json!({ "task": "skip" })).await.unwrap();
    assert_eq!(next.decision(), HookDecision::Skip);
}

#[tokio::test]
async fn a_hook_is_told_how_the_step_ended() {
    let hooks = Signing::default();
    let harness = harness(hooks.clone());
    let after = async |ended| Box::pin(harness.hook_after(AFTER, &json!({}), ended)).await.unwrap();
    assert_eq!(after(Ok(Outcome::Added)).await.unit.unwrap().key, r#"{"name":"y"}"#);
    let same = after(Ok(Outcome::Unchanged)).await;
    assert_eq!((same.decision(), same.unit, same.error), (HookDecision::Proceed, None, None));
    let failed = after(Err(Error::usage("config", "bad"))).await;
    assert_eq!(failed.error.unwrap().code, "storage");
    let seen = hooks.seen.lock().unwrap().take().unwrap();
    assert_eq!((seen.name.as_str(), seen.outcome), ("build.target", Some(Outcome::Failed)));
    assert_eq!(seen.error.unwrap().code(), "config");
}

/// Tells what it is told, and notes on what was made that it saw it.
struct Marking;

#[derive(Deserialize)]
struct Mark {
    mark: String,
}

fn staged(context: &HookContext, unit: Option<&Unit>) -> String {
    let path = unit.unwrap().files().find_map(|file| file.staged_path().map(str::to_owned));
    std::fs::read_to_string(context.in_work_dir(path.unwrap())).unwrap()
}

#[async_trait]
impl Hooks for Marking {
    async fn before(&self, step: Step, context: &HookContext) -> Result<Before, Error> {
        let settings: Mark = step.instance.settings()?;
        let parameters: Mark = step.parameters()?;
        let base = staged(context, step.parent.as_ref());
        let told = [step.instance.component, settings.mark, parameters.mark, base].join(" ");
        Ok(Before::proceed().contribution(Contribution::new("file", "/told", told)))
    }

    async fn after(&self, step: Step, context: &HookContext) -> Result<After, Error> {
        let made = staged(context, step.unit.as_ref());
        Ok(After::changed(Unit::new("image").attributes(&json!({ "made": made }))?))
    }
}

#[tokio::test]
async fn a_hook_sees_its_settings_its_parameters_and_the_units_of_the_step() {
    let harness = harness(Marking);
    let image = |text: &str| {
        std::fs::write(harness.work_dir().join(text), text).unwrap();
        Unit::new("image").file(File::at("disk.img").staged(text))
    };
    let told = || {
        let call = harness.call("go").settings(&json!({ "mark": "set" }));
        call.parameters(&json!({ "mark": "asked" })).parent(image("base"))
    };
    let before = told().hook(BEFORE, &json!({})).await.unwrap();
    assert_eq!(before.contributions[0].content, b"go set asked base");
    let after =
        Box::pin(told().made(image("made")).hook_after(AFTER, &json!({}), Ok(Outcome::Added)))
            .await;
    let changed = after.unwrap().unit.unwrap();
    assert_eq!((changed.attributes.as_str(), changed.key.as_str()), (r#"{"made":"made"}"#, ""));
    assert!(changed.files.is_empty());
}

#[tokio::test]
async fn the_end_of_the_plugin_ends_a_hook() {
    let hooks = Signing::default();
    let harness = harness(hooks.clone());
    let stop = async {
        hooks.begun.notified().await;
        harness.stop();
    };
    let subject = json!({ "task": "wait" });
    let both = async { tokio::join!(harness.hook(BEFORE, &subject), stop) };
    let (ended, ()) = tokio::time::timeout(DEADLINE, both).await.unwrap();
    assert_eq!(ended.unwrap_err().code(), tonic::Code::Cancelled);
    let refused = harness.hook(BEFORE, &json!({})).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn a_dropped_hook_is_told_and_may_end_by_itself() {
    let hooks = Signing::default();
    let harness = harness(hooks.clone());
    let subject = json!({ "task": "wait" });
    tokio::select! {
        _ = harness.hook(BEFORE, &subject) => panic!("the hook waits"),
        () = hooks.begun.notified() => {}
    }
    tokio::time::timeout(DEADLINE, hooks.ended.notified()).await.unwrap();
}

#[tokio::test]
async fn what_is_not_answered_is_unimplemented() {
    struct Silent;
    impl Hooks for Silent {}
    let harness = harness(Silent);
    for name in [BEFORE, AFTER, "during:sync"] {
        let refused = harness.hook(name, &json!({})).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unimplemented, "{name}");
    }
    let without = Harness::start(plugin(&json!([])), FakeHost::new());
    let refused = without.hook(BEFORE, &json!({})).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
}

#[tokio::test]
#[should_panic(expected = "names hooks, but the program registers none")]
async fn hooks_that_nobody_answers_are_told_at_start() {
    Harness::start(subscribed(), FakeHost::new());
}

#[tokio::test]
#[should_panic(expected = "names no hooks, but the program registers some")]
async fn hooks_that_nobody_subscribes_to_are_told_at_start() {
    Harness::start(plugin(&json!([])).hooks(Signing::default()), FakeHost::new());
}
