//! The webdav plugin and a real Apache, and a second server of another make: what is listed, what is handed out, and what goes
//! wrong on the way.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::{Value, json};
use wharf_sdk::testing::Harness;
use wharf_sdk::wire::ErrorScope;
use wharf_sdk::wire::content::Content;
use wharf_tests::apache::{Apache, PASSWORD, USER};
use wharf_tests::gate::Gate;
use wharf_tests::share::Share as _;
use wharf_tests::wsgidav::WsgiDav;

use crate::listing::{
    self, MEDIUM, SECRET, bytes, fetch, interrupted, item, list, noise, paths, staged_files,
    tells_of_a_dead_server, tells_of_a_wrong_password,
};

/// So many that they are staged.
const LARGE: usize = 32 << 20;
/// More than a connection holds on its way, so that the first piece has come before the rest is held back.
const HELD_BACK: usize = 4 << 20;

fn harness() -> Harness {
    listing::harness(wharf_plugin_webdav::plugin(), PASSWORD)
}

fn settings(apache: &Apache, remote_dir: &str) -> Value {
    settings_at(&apache.url("dav/"), remote_dir)
}

fn settings_through(gate: &Gate) -> Value {
    settings_at(&format!("http://127.0.0.1:{}/dav", gate.port()), "")
}

fn settings_at(url: &str, remote_dir: &str) -> Value {
    json!({
        "url": url, "username": USER, "password": { "secret": SECRET }, "remote_dir": remote_dir,
    })
}

const NAMES: [&str; 6] =
    ["a b.txt", "größe & mehr.txt", "100%25.txt", "#1?.txt", "x+y;z=[1].txt", "deep/er/'q'.txt"];

#[tokio::test(flavor = "multi_thread")]
async fn everything_below_the_folder_is_listed_and_handed_out_whatever_it_is_called() {
    let apache = Apache::start();
    apache.write("top.txt", "top");
    for name in NAMES {
        apache.write(&format!("in here/{name}"), name);
    }
    fs::create_dir_all(apache.files().join("in here/empty")).expect("a folder");
    let (harness, settings) = (harness(), settings(&apache, "/in here/"));
    let run = list(&harness, &settings).await;
    run.done();
    let mut names = NAMES;
    names.sort_unstable();
    assert_eq!(paths(&run), names);
    for name in NAMES {
        let listed = item(&run, name);
        let metadata = fs::metadata(apache.files().join("in here").join(name)).expect("a file");
        assert_eq!(listed.modified_ms, metadata.mtime() * 1_000, "{name}");
        assert!(listed.revision.starts_with('"'), "a strong tag: {}", listed.revision);
        let fetched = fetch(&harness, &settings, listed, 0).await;
        fetched.done();
        assert_eq!(bytes(&harness, &fetched), name.as_bytes(), "{name}");
        assert_eq!(fetched.revision, "", "{name}: nothing changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_of_another_make_is_read_as_well() {
    let wsgidav = WsgiDav::start();
    for name in NAMES {
        wsgidav.write(&format!("in here/{name}"), name);
    }
    wsgidav.write("in here/large.bin", noise(9 << 20));
    let settings = json!({ "url": wsgidav.url(), "remote_dir": "in here" });
    let harness = harness();
    let run = list(&harness, &settings).await;
    assert_eq!(run.done().announced, Some(7));
    for name in NAMES {
        let fetched = fetch(&harness, &settings, item(&run, name), 0).await;
        fetched.done();
        assert_eq!(bytes(&harness, &fetched), name.as_bytes(), "{name}");
    }
    let large = fetch(&harness, &settings, item(&run, "large.bin"), 0).await;
    assert!(matches!(large.contents[..], [Content::Staged(_)]), "{:?}", large.error);
    assert!(bytes(&harness, &large) == noise(9 << 20));
    let again = list(&harness, &settings).await;
    for listed in &run.listed {
        let path = listing::path(listed);
        assert_eq!(item(&again, path).revision, listed.revision, "{path}");
    }
}

/// What could not be gone on with is staged, so that the host never has a part of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tags_is_held_against_sizes_and_times() {
    let apache = Apache::start();
    apache.write("medium", noise(MEDIUM));
    apache.write("small", "1");
    let (harness, settings) = (harness(), json!({ "url": apache.url("untagged") }));
    let before = list(&harness, &settings).await;
    let medium = item(&before, "medium");
    let metadata = fs::metadata(apache.files().join("medium")).expect("a file");
    assert_eq!(medium.revision, format!("{MEDIUM}-{}", metadata.mtime()));
    let run = fetch(&harness, &settings, medium, 0).await;
    run.done();
    assert!(matches!(run.contents[..], [Content::Staged(_)]), "{:?}", run.progress);
    assert!(bytes(&harness, &run) == noise(MEDIUM) && run.revision.is_empty());
    let rest = fetch(&harness, &settings, medium, 5_000_000).await;
    rest.done();
    assert!(bytes(&harness, &rest) == noise(MEDIUM)[5_000_000..], "all comes, and is skipped");
    apache.write("small", "22");
    let run = fetch(&harness, &settings, item(&before, "small"), 0).await;
    run.done();
    assert_eq!(bytes(&harness, &run), b"22");
    let now = list(&harness, &settings).await;
    assert_eq!(run.revision, item(&now, "small").revision);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_handed_out_whole_and_from_any_place() {
    let apache = Apache::start();
    let write = |name: &str, bytes: &[u8]| apache.write(name, bytes);
    listing::hands_out_bytes_from_any_place(&harness(), &settings(&apache, ""), write).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanished_fails_alone_and_one_that_changed_comes_as_what_it_is_now() {
    let apache = Apache::start();
    let settings = settings(&apache, "");
    let write = |name: &str, bytes: &[u8]| apache.write(name, bytes);
    listing::hands_out_what_is_there_now(&harness(), &settings, &apache.files(), write).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_folder_from_being_listed_is_told_with_advice() {
    let mut apache = Apache::start();
    apache.write("in/a.txt", "a");
    let wrong = listing::harness(wharf_plugin_webdav::plugin(), "battery staple");
    tells_of_a_wrong_password(&list(&wrong, &settings(&apache, "")).await);

    let harness = harness();
    let at = |path: &str| json!({ "url": apache.url(path) });
    for (asked, code, field, words) in [
        (at("dav"), "usage.credentials", "/username", "set username and password"),
        (at("plain"), "content.answer", "/url", "no WebDAV (HTTP 405"),
        (at("old/in"), "source.redirect", "/url", "/open/in/, where"),
        (at("open/none"), "source.folder", "/url", "no such folder"),
        (settings(&apache, "in/none"), "source.folder", "/remote_dir", "no such folder"),
        (settings(&apache, "in/a.txt"), "source.folder", "/remote_dir", "or it is a file"),
    ] {
        let run = list(&harness, &asked).await;
        let told = run.failure();
        assert_eq!((told.code.as_str(), told.field.as_str()), (code, field), "{told:?}");
        assert!(told.message.contains(words), "{}", told.message);
    }

    let unknown = list(&harness, &json!({ "url": "https://no.such.invalid/dav" })).await;
    let unknown = unknown.failure();
    assert_eq!((unknown.code.as_str(), unknown.scope()), ("source.name", ErrorScope::Attachment));

    apache.kill();
    tells_of_a_dead_server(&list(&harness, &settings(&apache, "")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_gone_on_with_where_it_was() {
    let apache = Apache::start();
    let noise = noise(LARGE);
    apache.write("large", &noise);
    let listed = list(&harness(), &settings(&apache, "")).await;
    let large = item(&listed, "large");
    for from in [0, 1] {
        let first = Gate::to(apache.port());
        let (harness, settings) = (harness(), settings_through(&first));
        first.close_after(HELD_BACK);
        let (bytes, ended) = interrupted(&harness, &settings, (large, from as u64), || {
            first.wait_held();
            first.cut();
        })
        .await;
        assert_eq!(ended, Ok(()), "it goes on over another connection");
        assert!(bytes == noise[from..], "from {from}: {} bytes", bytes.len());
        let requests = apache.requests();
        let gets: Vec<&String> = requests.iter().filter(|line| line.starts_with("GET")).collect();
        assert!(gets.iter().any(|line| line.ends_with(" 206")), "{gets:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_to_while_it_is_read_is_not_taken() {
    for from in [0, 1] {
        let apache = Apache::start();
        apache.write("large", noise(LARGE));
        let gate = Gate::to(apache.port());
        let (harness, settings) = (harness(), settings_through(&gate));
        let listed = list(&harness, &settings).await;
        gate.close_after(HELD_BACK);
        let large = (item(&listed, "large"), from);
        let (_bytes, ended) = interrupted(&harness, &settings, large, || {
            gate.wait_held();
            apache.write("large", vec![7; LARGE]);
            gate.open();
        })
        .await;
        let error = ended.expect_err("it is of two states");
        assert_eq!((error.code.as_str(), error.scope()), ("source.changing", ErrorScope::Item));
        assert_eq!(staged_files(&harness), 0, "from {from}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_mid_download_leaves_no_staged_file() {
    let apache = Apache::start();
    apache.write("large", noise(LARGE));
    let gate = Gate::to(apache.port());
    let (settings, held) = (settings_through(&gate), (&gate, HELD_BACK));
    listing::a_stop_in_mid_download_leaves_no_staged_file(&harness(), &settings, held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_brought_into_one_form_and_a_password_in_the_clear_is_warned_of() {
    let harness = harness();
    let check = async |settings: Value| {
        let call = harness.call("importer").settings(&settings).secrets(&[SECRET]);
        call.check().await.expect("it answers")
    };
    let clear =
        json!({ "url": "http://cloud.example.org/dav/", "username": "ada", "password": SECRET });
    let checked = check(clear).await;
    let warned: Vec<&str> = checked.warnings.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(warned, ["config.clear"], "{checked:?}");
    let here = json!({ "url": "http://127.0.0.1/dav", "username": "ada", "password": SECRET });
    assert!(check(here).await.warnings.is_empty());
    let wrong = json!({
        "url": "https://me:pw@cloud.example.org", "password": SECRET, "remote_dir": "../x",
        "certificates": "ca.pem",
    });
    let checked = check(wrong).await;
    let mut wrong: Vec<&str> = checked.errors.iter().map(|it| it.field.as_str()).collect();
    wrong.sort_unstable();
    assert_eq!(wrong, ["/certificates", "/remote_dir", "/url", "/username"], "{checked:?}");
}
