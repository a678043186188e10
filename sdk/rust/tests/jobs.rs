//! What a call asks of the host and does to it: units by name, other jobs, claims, contributions, events, bytes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "helpers of tests")]

use std::io;
use std::pin::Pin;
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, ReadBuf};
use tonic::async_trait;
use wharf_sdk::testing::{Doing, FakeHost, Harness, Run};
use wharf_sdk::wire::JobSpec;
use wharf_sdk::wire::event::Event;
use wharf_sdk::wire::plugin_client::PluginClient;
use wharf_sdk::wire::{Instance, PlanRequest};
use wharf_sdk::{
    Claim, Component, Context, Contribution, Done, Error, Importer, Job, Keep, Outcome, Plan,
    Plugin, SyncRequest, Unit, UnitRef,
};

const MANIFEST: &str = r#"{
    "name": "asking", "version": "1",
    "components": [{ "id": "it", "role": "importer", "operations": ["sync"] }]
}"#;
const DEADLINE: Duration = Duration::from_secs(10);

/// What the setting `task` says.
struct Asking;

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    task: String,
}

#[async_trait]
impl Component for Asking {
    async fn plan(&self, plan: Plan) -> Result<Vec<Job>, Error> {
        let wish: Settings = plan.arguments()?;
        let first = Job::new("sync").arguments(&json!({ "task": wish.task }))?.name("first");
        Ok(vec![first, Job::new("publish").after(&[0])])
    }
}

#[async_trait]
impl Importer for Asking {
    async fn sync(&self, request: SyncRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        match settings.task.as_str() {
            "units" => units(context).await?,
            "jobs" => jobs(context).await?,
            "claims" => claims(context).await?,
            "held" => {
                let _held = context.acquire(Claim::space(1)).await?;
                context.cancelled().await;
                Err(Error::cancelled())?;
            }
            "bytes" => bytes(context).await?,
            "broken" => drop(context.put_artifact(Broken(false)).await?),
            "keep" => keep(context).await?,
            other => unreachable!("no task {other:?}"),
        }
        Ok(Done::unchanged())
    }
}

fn thing(name: &str) -> Result<Unit, Error> {
    Unit::new("thing").key(&json!({ "name": name }))
}

async fn units(context: &Context) -> Result<(), Error> {
    let saved = context.save_units(vec![thing("a")?, thing("b")?]).await?;
    assert_eq!((saved[0].id, saved[0].created), (1, false));
    assert_eq!((saved[1].id, saved[1].created), (2, true));
    let body = "x".repeat(400);
    let many = |n: u32| thing(&n.to_string())?.attributes(&json!({ "body": body }));
    let saved = context.save_units((0..1_500).map(many).collect::<Result<_, _>>()?).await?;
    assert_eq!((saved.len(), saved[1_499].id), (1_500, 1_502));
    let named = UnitRef::key("thing", &json!({ "name": "7" }))?;
    assert_eq!((named.kind(), named.read_key::<Value>()?), ("thing", json!({ "name": "7" })));
    let found = context.get_units(vec![UnitRef::id(2), named]).await?;
    assert_eq!(found[0].key_text(), r#"{"name":"b"}"#);
    assert_eq!(found[1].key_text(), r#"{"name":"7"}"#);
    let none = context.get_units(vec![UnitRef::id(9_999)]).await.unwrap_err();
    assert_eq!(none.code(), "not_found");
    let (mut items, mut count) = (context.watch_items().await?, 0);
    while let Some(item) = items.next().await? {
        assert_eq!((item.outcome, item.error), (Some(Outcome::Added), None));
        count += 1;
    }
    assert_eq!(count, 1_502);
    Ok(())
}

async fn jobs(context: &Context) -> Result<(), Error> {
    let job = Job::new("publish").arguments(&json!({ "x": 1 }))?.name("n").queue("q").weight(5);
    let job = job.priority(-1).duplicate_key("d").space_bytes(9);
    context.job(job.clone()).await?;
    let number = context.spawn_job(job).await?;
    let end = context.wait_job(number).await?;
    assert_eq!((end.state.as_str(), end.outputs::<Value>()?), ("succeeded", json!({})));
    assert_eq!(end.error, None);
    assert_eq!(context.wait_job(99).await.unwrap_err().code(), "not_found");
    context.contribute("other.builder", Contribution::new("file", "motd", "hi").order(3)).await?;
    context.emit("synced", &json!({ "x": 1 })).await?;
    let wrong = context.emit("synced", &[1]).await.unwrap_err();
    assert_eq!(wrong.code(), "internal.json");
    let settings: Value = context.settings().await?;
    assert_eq!(settings, json!({ "depth": 3 }));
    Ok(())
}

async fn claims(context: &Context) -> Result<(), Error> {
    let lock = context.acquire(Claim::lock("index").wait(Duration::from_millis(5))).await?;
    assert_eq!(lock.number(), 1);
    lock.release().await?;
    drop(context.acquire(Claim::queue("builds", 2)).await?);
    Ok(())
}

async fn bytes(context: &Context) -> Result<(), Error> {
    let all = vec![7; 1_500_000];
    let stored = context.put_artifact(all.as_slice()).await?;
    assert_eq!(stored.size, 1_500_000);
    assert_eq!(context.has_artifacts(vec![stored.digest.clone()]).await?, [true]);
    let mut read = context.open_artifact(&stored.digest, 1_499_998).await?;
    assert_eq!(read.next().await?.as_deref(), Some([7, 7].as_slice()));
    Ok(())
}

/// A file whose second half cannot be read.
struct Broken(bool);

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Poller<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0 {
            return Poll::Ready(Err(io::Error::other("the disk is broken")));
        }
        self.0 = true;
        into.put_slice(b"the first half");
        Poll::Ready(Ok(()))
    }
}

async fn keep(context: &Context) -> Result<(), Error> {
    let keys = [json!({ "name": "a" }), json!({ "name": "b" })];
    context.keep(Keep::keys("thing", &keys)?).await?;
    let many = vec![json!({ "name": "a" }); 1_001];
    assert_eq!(Keep::keys("thing", &many).unwrap_err().code(), "limit.message");
    Ok(())
}

fn harness(host: FakeHost) -> Harness {
    Harness::start(Plugin::new(MANIFEST).importer("it", Asking), host)
}

async fn run(task: &str, host: FakeHost) -> Run {
    harness(host).call("it").settings(&json!({ "task": task })).sync().await
}

#[tokio::test]
async fn saved_units_say_what_was_new_and_are_found_by_name() {
    run("units", FakeHost::new().unit(thing("a").unwrap())).await.done();
}

#[tokio::test]
async fn jobs_contributions_and_events_reach_the_host() {
    let host = FakeHost::new().settings(r#"{"depth":3}"#);
    let run = run("jobs", host.clone()).await;
    run.done();
    let wanted = JobSpec {
        operation: "publish".to_owned(),
        arguments: r#"{"x":1}"#.to_owned(),
        name: "n".to_owned(),
        queue: "q".to_owned(),
        weight: 5,
        priority: -1,
        after: Vec::new(),
        duplicate_key: "d".to_owned(),
        space_bytes: 9,
    };
    assert_eq!(run.others, [Event::Job(wanted.clone())]);
    let doings = host.doings();
    let [Doing::SpawnJob(job), Doing::Contribute(given), Doing::Emit(event)] = doings.as_slice()
    else {
        panic!("other doings: {doings:?}")
    };
    assert_eq!(*job, wanted);
    let contribution = given.contribution.as_ref().unwrap();
    assert_eq!((given.to.as_str(), contribution.order), ("other.builder", 3));
    assert_eq!((event.name.as_str(), event.payload.as_str()), ("synced", r#"{"x":1}"#));
}

#[tokio::test]
async fn a_claim_is_given_back_when_it_is_released_and_when_it_is_dropped() {
    let host = FakeHost::new();
    run("claims", host.clone()).await.done();
    let given_back = async {
        while host.doings().len() < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, given_back).await.unwrap();
    let doings = host.doings();
    let [Doing::Acquire(lock), Doing::Release(1), Doing::Acquire(queue), Doing::Release(3)] =
        doings.as_slice()
    else {
        panic!("other doings: {doings:?}")
    };
    assert_eq!((lock.kind.as_str(), lock.name.as_str(), lock.wait_ms), ("lock", "index", 5));
    assert_eq!((queue.kind.as_str(), queue.name.as_str(), queue.amount), ("queue", "builds", 2));
}

#[tokio::test]
async fn a_cancelled_call_gives_its_claim_back() {
    let host = FakeHost::new();
    let harness = harness(host.clone());
    let call = harness.call("it").settings(&json!({ "task": "held" })).start_sync().await;
    let doings = |count| {
        let host = host.clone();
        tokio::time::timeout(DEADLINE, async move {
            while host.doings().len() < count {
                tokio::task::yield_now().await;
            }
        })
    };
    doings(1).await.expect("it is taken");
    drop(call);
    doings(2).await.expect("it is given back");
    assert_eq!(host.doings()[1], Doing::Release(1));
}

#[tokio::test]
async fn bytes_are_stored_in_pieces_and_read_again() {
    let host = FakeHost::new();
    run("bytes", host.clone()).await.done();
}

#[tokio::test]
async fn what_cannot_be_read_is_not_stored() {
    let host = FakeHost::new();
    let run = run("broken", host.clone()).await;
    assert_eq!(run.failure().code, "storage.read");
    assert!(run.failure().message.contains("the disk is broken"), "{:?}", run.failure());
    // Of `the first half`.
    let half = "sha256:c670a5f88981a16014a209bb9c573c5665ec9f5bd3c7de3339b5f846fb735590";
    assert_eq!(host.artifact(half), None);
}

#[tokio::test]
async fn units_are_kept_by_their_keys() {
    let run = run("keep", FakeHost::new()).await;
    run.done();
    assert_eq!(run.kept[0].keys, [r#"{"name":"a"}"#, r#"{"name":"b"}"#]);
}

#[tokio::test]
async fn what_a_host_does_not_offer_is_a_fault_that_says_so() {
    for (task, call) in [("jobs", "SpawnJob"), ("claims", "Acquire"), ("units", "SaveUnits")] {
        let run = run(task, FakeHost::new().without(&[call])).await;
        assert_eq!(run.failure().code, "internal.host.not_offered", "{call}");
        assert_eq!(run.failure().message, format!("this host does not offer {call}"));
    }
}

#[tokio::test]
async fn a_request_is_split_into_jobs_by_its_arguments() {
    let harness = harness(FakeHost::new());
    let instance = Instance { component: "it".to_owned(), ..Instance::default() };
    let request = PlanRequest {
        instance: Some(instance),
        arguments: r#"{"task":"x"}"#.to_owned(),
        ..PlanRequest::default()
    };
    let answer = PluginClient::new(harness.channel()).plan(request).await.unwrap();
    let jobs = answer.into_inner().jobs;
    assert_eq!((jobs[0].arguments.as_str(), jobs[0].name.as_str()), (r#"{"task":"x"}"#, "first"));
    assert_eq!((jobs[1].operation.as_str(), jobs[1].after.as_slice()), ("publish", [0].as_slice()));
}
