//! The smb plugin and a real Samba: what is listed, what is handed out, and what goes wrong on the way.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::{Value, json};
use wharf_proto::v1;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::content::Content;
use wharf_sdk::wire::event::Event;
use wharf_sdk::wire::{ErrorClass, ErrorScope};
use wharf_tests::samba::{PASSWORD, Samba};

/// The secret that settings name.
const SECRET: &str = "school";

fn harness() -> Harness {
    harness_with(PASSWORD)
}

fn harness_with(password: &str) -> Harness {
    let host = FakeHost::new().secret(SECRET, password.to_owned());
    Harness::start(wharf_plugin_smb::plugin(), host)
}

fn settings(samba: &Samba, more: &Value) -> Value {
    let mut settings = json!({
        "hostname": "127.0.0.1", "port": samba.port(), "share": "files",
        "username": samba.user(), "password": { "secret": SECRET },
    });
    for (key, value) in more.as_object().expect("an object") {
        settings[key] = value.clone();
    }
    settings
}

async fn list(harness: &Harness, settings: &Value) -> Run {
    harness.call("importer").settings(settings).secrets(&[SECRET]).list().await
}

async fn fetch(harness: &Harness, settings: &Value, item: &v1::ListedItem, from: u64) -> Run {
    harness.call("importer").settings(settings).secrets(&[SECRET]).fetch(item, from).await
}

fn path(item: &v1::ListedItem) -> &str {
    &item.unit.as_ref().expect("a unit").files[0].path
}

fn item<'a>(run: &'a Run, wanted: &str) -> &'a v1::ListedItem {
    run.listed.iter().find(|item| path(item) == wanted).expect("it is listed")
}

/// The bytes that were handed out, and the revision that came before them.
fn handed_out(run: &Run) -> (Vec<u8>, String) {
    let mut bytes = Vec::new();
    for content in &run.contents {
        if let Content::Chunk(chunk) = content {
            bytes.extend_from_slice(chunk);
        }
    }
    (bytes, run.revision.clone())
}

/// Bytes that repeat nowhere.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(step).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_below_the_folder_is_listed_with_its_size_and_time() {
    let samba = Samba::start();
    samba.write("top.txt", "1");
    samba.write("in/a b.txt", "22");
    samba.write("in/deep/er/größe.txt", "333");
    fs::create_dir_all(samba.files().join("in/empty")).expect("a folder");
    let harness = harness();
    let run = list(&harness, &settings(&samba, &json!({ "remote_dir": "\\in\\" }))).await;
    let mut paths: Vec<&str> = run.listed.iter().map(path).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["a b.txt", "deep/er/größe.txt"]);
    let metadata = fs::metadata(samba.files().join("in/a b.txt")).expect("it is there");
    let ticks = (metadata.mtime() + 11_644_473_600) * 10_000_000 + metadata.mtime_nsec() / 100;
    let listed = item(&run, "a b.txt");
    assert_eq!(listed.revision, format!("2-{ticks}"));
    assert_eq!(listed.modified_ms, metadata.mtime() * 1_000 + metadata.mtime_nsec() / 1_000_000);
    let again = list(&harness, &settings(&samba, &json!({}))).await;
    assert_eq!((again.listed.len(), again.done().announced), (3, Some(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_handed_out_whole_and_from_any_place() {
    let samba = Samba::start();
    let large = noise(9 << 20);
    for (name, length) in [("empty", 0), ("small", 20_000), ("large", large.len())] {
        samba.write(name, &large[..length]);
    }
    let (harness, settings) = (harness(), settings(&samba, &json!({})));
    let listed = list(&harness, &settings).await;
    for (name, from) in
        [("empty", 0), ("small", 0), ("small", 19_999), ("large", 0), ("large", 5_000_001)]
    {
        let listed = item(&listed, name);
        let run = fetch(&harness, &settings, listed, from).await;
        run.done();
        let (bytes, revision) = handed_out(&run);
        let size = listed.unit.as_ref().and_then(|unit| unit.files[0].size).expect("a size");
        let (from, size) = (usize::try_from(from).unwrap(), usize::try_from(size).unwrap());
        assert!(bytes == large[from..size], "{name} from {from}: {} bytes", bytes.len());
        assert_eq!(revision, "", "{name}: nothing changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sees_what_guests_may_and_nothing_else() {
    let samba = Samba::start();
    samba.write("a.txt", "a");
    let guest =
        |share: &str| json!({ "hostname": "127.0.0.1", "port": samba.port(), "share": share });
    let harness = harness();
    let open = guest("open");
    let run = list(&harness, &open).await;
    assert_eq!(run.listed.len(), 1, "{run:?}");
    let run = list(&harness, &guest("files")).await;
    let refused = run.failure();
    assert_eq!((refused.class(), refused.code.as_str()), (ErrorClass::Usage, "usage.rights"));
}

/// What people can mend says how; what befell the server reaches the whole attachment.
#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_share_from_being_listed_is_told_with_advice() {
    let mut samba = Samba::start();
    samba.write("a.txt", "a");
    let wrong = harness_with("battery staple");
    let refused = list(&wrong, &settings(&samba, &json!({}))).await;
    let refused = refused.failure();
    assert_eq!((refused.class(), refused.code.as_str()), (ErrorClass::Usage, "usage.credentials"));
    assert!(refused.message.contains("wharf secret set school"), "{}", refused.message);
    assert!(!refused.message.contains("battery"), "{}", refused.message);
    assert_eq!(refused.field, "/password");

    let harness = harness();
    let share = list(&harness, &settings(&samba, &json!({ "share": "none" }))).await;
    let share = share.failure();
    assert_eq!((share.class(), share.field.as_str()), (ErrorClass::Usage, "/share"), "{share:?}");

    for (folder, words) in [("none/here", "no such folder"), ("a.txt", "a file and no folder")] {
        let run = list(&harness, &settings(&samba, &json!({ "remote_dir": folder }))).await;
        let failure = run.failure();
        assert_eq!(
            (failure.class(), failure.code.as_str()),
            (ErrorClass::Operation, "source.folder")
        );
        assert_eq!(failure.scope(), ErrorScope::Attachment);
        assert!(failure.message.contains(words), "{}", failure.message);
    }

    let unknown =
        list(&harness, &settings(&samba, &json!({ "hostname": "no.such.invalid" }))).await;
    let unknown = unknown.failure();
    assert_eq!((unknown.code.as_str(), unknown.scope()), ("source.name", ErrorScope::Attachment));
    assert!(unknown.message.contains("VPN"), "{}", unknown.message);

    samba.kill();
    let dead = list(&harness, &settings(&samba, &json!({}))).await;
    let dead = dead.failure();
    assert_eq!((dead.class(), dead.code.as_str()), (ErrorClass::Operation, "source.unreachable"));
    assert!(dead.retryable && dead.message.contains("refused"), "{dead:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanished_fails_alone_and_one_that_changed_comes_as_what_it_is_now() {
    let samba = Samba::start();
    for name in ["gone", "small", "large"] {
        samba.write(name, noise(if name == "large" { 3 << 20 } else { 100 }));
    }
    let (harness, settings) = (harness(), settings(&samba, &json!({})));
    let before = list(&harness, &settings).await;
    fs::remove_file(samba.files().join("gone")).expect("it was there");
    samba.write("small", noise(200));
    samba.write("large", noise(4 << 20));
    let gone = fetch(&harness, &settings, item(&before, "gone"), 0).await;
    let gone = gone.failure();
    assert_eq!((gone.class(), gone.code.as_str()), (ErrorClass::Operation, "source.vanished"));
    assert_eq!((gone.scope(), gone.item.as_str()), (ErrorScope::Item, "gone"));
    let now = list(&harness, &settings).await;
    for (name, length) in [("small", 200), ("large", 4 << 20)] {
        let run = fetch(&harness, &settings, item(&before, name), 0).await;
        let (bytes, revision) = handed_out(&run);
        assert!(bytes == noise(length), "{name}: {} bytes", bytes.len());
        assert_eq!(revision, item(&now, name).revision, "{name}");
    }
    // The beginning that the host has is of another file.
    let rest = fetch(&harness, &settings, item(&before, "large"), 1_000).await;
    let rest = rest.failure();
    assert_eq!((rest.code.as_str(), rest.retryable), ("source.changing", true));
}

/// Takes a large file until the first bytes are here, lets `meanwhile` happen, and takes the rest.
async fn interrupted(
    harness: &Harness,
    settings: &Value,
    item: &v1::ListedItem,
    meanwhile: impl FnOnce(),
) -> (usize, Result<(), v1::Error>) {
    let call = harness.call("importer").settings(settings).secrets(&[SECRET]);
    let mut running = call.start_fetch(item, 0).await;
    let (mut bytes, mut meanwhile) = (0, Some(meanwhile));
    loop {
        match running.next().await.expect("the call goes on") {
            Some(Event::Content(v1::Content { content: Some(Content::Chunk(chunk)), .. })) => {
                bytes += chunk.len();
                if let Some(meanwhile) = meanwhile.take() {
                    meanwhile();
                }
            }
            Some(Event::Error(error)) => return (bytes, Err(error)),
            Some(Event::Result(_)) => return (bytes, Ok(())),
            Some(_) => {}
            None => panic!("the call ended without a result"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_mid_download_ends_the_run_and_one_that_comes_back_costs_nothing() {
    let mut samba = Samba::start();
    samba.write("large", noise(64 << 20));
    let (harness, settings) = (harness(), settings(&samba, &json!({})));
    let listed = list(&harness, &settings).await;
    let large = item(&listed, "large");
    let (bytes, ended) = interrupted(&harness, &settings, large, || {
        samba.kill();
        samba.restart();
    })
    .await;
    assert_eq!((bytes, ended), (64 << 20, Ok(())), "it went on over another connection");

    let (bytes, ended) = interrupted(&harness, &settings, large, || samba.kill()).await;
    let error = ended.expect_err("nobody is there any more");
    assert!(bytes < 64 << 20, "{bytes} bytes came before the end");
    assert_eq!((error.class(), error.code.as_str()), (ErrorClass::Operation, "source.unreachable"));
    assert_eq!((error.scope(), error.retryable), (ErrorScope::Attachment, true));
    samba.restart();
    assert_eq!(list(&harness, &settings).await.listed.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_to_while_it_is_read_is_not_taken() {
    let samba = Samba::start();
    samba.write("large", noise(64 << 20));
    let (harness, settings) = (harness(), settings(&samba, &json!({})));
    let listed = list(&harness, &settings).await;
    let (_bytes, ended) = interrupted(&harness, &settings, item(&listed, "large"), || {
        samba.write("large", vec![7; 64 << 20]);
    })
    .await;
    let error = ended.expect_err("it is of two states");
    assert_eq!((error.code.as_str(), error.scope()), ("source.changing", ErrorScope::Item));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_counts_from_the_next_listing_on() {
    let samba = Samba::start();
    samba.write("a.txt", "a");
    let settings = settings(&samba, &json!({}));
    let (good, wrong) = (harness(), harness_with("battery staple"));
    assert_eq!(list(&good, &settings).await.listed.len(), 1);
    assert_eq!(list(&wrong, &settings).await.failure().code, "usage.credentials");
    assert_eq!(list(&good, &settings).await.listed.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_heeded_while_a_server_is_silent() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = silent.local_addr().expect("it is bound").port();
    let settings = json!({ "hostname": "127.0.0.1", "port": port, "share": "files" });
    let harness = harness();
    let listing = list(&harness, &settings);
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
