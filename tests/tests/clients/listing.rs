//! Calls to an importer that lists and hands out, made in memory, and what came of them.

use std::thread;

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task;
use wharf_proto::v1;
use wharf_sdk::Plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::content::Content;
use wharf_sdk::wire::event::Event;

/// The secret that settings name.
pub(crate) const SECRET: &str = "school";

/// A plugin whose secret has this value.
pub(crate) fn harness(plugin: Plugin, secret: &str) -> Harness {
    Harness::start(plugin, FakeHost::new().secret(SECRET, secret.to_owned()))
}

pub(crate) async fn list(harness: &Harness, settings: &Value) -> Run {
    harness.call("importer").settings(settings).secrets(&[SECRET]).list().await
}

pub(crate) async fn fetch(
    harness: &Harness,
    settings: &Value,
    item: &v1::ListedItem,
    from: u64,
) -> Run {
    harness.call("importer").settings(settings).secrets(&[SECRET]).fetch(item, from).await
}

pub(crate) fn path(item: &v1::ListedItem) -> &str {
    &item.unit.as_ref().expect("a unit").files[0].path
}

pub(crate) fn paths(run: &Run) -> Vec<&str> {
    let mut paths: Vec<&str> = run.listed.iter().map(path).collect();
    paths.sort_unstable();
    paths
}

/// The one whose path ends so.
pub(crate) fn item<'a>(run: &'a Run, ending: &str) -> &'a v1::ListedItem {
    run.listed.iter().find(|item| path(item).ends_with(ending)).expect("it is listed")
}

/// The bytes that were handed out, by chunks or in a staged file.
pub(crate) fn bytes(harness: &Harness, run: &Run) -> Vec<u8> {
    run.contents.iter().flat_map(|content| handed_out(harness, content)).collect()
}

fn handed_out(harness: &Harness, content: &Content) -> Vec<u8> {
    match content {
        Content::Chunk(chunk) => chunk.to_vec(),
        Content::Staged(path) => {
            std::fs::read(harness.work_dir().join(path)).expect("what is named is there")
        }
        Content::Source(_) => Vec::new(),
    }
}

/// Takes a large file from some place on, and lets `meanwhile` happen as soon as the first bytes are here, or staged. What
/// comes is read all the while: a call that nobody reads would stop wherever it is.
pub(crate) async fn interrupted(
    harness: &Harness,
    settings: &Value,
    (item, from): (&v1::ListedItem, u64),
    meanwhile: impl FnOnce() + Send,
) -> (Vec<u8>, Result<(), v1::Error>) {
    let call = harness.call("importer").settings(settings).secrets(&[SECRET]);
    let mut running = call.start_fetch(item, from).await;
    let (mut bytes, mut meanwhile) = (Vec::new(), Some(meanwhile));
    let on = Handle::current();
    task::block_in_place(|| {
        thread::scope(|scope| {
            loop {
                match on.block_on(running.next()).expect("the call goes on") {
                    Some(Event::Content(v1::Content { content: Some(content), .. })) => {
                        bytes.extend(handed_out(harness, &content));
                    }
                    Some(Event::Progress(progress)) => assert_eq!(progress.unit, "bytes"),
                    Some(Event::Error(error)) => return (bytes, Err(error)),
                    Some(Event::Result(_)) => return (bytes, Ok(())),
                    Some(_) => continue,
                    None => panic!("the call ended without a result"),
                }
                if let Some(meanwhile) = meanwhile.take() {
                    scope.spawn(meanwhile);
                }
            }
        })
    })
}
