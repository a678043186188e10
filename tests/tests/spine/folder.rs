//! A repository mirrored into a user's folder: what the user wrote there is never lost.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use wharf_tests::tree::sha256;
use wharf_tests::{TestHost, Tree, wait};

/// A host with a repository `maths` of this tree, and a folder that it is mirrored into.
struct Mirror {
    host: TestHost,
    tree: Tree,
    folder: PathBuf,
}

impl Mirror {
    fn new(settings: &[&str], files: &[(&str, &[u8])]) -> Self {
        let mut tree = Tree::empty();
        tree.remove_manifest();
        for (path, bytes) in files {
            tree.put(path, bytes);
        }
        let mut host = TestHost::new();
        host.serve();
        let folder = host.folder().join("studies/maths");
        let source = format!("path={}", tree.folder().display());
        let target = format!("path={}", folder.display());
        let mut all = vec![target.as_str()];
        all.extend(settings);
        host.repository("maths", &[("file.folder", &[&source]), ("folder", &all)]);
        Self { host, tree, folder }
    }

    /// Upstream, then the folder; the folder's account.
    fn sync(&self) -> Value {
        self.host.ok(&["sync", "maths"]);
        self.host.wharf(&["publish", "maths"]).json
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path))
            .unwrap_or_else(|error| format!("{path}: {error}"))
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.folder.join(path), text).expect("the folder is there");
    }

    fn names(&self) -> Vec<String> {
        let mut names = below(&self.folder).into_keys().collect::<Vec<_>>();
        names.sort();
        names
    }
}

/// All files below a folder with their digests.
fn below(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().expect("a kind").is_dir() {
            let more = below(&entry.path());
            found.extend(more.into_iter().map(|(path, digest)| (format!("{name}/{path}"), digest)));
        } else {
            found.insert(name, sha256(&fs::read(entry.path()).unwrap_or_default()));
        }
    }
    found
}

fn count(run: &Value, word: &str) -> u64 {
    run["summary"]["counts"][word].as_u64().unwrap_or(0)
}

#[test]
fn every_case_of_changes_on_either_side_ends_as_it_must() {
    let files: &[(&str, &[u8])] = &[
        ("same.txt", b"same"),
        ("remote.txt", b"old"),
        ("local.txt", b"old"),
        ("both.txt", b"old"),
        ("equal.txt", b"old"),
        ("gone.txt", b"old"),
        ("deleted.txt", b"old"),
        ("deep/er/x.txt", b"x"),
    ];
    let mut mirror = Mirror::new(&[], files);
    fs::create_dir_all(&mirror.folder).expect("a folder");
    mirror.write("never.txt", "mine");
    mirror.tree.put("never.txt", b"theirs");
    let first = mirror.sync();
    assert_eq!((count(&first, "new"), count(&first, "beside")), (8, 1), "{first:#}");
    assert_eq!(mirror.read("never.txt"), "mine");
    for path in ["remote.txt", "both.txt", "equal.txt", "new.txt"] {
        mirror.tree.put(path, b"theirs");
    }
    mirror.tree.remove("gone.txt");
    mirror.write("local.txt", "mine");
    mirror.write("both.txt", "mine");
    mirror.write("equal.txt", "theirs");
    fs::remove_file(mirror.folder.join("deleted.txt")).expect("it is there");
    let run = mirror.sync();
    assert_eq!(run["state"], json!("succeeded"), "{run:#}");
    assert_eq!(run["warning_codes"]["folder.conflict"], json!(1), "{run:#}");
    assert_eq!(
        (count(&run, "new"), count(&run, "replaced"), count(&run, "kept")),
        (2, 1, 1),
        "{run:#}"
    );
    for (path, text) in [
        ("same.txt", "same"),
        ("remote.txt", "theirs"),
        ("local.txt", "mine"),
        ("both.txt", "mine"),
        ("equal.txt", "theirs"),
        ("gone.txt", "old"),
        ("deleted.txt", "old"),
        ("new.txt", "theirs"),
    ] {
        assert_eq!(mirror.read(path), text, "{path}");
    }
    let revision = &sha256(b"theirs")[..8];
    assert_eq!(mirror.read(&format!("both.remote-{revision}.txt")), "theirs");
    // Nothing to do, and the conflict is not told again.
    let again = mirror.sync();
    assert_eq!((&again["changed"], &again["warnings"]), (&json!(false), &json!(0)), "{again:#}");
    // What was edited here stays edited when upstream goes on.
    mirror.tree.put("both.txt", b"theirs again");
    let run = mirror.sync();
    assert_eq!((mirror.read("both.txt"), count(&run, "beside")), ("mine".to_owned(), 1), "{run:#}");
    mirror.host.finish();
}

#[test]
fn an_edit_on_both_sides_in_one_second_at_one_size_is_seen() {
    let mut mirror = Mirror::new(&[], &[("notes.txt", b"0123456789")]);
    mirror.sync();
    mirror.sync();
    mirror.tree.put("notes.txt", b"theirs 789");
    mirror.write("notes.txt", "mine 56789");
    let moment = SystemTime::now() - Duration::from_secs(5);
    for path in [mirror.tree.at("notes.txt"), mirror.folder.join("notes.txt")] {
        fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(moment))
            .expect("a time");
    }
    let run = mirror.sync();
    assert_eq!(
        (mirror.read("notes.txt"), count(&run, "beside")),
        ("mine 56789".to_owned(), 1),
        "{run:#}"
    );
    // Here alone, and with the very time that it had: only the inode knows.
    let file = mirror.folder.join("notes.txt");
    let had = fs::metadata(&file).expect("it is there").modified().expect("a time");
    mirror.write("notes.txt", "MINE 56789");
    fs::File::options()
        .write(true)
        .open(&file)
        .and_then(|file| file.set_modified(had))
        .expect("a time");
    mirror.tree.put("notes.txt", b"0123456789x");
    let run = mirror.sync();
    assert_eq!(
        (mirror.read("notes.txt"), count(&run, "beside")),
        ("MINE 56789".to_owned(), 1),
        "{run:#}"
    );
    mirror.host.finish();
}

#[test]
fn the_user_decides_about_conflicts_and_may_let_upstream_win_always() {
    let mut mirror =
        Mirror::new(&["on_conflict=ask"], &[("a.txt", b"1"), ("b.txt", b"1"), ("c.txt", b"1")]);
    mirror.sync();
    for path in ["a.txt", "b.txt", "c.txt"] {
        mirror.tree.put(path, b"theirs");
        mirror.write(path, "mine");
    }
    mirror.host.ok(&["sync", "maths"]);
    let left = ["publish", "maths", "--set", "on_conflict=ask"];
    let asked = mirror.host.wharf(&left);
    assert_eq!((asked.status, &asked.json["skipped"]), (3, &json!(3)), "{asked:#?}");
    assert_eq!(asked.json["items"][0]["key"], json!("a.txt"), "{asked:#?}");
    assert_eq!(mirror.names(), ["a.txt", "b.txt", "c.txt"]);
    let resolve = |path: &str, take: &str| {
        mirror.host.wharf(&["folder", "resolve", "maths", path, "--take", take])
    };
    assert_eq!(resolve("a.txt", "remote").json["skipped"], json!(2));
    assert_eq!(resolve("b.txt", "local").json["skipped"], json!(1));
    assert_eq!(resolve("c.txt", "both").json["skipped"], json!(0));
    resolve("d.txt", "local").ended(2, "not_found");
    assert_eq!(
        ["a.txt", "b.txt", "c.txt"].map(|path| mirror.read(path)),
        ["theirs", "mine", "mine"]
    );
    assert_eq!(mirror.names().len(), 4);
    let quiet = mirror.host.ok(&["publish", "maths"]);
    assert_eq!(quiet["changed"], json!(false), "{quiet:#}");
    mirror.tree.put("b.txt", b"theirs again");
    mirror.host.ok(&["sync", "maths"]);
    let won = mirror.host.ok(&["publish", "maths", "--set", "on_conflict=overwrite"]);
    assert_eq!((mirror.read("b.txt"), count(&won, "replaced")), ("theirs again".to_owned(), 1));
    mirror.host.finish();
}

#[test]
fn what_upstream_has_no_more_goes_only_if_the_policy_says_so_and_it_was_not_changed() {
    let settings = ["on_delete=delete-if-unmodified"];
    let mut mirror =
        Mirror::new(&settings, &[("deep/a.txt", b"1"), ("b.txt", b"1"), ("c.txt", b"1")]);
    mirror.sync();
    mirror.write("b.txt", "mine");
    mirror.tree.remove("deep/a.txt");
    mirror.tree.remove("b.txt");
    mirror.host.ok(&["sync", "maths"]);
    let dry = mirror.host.ok(&["publish", "maths", "--dry-run"]);
    assert_eq!((count(&dry, "deleted"), mirror.names().len()), (1, 3), "{dry:#}");
    let run = mirror.host.ok(&["publish", "maths"]);
    assert_eq!(
        (&run["removed"], &run["warning_codes"]["folder.kept"]),
        (&json!(1), &json!(1)),
        "{run:#}"
    );
    assert_eq!(mirror.names(), ["b.txt", "c.txt"]);
    assert!(!mirror.folder.join("deep").exists(), "a folder that is empty goes too");
    let again = mirror.host.ok(&["publish", "maths"]);
    assert_eq!(again["warnings"], json!(0), "{again:#}");
    mirror.host.finish();
}

#[test]
fn a_dry_run_tells_what_would_be_done_and_does_nothing() {
    let mut mirror = Mirror::new(&[], &[("a.txt", b"1"), ("b.txt", b"1")]);
    mirror.host.ok(&["sync", "maths"]);
    let dry = mirror.host.ok(&["publish", "maths", "--dry-run"]);
    assert_eq!((count(&dry, "new"), mirror.folder.exists()), (2, false), "{dry:#}");
    mirror.sync();
    mirror.tree.put("a.txt", b"theirs");
    mirror.write("a.txt", "mine");
    mirror.tree.put("b.txt", b"theirs");
    mirror.host.ok(&["sync", "maths"]);
    let before = below(&mirror.folder);
    let dry = mirror.host.ok(&["publish", "maths", "--dry-run"]);
    let files =
        json!([{"path": "a.txt", "action": "beside"}, {"path": "b.txt", "action": "replaced"}]);
    let mut told = dry["summary"]["files"].as_array().expect("files").clone();
    told.sort_by_key(|file| file["path"].to_string());
    assert_eq!((Value::from(told), below(&mirror.folder)), (files, before));
    mirror.host.finish();
}

// F98, F124
#[test]
fn links_are_not_followed_out_and_names_are_safe() {
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("precious.txt"), "precious").expect("a file");
    let files: &[(&str, &[u8])] = &[
        ("way/precious.txt", b"1"),
        ("link.txt", b"2"),
        ("what?.txt", b"3"),
        ("what*.txt", b"4"),
        ("con", b"5"),
    ];
    let mirror = Mirror::new(&["on_conflict=overwrite"], files);
    fs::create_dir_all(&mirror.folder).expect("a folder");
    std::os::unix::fs::symlink(outside.path(), mirror.folder.join("way")).expect("a link");
    std::os::unix::fs::symlink(outside.path().join("precious.txt"), mirror.folder.join("link.txt"))
        .expect("a link");
    mirror.host.ok(&["sync", "maths"]);
    let run = mirror.host.wharf(&["publish", "maths"]);
    assert_eq!((run.status, &run.json["failed"]), (3, &json!(1)), "{run:#?}");
    assert_eq!(fs::read_to_string(outside.path().join("precious.txt")).expect("there"), "precious");
    assert_eq!(fs::read_dir(outside.path()).expect("there").count(), 1);
    assert!(!mirror.folder.join("link.txt").is_symlink() && mirror.read("link.txt") == "2");
    assert_eq!(mirror.read("_con"), "5");
    let whats: Vec<String> =
        mirror.names().into_iter().filter(|name| name.starts_with("what_")).collect();
    assert_eq!(whats.len(), 2, "{whats:?}");
    // The same names again.
    assert_eq!(mirror.host.wharf(&["publish", "maths"]).json["changed"], json!(false));
    mirror.host.finish();
}

#[test]
fn a_file_has_the_time_that_upstream_tells_and_keeps_its_rights() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut mirror = Mirror::new(&[], &[("a.sh", b"1")]);
    let moment = SystemTime::UNIX_EPOCH + Duration::from_hours(416_667);
    let set = |path: PathBuf| {
        fs::File::options().write(true).open(path).and_then(|file| file.set_modified(moment))
    };
    set(mirror.tree.at("a.sh")).expect("a time");
    mirror.sync();
    let file = mirror.folder.join("a.sh");
    assert_eq!(fs::metadata(&file).expect("it is there").mtime(), 416_667 * 3_600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o751)).expect("rights");
    mirror.tree.put("a.sh", b"22");
    mirror.sync();
    let metadata = fs::metadata(&file).expect("it is there");
    assert_eq!((metadata.len(), metadata.mode() & 0o777), (2, 0o751));
    mirror.host.finish();
}

#[test]
fn a_killed_host_leaves_whole_files_and_the_next_run_repairs() {
    let tree = Tree::of(600, 40_000, 7);
    tree.remove_manifest();
    let mut host = TestHost::new();
    host.serve();
    let folder = host.folder().join("studies");
    let (source, target) =
        (format!("path={}", tree.folder().display()), format!("path={}", folder.display()));
    host.repository("maths", &[("file.folder", &[&source]), ("folder", &[&target])]);
    host.ok(&["sync", "maths"]);
    let publish = host.start(&["publish", "maths"]);
    wait::until("a first file", Duration::from_secs(30), || {
        (!below(&folder).is_empty()).then_some(())
    });
    host.kill_server();
    publish.wait();
    let digests = tree.digests();
    for (path, digest) in below(&folder) {
        if !path.rsplit('/').next().is_some_and(|name| name.starts_with(".wharf-")) {
            assert_eq!(digests.get(&path), Some(&digest), "{path} is not whole");
        }
    }
    host.serve();
    let run = host.ok(&["publish", "maths"]);
    assert_eq!(run["warnings"], json!(0), "{run:#}");
    assert_eq!(below(&folder), digests);
    // The server's end put the job back: it may run once more, and finds nothing to do.
    let quiet = host.ok(&["publish", "maths"]);
    assert_eq!(quiet["changed"], json!(false), "{quiet:#}");
    host.finish();
}
