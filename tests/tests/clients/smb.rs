//! The smb plugin and a real Samba: what is listed, what is handed out, and what goes wrong on the way.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::{Value, json};
use wharf_sdk::testing::Harness;
use wharf_sdk::wire::{ErrorClass, ErrorScope};
use wharf_tests::gate::Gate;
use wharf_tests::samba::{PASSWORD, Samba};
use wharf_tests::share::Share as _;

use crate::listing::{
    self, SECRET, empty, fetch, interrupted, item, list, noise, paths, staged_files,
    tells_of_a_dead_server, tells_of_a_wrong_password,
};

fn harness() -> Harness {
    harness_with(PASSWORD)
}

fn harness_with(password: &str) -> Harness {
    listing::harness(wharf_plugin_smb::plugin(), password)
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

/// So many that they are staged.
const LARGE: usize = 64 << 20;
/// The first byte that is asked for: a whole large file is staged, the rest of one comes by chunks.
const STAGED: usize = 0;
const CHUNKED: usize = 1;

#[tokio::test(flavor = "multi_thread")]
async fn everything_below_the_folder_is_listed_with_its_size_and_time() {
    let samba = Samba::start();
    samba.write("top.txt", "1");
    samba.write("in/a b.txt", "22");
    samba.write("in/deep/er/größe.txt", "333");
    fs::create_dir_all(samba.files().join("in/empty")).expect("a folder");
    let harness = harness();
    let run = list(&harness, &settings(&samba, &json!({ "remote_dir": "\\in\\" }))).await;
    assert_eq!(paths(&run), ["a b.txt", "deep/er/größe.txt"]);
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
    let settings = settings(&samba, &json!({}));
    let write = |name: &str, bytes: &[u8]| samba.write(name, bytes);
    listing::hands_out_bytes_from_any_place(&harness(), &settings, write).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_not_signed_are_refused_where_the_user_wants_them_signed() {
    let samba = Samba::start();
    samba.write("a.txt", "a");
    let harness = harness();
    let with = |wish: &str| json!({ "share": "open", "sign_options": wish });
    for wish in ["never", "when_supported", "when_required", "always"] {
        let run = list(&harness, &settings(&samba, &with(wish))).await;
        assert_eq!(run.listed.len(), 1, "{wish}: {run:?}");
    }
    // The server takes this name for a guest.
    let guest = |wish: &str| {
        let (address, port) = ("127.0.0.1", samba.port());
        json!({ "hostname": address, "port": port, "share": "open", "username": "guest", "sign_options": wish })
    };
    assert_eq!(list(&harness, &guest("when_required")).await.listed.len(), 1);
    let refused = list(&harness, &guest("always")).await;
    let refused = refused.failure();
    assert_eq!((refused.class(), refused.code.as_str()), (ErrorClass::Usage, "usage.signing"));
    assert_eq!(refused.field, "/sign_options");
    let asked = settings(&samba, &with("never"));
    let never = harness.call("importer").settings(&asked).secrets(&[SECRET]).check().await;
    let never = never.expect("it answers");
    let warned: Vec<&str> = never.warnings.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(warned, ["/sign_options"], "{never:?}");
}

/// What people can mend says how; what befell the server reaches the whole attachment.
#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_share_from_being_listed_is_told_with_advice() {
    let mut samba = Samba::start();
    samba.write("a.txt", "a");
    let wrong = harness_with("battery staple");
    tells_of_a_wrong_password(&list(&wrong, &settings(&samba, &json!({}))).await);

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
    tells_of_a_dead_server(&list(&harness, &settings(&samba, &json!({}))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanished_fails_alone_and_one_that_changed_comes_as_what_it_is_now() {
    let samba = Samba::start();
    let settings = settings(&samba, &json!({}));
    let write = |name: &str, bytes: &[u8]| samba.write(name, bytes);
    listing::hands_out_what_is_there_now(&harness(), &settings, &samba.files(), write).await;
}

/// More than what is on its way at once, so that the first piece has come before the rest is held back.
const HELD_BACK: usize = 6 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_mid_download_ends_the_run_and_one_that_comes_back_costs_nothing() {
    for from in [STAGED, CHUNKED] {
        let mut samba = Samba::start();
        let noise = noise(LARGE);
        samba.write("large", &noise);
        let gate = Gate::to(samba.port());
        let through = json!({ "port": gate.port() });
        let (harness, settings) = (harness(), settings(&samba, &through));
        let listed = list(&harness, &settings).await;
        let large = item(&listed, "large");
        gate.close_after(HELD_BACK);
        let (bytes, ended) = interrupted(&harness, &settings, (large, from as u64), || {
            gate.wait_held();
            samba.kill();
            samba.restart();
            gate.open();
        })
        .await;
        assert_eq!(ended, Ok(()), "it goes on over another connection");
        assert!(bytes == noise[from..], "from {from}: {} bytes", bytes.len());
        empty(&harness);

        gate.close_after(HELD_BACK);
        let (bytes, ended) = interrupted(&harness, &settings, (large, from as u64), || {
            gate.wait_held();
            samba.kill();
            gate.open();
        })
        .await;
        let error = ended.expect_err("nobody is there any more");
        assert!(bytes.len() < LARGE - from, "{} bytes came before the end", bytes.len());
        assert_eq!(
            (error.class(), error.code.as_str()),
            (ErrorClass::Operation, "source.unreachable")
        );
        assert_eq!((error.scope(), error.retryable), (ErrorScope::Attachment, true));
        assert_eq!(staged_files(&harness), 0, "from {from}");
        samba.restart();
        assert_eq!(list(&harness, &settings).await.listed.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_to_while_it_is_read_is_not_taken() {
    for (from, becomes) in [(CHUNKED, LARGE), (STAGED, LARGE), (STAGED, LARGE + 1), (STAGED, 9)] {
        let samba = Samba::start();
        samba.write("large", noise(LARGE));
        let gate = Gate::to(samba.port());
        let (harness, settings) = (harness(), settings(&samba, &json!({ "port": gate.port() })));
        let listed = list(&harness, &settings).await;
        gate.close_after(HELD_BACK);
        let large = (item(&listed, "large"), from as u64);
        let (_bytes, ended) = interrupted(&harness, &settings, large, || {
            gate.wait_held();
            samba.write("large", vec![7; becomes]);
            gate.open();
        })
        .await;
        let error = ended.expect_err("it is of two states");
        assert_eq!((error.code.as_str(), error.scope()), ("source.changing", ErrorScope::Item));
        assert_eq!(staged_files(&harness), 0, "from {from}: {becomes} bytes now");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_mid_download_leaves_no_staged_file() {
    let samba = Samba::start();
    samba.write("large", noise(LARGE));
    let gate = Gate::to(samba.port());
    let settings = settings(&samba, &json!({ "port": gate.port() }));
    let held = (&gate, HELD_BACK);
    listing::a_stop_in_mid_download_leaves_no_staged_file(&harness(), &settings, held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_takes_no_staged_file_is_told_and_ends_the_run() {
    let samba = Samba::start();
    samba.write("large", noise(LARGE));
    let (harness, settings) = (harness(), settings(&samba, &json!({})));
    let listed = list(&harness, &settings).await;
    fs::remove_dir(harness.work_dir()).expect("it is empty");
    let run = fetch(&harness, &settings, item(&listed, "large"), 0).await;
    fs::create_dir(harness.work_dir()).expect("it was there");
    let told = run.failure();
    assert_eq!((told.class(), told.code.as_str()), (ErrorClass::Operation, "storage.write"));
    assert!(told.message.contains("needs space"), "{}", told.message);
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
    let settings = |port| json!({ "hostname": "127.0.0.1", "port": port, "share": "files" });
    listing::a_stop_is_heeded_while_a_server_is_silent(&harness(), settings).await;
}
