//! Stored bytes that went bad behind the host's back: never given out, told with who uses them, fetched again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::json;
use wharf_tests::invariants::published;
use wharf_tests::upstream::Trick;
use wharf_tests::{TestHost, Tree, Upstream, wait};

use crate::mirror;

/// A served host with a published repository `tools`, and the two first paths of its tree.
fn served(tree: &Tree, upstream: &Upstream) -> TestHost {
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, upstream, &[]);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    host
}

/// Where the bytes of a published file lie.
fn blob(host: &TestHost, tree: &Tree, path: &str) -> PathBuf {
    let digest = &tree.digests()[path];
    host.data().join("blobs").join(&digest[..2]).join(digest)
}

fn overwrite(blob: &PathBuf, bytes: &[u8]) {
    fs::set_permissions(blob, fs::Permissions::from_mode(0o644)).expect("our file");
    fs::write(blob, bytes).expect("our file");
}

// F84
#[test]
fn a_flipped_bit_is_found_named_and_repaired_and_nobody_is_given_it() {
    let tree = Tree::of(12, 3000, 91);
    let upstream = Upstream::of(tree.folder());
    let host = served(&tree, &upstream);
    assert_eq!(host.ok(&["verify"])["summary"]["corrupt"], 0);
    let path = tree.paths()[0].clone();
    let blob = blob(&host, &tree, &path);
    let mut bytes = fs::read(&blob).expect("a blob");
    bytes[0] ^= 1;
    overwrite(&blob, &bytes);
    let found = host.wharf(&["verify", "tools"]);
    assert_eq!(found.status, 3, "{found:#?}");
    let item = &found.json["items"][0];
    assert_eq!(item["problem"]["code"], "integrity.corrupt", "{found:#?}");
    let told = item["problem"]["message"].as_str().expect("a text");
    assert!(told.contains(&path) && told.contains("tools 1 on"), "{told}");
    let used_by = &item["problem"]["details"]["used_by"][0];
    assert_eq!(
        used_by["versions"],
        json!([
            { "repository": "tools", "added_in": 1, "removed_in": null }
        ])
    );
    assert!(!blob.exists(), "it is out of the way");
    assert_eq!(published(&host, "tools"), tree.digests(), "a client's request fetches it again");
    // The client has its last byte a moment before the store has the file.
    wait::until("the blob is stored", wait::PATIENCE, || blob.exists().then_some(()));
    overwrite(&blob, &bytes);
    let repaired = host.ok(&["verify", "--repair"]);
    let summary = &repaired["summary"];
    assert_eq!((&summary["corrupt"], &summary["repaired"]), (&json!(1), &json!(1)), "{repaired:#}");
    assert_eq!(published(&host, "tools"), tree.digests());
    assert_eq!(host.ok(&["verify"])["summary"]["corrupt"], 0);
    let kept = fs::read(host.data().join("quarantine").join(&tree.digests()[&path]));
    assert_eq!(kept.expect("the broken one is kept"), bytes);
    host.finish();
}

// F84
#[test]
fn a_blob_that_was_cut_off_is_not_served() {
    let tree = Tree::of(5, 3000, 92);
    let upstream = Upstream::of(tree.folder());
    let host = served(&tree, &upstream);
    let path = tree.paths()[1].clone();
    let blob = blob(&host, &tree, &path);
    let bytes = fs::read(&blob).expect("a blob");
    overwrite(&blob, &bytes[..bytes.len() / 2]);
    let answer = host.get(&format!("/content/tools/{path}"));
    assert_eq!((answer.status, answer.body == bytes), (200, true), "it is fetched again");
    host.finish();
}

// F85
#[test]
fn a_blob_that_is_gone_is_told_and_comes_back_with_the_next_sync() {
    let mut tree = Tree::of(12, 3000, 93);
    let upstream = Upstream::of(tree.folder());
    let host = served(&tree, &upstream);
    let path = tree.paths()[0].clone();
    let blob = blob(&host, &tree, &path);
    fs::remove_file(&blob).expect("a blob");
    let found = host.wharf(&["verify"]);
    assert_eq!(found.status, 3, "{found:#?}");
    assert_eq!(found.json["items"][0]["problem"]["code"], "integrity.missing", "{found:#?}");
    let synced = host.ok(&["sync", "tools"]);
    assert_eq!(
        (&synced["downloads"], &synced["changed"]),
        (&json!(2), &json!(false)),
        "{synced:#}"
    );
    assert!(blob.exists());
    assert_eq!(host.ok(&["verify"])["summary"]["missing"], 0);
    // Without a source it stays broken, and says so.
    fs::remove_file(&blob).expect("a blob");
    tree.remove(&path);
    let failed = host.wharf(&["verify", "--repair"]);
    assert_eq!((failed.status, &failed.json["summary"]["repaired"]), (3, &json!(0)), "{failed:#?}");
    assert_ne!(host.get(&format!("/content/tools/{path}")).status, 200);
    let still = host.wharf(&["verify", "--repair", "tools"]);
    assert_eq!((still.status, &still.json["summary"]["missing"]), (3, &json!(1)), "{still:#?}");
    host.finish();
}

// F84
#[test]
fn what_was_lost_is_told_by_every_run_until_it_is_here_again() {
    let tree = Tree::of(12, 3000, 94);
    let upstream = Upstream::of(tree.folder());
    let host = served(&tree, &upstream);
    let path = tree.paths()[0].clone();
    let blob = blob(&host, &tree, &path);
    let flaws = |further: &[&str]| {
        let run = host.wharf(&[&["verify"], further].concat());
        let of = |name: &str| run.json["summary"][name].clone();
        (run.status, of("corrupt"), of("missing"), of("repaired"))
    };
    overwrite(&blob, b"other bytes");
    assert_eq!(flaws(&["tools"]), (3, json!(1), json!(0), json!(0)));
    assert_eq!(flaws(&["tools"]), (3, json!(0), json!(1), json!(0)));
    assert_eq!(flaws(&[]), (3, json!(0), json!(1), json!(0)));
    assert_eq!(flaws(&["tools", "--repair"]), (0, json!(0), json!(1), json!(1)));
    assert!(blob.exists());
    assert_eq!(flaws(&[]), (0, json!(0), json!(0), json!(0)));
    // Somebody puts it back by hand.
    let bytes = fs::read(&blob).expect("a blob");
    fs::remove_file(&blob).expect("a blob");
    assert_eq!(flaws(&[]), (3, json!(0), json!(1), json!(0)));
    fs::write(&blob, bytes).expect("our file");
    assert_eq!(flaws(&[]), (0, json!(0), json!(0), json!(0)));
    upstream.once(&path, [Trick::Status(404, Vec::new())]);
    assert_eq!(published(&host, "tools"), tree.digests(), "nobody asks upstream for it");
    host.finish();
}

// F84
#[test]
fn what_somebody_uploaded_and_was_lost_comes_back_with_another_upload() {
    let mut host = TestHost::new();
    host.serve();
    host.repository("tools", &[("file.importer", &[]), ("file.distributor", &[])]);
    let tree = Tree::of(1, 3000, 95);
    let path = tree.paths()[0].clone();
    let file = tree.folder().join(&path);
    let file = file.to_string_lossy();
    let upload = ["upload", "tools", &file, "--key", &format!("relative_path={path}")];
    host.ok(&upload);
    host.ok(&["publish", "tools"]);
    fs::remove_file(blob(&host, &tree, &path)).expect("a blob");
    for further in [&[][..], &["--repair"]] {
        let found = host.wharf(&[&["verify"], further].concat());
        let problem = &found.json["items"][0]["problem"];
        assert_eq!(
            (found.status, &problem["code"]),
            (3, &json!("integrity.missing")),
            "{found:#?}"
        );
        assert_eq!(problem["help"], "no source of it is known: upload it again", "{found:#?}");
    }
    host.ok(&upload);
    assert_eq!(host.ok(&["verify"])["summary"]["missing"], 0);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}
