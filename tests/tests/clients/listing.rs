//! Calls to an importer that lists and hands out, made in memory, and what comes of them whatever it speaks.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task;
use wharf_proto::v1;
use wharf_sdk::Plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::content::Content;
use wharf_sdk::wire::event::Event;
use wharf_sdk::wire::{ErrorClass, ErrorScope};
use wharf_tests::gate::Gate;
use wharf_tests::random::Random;

/// The secret that settings name.
pub(crate) const SECRET: &str = "school";

/// More than one answer or piece holds, and few enough to come by chunks.
pub(crate) const MEDIUM: usize = 7 << 20;

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
            fs::read(harness.work_dir().join(path)).expect("what is named is there")
        }
        Content::Source(_) => Vec::new(),
    }
}

/// How many files lie in the job's folder.
pub(crate) fn staged_files(harness: &Harness) -> usize {
    fs::read_dir(harness.work_dir()).expect("a folder").count()
}

/// Takes away what was staged, as a host does.
pub(crate) fn empty(harness: &Harness) {
    for entry in fs::read_dir(harness.work_dir()).expect("a folder") {
        fs::remove_file(entry.expect("an entry").path()).expect("a file");
    }
}

/// Bytes that repeat nowhere.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    Random::new(7).bytes(length)
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

/// Files of all sizes, which `write` puts there. The largest is staged when all of it is asked for.
pub(crate) async fn hands_out_bytes_from_any_place(
    harness: &Harness,
    settings: &Value,
    write: impl Fn(&str, &[u8]),
) {
    let noise = noise(9 << 20);
    for (name, length) in [("empty", 0), ("small", 20_000), ("medium", MEDIUM), ("large", 9 << 20)]
    {
        write(name, &noise[..length]);
    }
    let listed = list(harness, settings).await;
    for (name, from) in [
        ("empty", 0),
        ("small", 0),
        ("small", 19_999),
        ("medium", 0),
        ("medium", 3_000_001),
        ("large", 0),
        ("large", 5_000_001),
    ] {
        let listed = item(&listed, name);
        let run = fetch(harness, settings, listed, from as u64).await;
        run.done();
        let bytes = bytes(harness, &run);
        let size = listed.unit.as_ref().and_then(|unit| unit.files[0].size).expect("a size");
        let size = usize::try_from(size).expect("it fits memory");
        assert!(bytes == noise[from..size], "{name} from {from}: {} bytes", bytes.len());
        assert_eq!(run.revision, "", "{name}: nothing changed");
        let staged = matches!(run.contents[..], [Content::Staged(_)]);
        assert_eq!(staged, (name, from) == ("large", 0), "{name} from {from}");
        assert_eq!(staged_files(harness), usize::from(staged), "{name} from {from}");
        empty(harness);
    }
}

/// Files below `folder`, which `write` puts there, vanish and change between listing and fetch.
pub(crate) async fn hands_out_what_is_there_now(
    harness: &Harness,
    settings: &Value,
    folder: &Path,
    write: impl Fn(&str, &[u8]),
) {
    let vanishing = ["gone", "gone too"];
    let changing =
        [("small", 100, 200), ("large", 3 << 20, 4 << 20), ("larger", 9 << 20, 10 << 20)];
    for name in vanishing {
        write(name, &noise(100));
    }
    for (name, length, _later) in changing {
        write(name, &noise(length));
    }
    let before = list(harness, settings).await;
    for name in vanishing {
        fs::remove_file(folder.join(name)).expect("it was there");
    }
    for (name, _before, length) in changing {
        write(name, &noise(length));
    }
    for name in vanishing {
        let gone = fetch(harness, settings, item(&before, name), 0).await;
        let gone = gone.failure();
        assert_eq!((gone.class(), gone.code.as_str()), (ErrorClass::Operation, "source.vanished"));
        assert_eq!((gone.scope(), gone.item.as_str()), (ErrorScope::Item, name));
    }
    let now = list(harness, settings).await;
    for (name, _before, length) in changing {
        let run = fetch(harness, settings, item(&before, name), 0).await;
        run.done();
        let bytes = bytes(harness, &run);
        assert!(bytes == noise(length), "{name}: {} bytes", bytes.len());
        assert_eq!(run.revision, item(&now, name).revision, "{name}");
        empty(harness);
    }
    // The beginning that the host has is of another file: it is told so before anything else.
    for name in ["large", "larger"] {
        let run = fetch(harness, settings, item(&before, name), 1_000).await;
        let rest = run.failure();
        assert_eq!((rest.code.as_str(), rest.retryable), ("source.changing", true), "{name}");
        assert!(bytes(harness, &run).is_empty(), "{name}");
        assert_eq!(run.revision, item(&now, name).revision, "{name}");
    }
}

/// A file `large` comes through this gate; the run is stopped when so many bytes have come.
pub(crate) async fn a_stop_in_mid_download_leaves_no_staged_file(
    harness: &Harness,
    settings: &Value,
    (gate, bytes): (&Gate, usize),
) {
    let listed = list(harness, settings).await;
    gate.close_after(bytes);
    let (bytes, ended) = interrupted(harness, settings, (item(&listed, "large"), 0), || {
        gate.wait_held();
        assert_eq!(staged_files(harness), 1);
        harness.stop();
    })
    .await;
    assert_eq!(ended.map_err(|error| error.class()), Err(ErrorClass::Cancelled));
    assert_eq!((bytes.len(), staged_files(harness)), (0, 0));
}

/// The settings lead to a server on a port of 127.0.0.1 that never answers.
pub(crate) async fn a_stop_is_heeded_while_a_server_is_silent(
    harness: &Harness,
    settings: impl Fn(u16) -> Value,
) {
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let settings = settings(silent.local_addr().expect("it is bound").port());
    let listing = list(harness, &settings);
    let stopping = async {
        let accepted = tokio::task::spawn_blocking(move || silent.accept()).await;
        let _kept = accepted.expect("a thread").expect("the plugin connects");
        harness.stop();
        std::future::pending::<()>().await;
    };
    let run = tokio::select! {
        run = listing => run,
        () = stopping => panic!("the stop was not heeded"),
    };
    assert_eq!(run.failure().class(), ErrorClass::Cancelled);
}

/// It was made with the password `battery staple`.
pub(crate) fn tells_of_a_wrong_password(run: &Run) {
    let refused = run.failure();
    assert_eq!((refused.class(), refused.code.as_str()), (ErrorClass::Usage, "usage.credentials"));
    assert!(refused.message.contains("wharf secret set school"), "{}", refused.message);
    assert!(!refused.message.contains("battery"), "{}", refused.message);
    assert_eq!(refused.field, "/password");
}

pub(crate) fn tells_of_a_dead_server(run: &Run) {
    let dead = run.failure();
    assert_eq!((dead.class(), dead.code.as_str()), (ErrorClass::Operation, "source.unreachable"));
    assert!(dead.retryable && dead.message.contains("refused"), "{dead:?}");
}
