//! Secrets in the keyring of a session: a real Secret Service that is there, is not there, is locked, hangs or dies.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::keyring::Session;
use wharf_tests::{Run, TestHost, Tree};

use crate::instances::{make, school};
use crate::secrets::told_below;

/// The bound is ten seconds; a busy machine needs some for the rest.
const BOUND: Duration = Duration::from_secs(40);

fn set(host: &TestHost, name: &str, value: &str) -> Run {
    host.given(value.as_bytes(), &["secret", "set", name, "-"])
}

/// Where a secret was put.
fn put(host: &TestHost, name: &str, value: &str) -> Value {
    let run = set(host, name, value);
    assert_eq!(run.status, 0, "{run:#?}");
    run.json["kept_in"].clone()
}

/// Where the only secret lies.
fn kept_in(host: &TestHost) -> Value {
    let listed = host.ok(&["secret", "list"]);
    assert_eq!(listed["secrets"].as_array().map(Vec::len), Some(1), "{listed:#}");
    listed["secrets"][0]["kept_in"].clone()
}

/// A host whose repository `maths` needs the secret `school` for a sync.
fn maths(tree: &mut Tree) -> TestHost {
    let host = school(tree);
    make(&host, tree, &[]);
    host.repository("maths", &[("share.importer@school", &["remote_dir=maths"])]);
    host
}

// F186
#[test]
fn in_a_session_with_a_keyring_a_secret_lies_there_and_in_no_file() {
    let session = Session::with_keyring();
    let mut tree = Tree::empty();
    let mut host = maths(&mut tree);
    assert_eq!(kept_in(&host), json!("file"), "there was no session");
    host.join(&session, "auto");
    host.set("WHARF_LOG", "debug,zbus=trace,h2=info");
    // It stays where it is, and is read from there, until it is set again.
    host.ok(&["sync", "maths"]);
    assert_eq!((kept_in(&host), session.items()), (json!("file"), 0));
    assert_eq!(put(&host, "school", "correct horse"), json!("keyring"));
    assert_eq!((kept_in(&host), session.items()), (json!("keyring"), 1));
    host.serve();
    tree.put("share/maths/new.txt", b"new");
    assert_eq!(host.ok(&["sync", "maths"])["added"], json!(1));
    assert_eq!(put(&host, "school", "battery staple"), json!("keyring"));
    assert_eq!(session.items(), 1, "the older value is replaced");
    host.wharf(&["sync", "maths"]).ended(2, "unauthorized");
    tree.put("share/.password", b"battery staple");
    host.ok(&["sync", "maths"]);
    host.ok(&["secret", "forget", "school", "--force"]);
    assert_eq!((host.ok(&["secret", "list"])["secrets"].clone(), session.items()), (json!([]), 0));
    host.stop_server();
    assert_eq!(told_below(host.folder()), Vec::<String>::new());
    host.finish();
}

#[test]
fn another_choice_moves_a_secret_when_it_is_set_again_and_the_last_one_counts() {
    let session = Session::with_keyring();
    let mut tree = Tree::empty();
    let mut host = maths(&mut tree);
    host.join(&session, "keyring");
    assert_eq!(put(&host, "school", "wrong"), json!("keyring"));
    host.wharf(&["sync", "maths"]).ended(2, "unauthorized");
    host.join(&session, "file");
    // What lies in the keyring is read by a host that keeps new ones in the file.
    host.wharf(&["sync", "maths"]).ended(2, "unauthorized");
    assert_eq!(put(&host, "school", "correct horse"), json!("file"));
    assert_eq!(session.items(), 0, "it is in one place");
    host.ok(&["sync", "maths"]);
    host.finish();
}

// F189
#[test]
fn without_a_bus_or_a_keyring_secrets_go_into_the_file_unless_the_keyring_is_wanted() {
    let session = Session::without_keyring();
    let mut host = TestHost::new();
    host.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    assert_eq!(put(&host, "one", "hunter2"), json!("file"));
    host.set("WHARF_SECRETS", "keyring");
    set(&host, "one", "hunter2").ended(1, "storage").says(&["no session bus", "--secrets file"]);
    host.join(&session, "auto");
    assert_eq!(put(&host, "one", "hunter2"), json!("file"));
    host.join(&session, "keyring");
    set(&host, "one", "hunter2").ended(1, "storage").says(&["there is none"]);
    assert_eq!(kept_in(&host), json!("file"));
    set(&host, "../x", "hunter2").ended(2, "usage");
    host.finish();
}

// F189
#[test]
fn a_locked_keyring_is_an_error_that_says_so_and_nothing_falls_back_to_the_file() {
    let session = Session::with_keyring();
    let mut tree = Tree::empty();
    let mut host = maths(&mut tree);
    host.join(&session, "auto");
    assert_eq!(put(&host, "school", "correct horse"), json!("keyring"));
    session.lock();
    host.serve();
    let run = host.wharf(&["sync", "maths"]);
    assert_eq!(run.status, 1, "{run:#?}");
    run.says(&["storage.keyring", "\\\"school\\\"", "locked", "unlock it"]);
    assert!(run.took < BOUND, "{run:#?}");
    set(&host, "school", "other").ended(1, "storage").says(&["locked", "--secrets file"]);
    set(&host, "another", "other").ended(1, "storage").says(&["locked"]);
    let forget = host.wharf(&["secret", "forget", "school"]);
    forget.ended(2, "conflict");
    host.ok(&["detach", "maths", "share.importer@school"]);
    host.ok(&["instance", "remove", "school"]);
    host.wharf(&["secret", "forget", "school"]).ended(1, "storage").says(&["locked", "--force"]);
    assert_eq!(kept_in(&host), json!("keyring"));
    host.ok(&["secret", "forget", "school", "--force"]);
    host.finish();
}

// F189
#[test]
fn a_keyring_that_hangs_or_dies_ends_no_host_and_is_met_again_when_it_is_back() {
    let mut session = Session::with_keyring();
    let mut tree = Tree::empty();
    let mut host = maths(&mut tree);
    host.join(&session, "auto");
    assert_eq!(put(&host, "school", "correct horse"), json!("keyring"));
    host.serve();
    host.ok(&["sync", "maths"]);
    session.stall();
    let run = host.wharf(&["sync", "maths"]);
    assert_eq!(run.status, 1, "{run:#?}");
    run.says(&["storage.keyring", "did not answer within 10 s"]);
    assert!(run.took < BOUND, "{run:#?}");
    session.resume();
    session.kill_keyring();
    let run = host.wharf(&["sync", "maths"]);
    assert_eq!(run.status, 1, "{run:#?}");
    run.says(&["storage.keyring", "there is none", "wharf secret set school"]);
    // Where it lies is known without asking.
    assert_eq!(kept_in(&host), json!("keyring"));
    session.start_keyring();
    host.ok(&["sync", "maths"]);
    // Nobody is there: the value goes into the file, and the item is taken away later.
    session.kill_keyring();
    assert_eq!(put(&host, "school", "correct horse"), json!("file"));
    host.ok(&["sync", "maths"]);
    session.start_keyring();
    assert_eq!((kept_in(&host), session.items()), (json!("file"), 1));
    host.ok(&["secret", "forget", "school", "--force"]);
    assert_eq!(session.items(), 0);
    host.finish();
}

#[test]
fn an_item_that_its_owner_deleted_is_missed_by_name() {
    let mut session = Session::with_keyring();
    let mut tree = Tree::empty();
    let mut host = maths(&mut tree);
    host.join(&session, "auto");
    assert_eq!(put(&host, "school", "correct horse"), json!("keyring"));
    session.kill_keyring();
    std::fs::remove_file(session.kept()).expect("it is there");
    session.start_keyring();
    let run = host.wharf(&["sync", "maths"]);
    assert_eq!(run.status, 1, "{run:#?}");
    run.says(&["no longer in the system's keyring", "wharf secret set school"]);
    assert_eq!(put(&host, "school", "correct horse"), json!("keyring"));
    host.ok(&["sync", "maths"]);
    host.finish();
}
