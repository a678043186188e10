//! Calls as a host makes them, through the real codec, without a process.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;
use wharf_sdk::testing::{FakeHost, Harness};
use wharf_sdk::wire::event::Event;
use wharf_sdk::wire::{ErrorClass, ErrorScope, Outcome as WireOutcome};
use wharf_sdk::{
    Component, Context, Done, Download, Error, File, Importer, Keep, Level, ListRequest, Outcome,
    Plugin, Progress, Query, State, StateScope, SyncRequest, Unit, UnitRef, async_trait,
};

const MANIFEST: &str = r#"{
    "manifest_version": 1, "name": "sample", "version": "1.2.3",
    "components": [{ "id": "importer", "role": "importer", "profile": "content",
                     "operations": ["sync"], "content_types": ["thing"] }]
}"#;
const TYPES: &str = r#"{"types": [{"id": "thing", "display_name": "Thing", "description": "",
    "unit_key": ["name", {"name": "sha256", "from": "artifact"}]}]}"#;
const DEADLINE: Duration = Duration::from_secs(10);

/// An importer that does what its `task` setting says.
#[derive(Clone, Default)]
struct Sample {
    started: Arc<Notify>,
    dropped: Arc<AtomicBool>,
}

struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Component for Sample {}

fn thing(name: &str) -> Result<Unit, Error> {
    Unit::new("thing").key(&json!({ "name": name }))
}

async fn tell_everything(context: &Context) -> Result<Done, Error> {
    context.log(Level::INFO, "hello").await;
    context.progress(Progress::new(1, 2).unit("files").phase("reading")).await;
    context.warn("content.odd", "looks odd", "a").await?;
    context.item("left", Outcome::Skipped).await?;
    context.failed("bad", Error::operation("source.gone", "it is gone")).await?;
    let file = File::at("a/b").size(3).sha256(&"0".repeat(64)).url("https://x.example/a/b");
    context.unit(thing("a")?.attributes(&json!({ "n": 1 }))?.file(file)).await?;
    context.keep(Keep::field("thing", "n", &7)?).await?;
    context.remove(UnitRef::key("thing", &json!({ "name": "old" }))?).await?;
    context.metadata(&json!({ "suite": "x" })).await?;
    context.link("more", "https://x.example/").await?;
    context.checkpoint(*b"here").await?;
    Done::changed().announced(3).summary(&json!({ "lines": 3 }))?.state(&json!({ "etag": "x" }))
}

async fn ask_everything(context: &Context) -> Result<Done, Error> {
    let secret = context.secret("password").await?;
    let revision = context
        .put_state(StateScope::Attachment, "k", State { revision: 0, value: secret.to_vec() }, true)
        .await?;
    let lost = context.put_state(StateScope::Attachment, "k", State::default(), false).await;
    assert_eq!(lost.unwrap_err().code(), "conflict");
    let kept = context.get_state(StateScope::Attachment, "k").await?.unwrap();
    assert_eq!((kept.revision, kept.value), (revision, b"secret".to_vec()));
    assert_eq!(context.get_state(StateScope::Instance, "k").await?, None);
    let mut pages = context.units(Query::all().of_type("thing").order_by(&["name"])).await?;
    while let Some(page) = pages.next().await? {
        for unit in page {
            context.unit(unit).await?;
        }
    }
    let urls = ["https://x.example/a", "https://x.example/none"];
    let mut downloads = context.download_all(urls.map(Download::from_url).to_vec()).await?;
    let (first, got) = downloads.next().await?.unwrap();
    let got = got?;
    let text = std::fs::read_to_string(context.in_work_dir(got.staged.unwrap())).unwrap();
    assert_eq!((first, text.as_str(), got.size), (0, "bytes", 5));
    let (second, missing) = downloads.next().await?.unwrap();
    assert_eq!((second, missing.unwrap_err().code()), (1, "source.not_found"));
    assert!(downloads.next().await?.is_none());
    let digests = vec![got.digest.clone(), format!("sha256:{}", "0".repeat(64))];
    assert_eq!(context.has_artifacts(digests).await?, [true, false]);
    let mut artifact = context.open_artifact(&got.digest, 2).await?;
    assert_eq!(artifact.next().await?.unwrap().as_ref(), b"tes");
    let again = Download::from_url(urls[0]).unless_unchanged(&got.etag, "");
    assert!(context.download(again).await?.not_modified);
    Ok(Done::unchanged())
}

#[async_trait]
impl Importer for Sample {
    async fn sync(&self, request: SyncRequest, context: &Context) -> Result<Done, Error> {
        let settings: serde_json::Value = request.attachment.settings()?;
        let _dropped = OnDrop(Arc::clone(&self.dropped));
        self.started.notify_one();
        match settings["task"].as_str().unwrap_or_default() {
            "tell" => tell_everything(context).await,
            "ask" => ask_everything(context).await,
            "many" => {
                for n in 0..2_500 {
                    context.unit(thing(&n.to_string())?).await?;
                }
                Ok(Done::changed())
            }
            "large" => {
                for n in 0..30 {
                    let body = "x".repeat(100_000);
                    context
                        .unit(thing(&n.to_string())?.attributes(&json!({ "body": body }))?)
                        .await?;
                }
                Ok(Done::changed())
            }
            "huge" => {
                let body = "x".repeat(2 << 20);
                context.unit(thing("a")?.attributes(&json!({ "body": body }))?).await?;
                Ok(Done::changed())
            }
            "endless" => loop {
                context.unit(thing("again")?).await?;
            },
            "some" => {
                for name in ["a", "b", "c"].into_iter().filter(|name| request.wants(name)) {
                    context.unit(thing(name)?).await?;
                }
                Ok(Done::changed())
            }
            "skip" => {
                context.skipped("out", "source.link", "out: it is a link").await?;
                Ok(Done::changed())
            }
            "stuck" => std::future::pending().await,
            "panic" => panic!("on purpose"),
            "usage" => Err(Error::usage("config.task", "no such task").at_field("/task")),
            "leak" => {
                // A clone that outlives its call must not hold the call open, nor be heard.
                let leaked = context.clone();
                let later = async move { drop(leaked.unit(Unit::new("thing")).await) };
                tokio_util::task::TaskTracker::new().spawn(async move {
                    tokio::time::sleep(Duration::from_mins(10)).await;
                    later.await;
                });
                Ok(Done::unchanged())
            }
            other => panic!("no task {other:?}"),
        }
    }
}

fn harness(sample: Sample, host: FakeHost) -> Harness {
    let plugin = Plugin::new(MANIFEST).types(TYPES).importer("importer", sample);
    Harness::start(plugin.grace(Duration::from_millis(100)), host)
}

async fn run(task: &str) -> wharf_sdk::testing::Run {
    let harness = harness(Sample::default(), FakeHost::new());
    harness.call("importer").settings(&json!({ "task": task })).sync().await
}

#[tokio::test]
async fn describe_is_the_manifest() {
    let describe = harness(Sample::default(), FakeHost::new()).describe().await;
    assert_eq!((describe.name.as_str(), describe.version.as_str()), ("sample", "1.2.3"));
    let component = &describe.components[0];
    assert_eq!((component.id.as_str(), component.role.as_str()), ("importer", "importer"));
    assert_eq!(component.operations, ["sync"]);
    assert_eq!(
        (component.types.as_slice(), describe.types.as_slice()),
        (["thing".into()].as_slice(), ["thing".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn everything_told_arrives() {
    let run = run("tell").await;
    let done = run.done();
    assert_eq!((done.changed, done.announced), (true, Some(3)));
    assert_eq!(
        (done.summary.as_str(), done.state.as_slice()),
        (r#"{"lines":3}"#, br#"{"etag":"x"}"#.as_slice())
    );
    assert_eq!(run.logs[0].text, "hello");
    assert_eq!((run.progress[0].done, run.progress[0].phase.as_str()), (1, "reading"));
    assert_eq!(run.warnings[0].code, "content.odd");
    assert_eq!(run.items[0].outcome(), WireOutcome::Skipped);
    assert_eq!(run.items[1].outcome(), WireOutcome::Failed);
    let error = run.items[1].error.as_ref().unwrap();
    assert_eq!((error.scope(), error.item.as_str()), (ErrorScope::Item, "bad"));
    assert_eq!(run.units[0].attributes, r#"{"n":1}"#);
    assert_eq!(run.units[0].files[0].digests, [format!("sha256:{}", "0".repeat(64))]);
    assert_eq!(run.kept[0].field.as_ref().unwrap().value, "7");
    assert_eq!(run.removed[0].key, r#"{"name":"old"}"#);
    assert!(run.others.iter().any(|event| matches!(event, Event::Metadata(_))));
    assert!(run.others.iter().any(|event| matches!(event, Event::Link(_))));
}

#[tokio::test]
async fn an_item_left_out_is_told_with_a_warning_that_names_it() {
    let run = run("skip").await;
    let [warning] = run.warnings.as_slice() else { panic!("{:?}", run.warnings) };
    assert_eq!((warning.code.as_str(), warning.item.as_str()), ("source.link", "out"));
    assert_eq!(warning.text, "out: it is a link");
    let [item] = run.items.as_slice() else { panic!("{:?}", run.items) };
    assert_eq!((item.key.as_str(), item.outcome()), ("out", WireOutcome::Skipped));
    assert_eq!(item.error, None);
}

#[tokio::test]
async fn a_sync_is_asked_for_some_items_or_for_all() {
    let harness = harness(Sample::default(), FakeHost::new());
    let cases: [(&[&str], &[&str]); 3] =
        [(&[], &["a", "b", "c"]), (&["c", "a"], &["a", "c"]), (&["A", "d"], &[])];
    for (only, told) in cases {
        let call = harness.call("importer").settings(&json!({ "task": "some" }));
        let run = call.only(only).sync().await;
        let keys: Vec<_> = run.units.iter().map(|unit| unit.key.clone()).collect();
        let expected: Vec<_> =
            told.iter().map(|name| json!({ "name": name }).to_string()).collect();
        assert_eq!(keys, expected, "{only:?}");
    }
}

#[tokio::test]
async fn a_checkpoint_comes_behind_what_it_covers() {
    let harness = harness(Sample::default(), FakeHost::new());
    let mut running =
        harness.call("importer").settings(&json!({ "task": "tell" })).start_sync().await;
    let mut units = 0;
    while let Some(event) = running.next().await.unwrap() {
        match event {
            Event::Units(batch) => units += batch.units.len(),
            Event::Checkpoint(_) => assert_eq!(units, 1),
            _ => {}
        }
    }
}

#[tokio::test]
async fn everything_asked_is_answered() {
    let host = FakeHost::new()
        .secret("password", "secret")
        .file("https://x.example/a", "bytes")
        .unit(thing("b").unwrap())
        .unit(thing("a").unwrap());
    let harness = harness(Sample::default(), host.clone());
    let run = harness.call("importer").settings(&json!({ "task": "ask" })).sync().await;
    assert!(!run.done().changed);
    assert_eq!(run.keys(), [r#"{"name":"a"}"#, r#"{"name":"b"}"#]);
    let asked = host.requests();
    assert_eq!(asked.last().map(String::as_str), Some("https://x.example/a (unchanged)"));
}

#[tokio::test]
async fn units_come_in_batches_of_a_thousand() {
    let run = run("many").await;
    assert_eq!(run.units.len(), 2_500);
    assert!(run.done().changed);
}

#[tokio::test]
async fn large_units_come_in_messages_below_a_mebibyte() {
    let run = run("large").await;
    assert_eq!(run.units.len(), 30);
}

#[tokio::test]
async fn a_unit_larger_than_a_message_is_a_fault_that_says_so() {
    let run = run("huge").await;
    assert_eq!(
        (run.failure().class(), run.failure().code.as_str()),
        (ErrorClass::Fault, "limit.message")
    );
}

#[tokio::test]
async fn an_expected_error_is_an_event() {
    let run = run("usage").await;
    let error = run.failure();
    assert_eq!((error.class(), error.code.as_str()), (ErrorClass::Usage, "config.task"));
    assert_eq!(error.field, "/task");
}

#[tokio::test]
async fn a_panic_is_a_fault_of_its_call_and_the_next_call_works() {
    let harness = harness(Sample::default(), FakeHost::new());
    let run = harness.call("importer").settings(&json!({ "task": "panic" })).sync().await;
    assert_eq!(run.failure().class(), ErrorClass::Fault);
    assert!(run.failure().message.contains("on purpose"), "{}", run.failure().message);
    let run = harness.call("importer").settings(&json!({ "task": "many" })).sync().await;
    assert_eq!(run.units.len(), 2_500);
}

#[tokio::test]
async fn a_dropped_call_ends_a_method_that_waits_for_the_host() {
    let sample = Sample::default();
    let harness = harness(sample.clone(), FakeHost::new());
    let mut running =
        harness.call("importer").settings(&json!({ "task": "endless" })).start_sync().await;
    assert!(matches!(running.next().await, Ok(Some(Event::Units(_)))));
    drop(running);
    becomes_true(&sample.dropped).await;
}

#[tokio::test]
async fn a_dropped_call_ends_a_method_that_is_stuck_after_its_grace() {
    let sample = Sample::default();
    let harness = harness(sample.clone(), FakeHost::new());
    let running = harness.call("importer").settings(&json!({ "task": "stuck" })).start_sync().await;
    sample.started.notified().await;
    drop(running);
    becomes_true(&sample.dropped).await;
}

#[tokio::test]
async fn stopping_cancels_running_calls_and_refuses_new_ones_p53() {
    let sample = Sample::default();
    let harness = harness(sample.clone(), FakeHost::new());
    let running = harness.call("importer").settings(&json!({ "task": "stuck" })).start_sync().await;
    sample.started.notified().await;
    harness.stop();
    let run = tokio::time::timeout(DEADLINE, running.finish()).await.unwrap();
    assert_eq!(run.failure().class(), ErrorClass::Cancelled);
    let refused = harness.call("importer").sync().await;
    assert_eq!(refused.status.map(|status| status.code()), Some(tonic::Code::Unavailable));
}

#[tokio::test]
async fn a_leaked_context_does_not_hold_the_call_open() {
    let run = tokio::time::timeout(DEADLINE, run("leak")).await.unwrap();
    assert!(!run.done().changed);
}

#[tokio::test]
async fn what_is_not_offered_is_unimplemented() {
    let harness = harness(Sample::default(), FakeHost::new());
    let run = harness.call("importer").list().await;
    assert_eq!(run.status.map(|status| status.code()), Some(tonic::Code::Unimplemented));
    let run = harness.call("importer").publish().await;
    assert_eq!(run.status.map(|status| status.code()), Some(tonic::Code::Unimplemented));
    let run = harness.call("nobody").sync().await;
    assert_eq!(run.status.map(|status| status.code()), Some(tonic::Code::NotFound));
}

#[tokio::test]
#[should_panic(expected = "lacks \"name\"")]
async fn the_harness_refuses_a_unit_without_its_whole_key() {
    struct Half;
    impl Component for Half {}
    #[async_trait]
    impl Importer for Half {
        async fn sync(&self, _: SyncRequest, context: &Context) -> Result<Done, Error> {
            context.unit(Unit::new("thing").key_json(r#"{"other":1}"#)).await?;
            Ok(Done::changed())
        }
    }
    let plugin = Plugin::new(MANIFEST).types(TYPES).importer("importer", Half);
    Harness::start(plugin, FakeHost::new()).call("importer").sync().await;
}

#[tokio::test]
#[should_panic(expected = "registers nothing under that id")]
async fn a_component_without_an_answer_is_told_at_start() {
    drop(Harness::start(Plugin::new(MANIFEST), FakeHost::new()));
}

#[tokio::test]
async fn a_listing_has_a_cursor_and_revisions() {
    struct Lister;
    impl Component for Lister {}
    #[async_trait]
    impl Importer for Lister {
        async fn list(&self, request: ListRequest, context: &Context) -> Result<Done, Error> {
            assert!(request.cursor.is_empty());
            let unit = thing("a")?.file(File::at("a"));
            context.listed(wharf_sdk::ListedItem::new(unit).revision("7").modified_ms(5)).await?;
            context.cursor("behind-a").await?;
            Ok(Done::changed())
        }
    }
    let plugin = Plugin::new(MANIFEST).types(TYPES).importer("importer", Lister);
    let harness = Harness::start(plugin, FakeHost::new());
    let run = harness.call("importer").list().await;
    assert_eq!((run.listed[0].revision.as_str(), run.listed[0].modified_ms), ("7", 5));
}

#[tokio::test]
async fn a_listing_is_asked_for_some_items_or_for_all() {
    struct Lister;
    impl Component for Lister {}
    #[async_trait]
    impl Importer for Lister {
        async fn list(&self, request: ListRequest, context: &Context) -> Result<Done, Error> {
            for name in ["a", "b"].into_iter().filter(|name| request.wants(name)) {
                let unit = thing(name)?.file(File::at(name));
                context.listed(wharf_sdk::ListedItem::new(unit)).await?;
            }
            Ok(Done::changed())
        }
    }
    let plugin = Plugin::new(MANIFEST).types(TYPES).importer("importer", Lister);
    let harness = Harness::start(plugin, FakeHost::new());
    for (only, listed) in [(vec![], 2), (vec!["b"], 1), (vec!["b/"], 0)] {
        let run = harness.call("importer").only(&only).list().await;
        assert_eq!(run.listed.len(), listed, "{only:?}");
    }
}

async fn becomes_true(flag: &AtomicBool) {
    let wait = async {
        while !flag.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.expect("the method was dropped");
}
