//! Folders that ask: on a terminal, of which the program `script` makes one, and where there is none. And Ctrl-C in the
//! middle of everything.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use serde_json::json;
use wharf_tests::{TestHost, Tree, Trick, Upstream, wait};

/// A repository with a folder that asks, and three files that were changed on both sides.
struct Edited {
    host: TestHost,
    _tree: Tree,
    folder: PathBuf,
}

const FILES: [&str; 3] = ["a.txt", "b.txt", "c.txt"];

impl Edited {
    fn new() -> Self {
        let mut tree = Tree::empty();
        tree.remove_manifest();
        for path in &FILES {
            tree.put(path, b"first");
        }
        let mut host = TestHost::new();
        host.serve();
        let folder = host.folder().join("maths");
        let source = format!("path={}", tree.folder().display());
        let target = format!("path={}", folder.display());
        let folder_settings = [target.as_str(), "on_conflict=ask"];
        host.repository("maths", &[("file.folder", &[&source]), ("folder", &folder_settings)]);
        host.ok(&["sync", "--all"]);
        for path in FILES {
            tree.put(path, b"theirs");
            fs::write(folder.join(path), "mine").expect("the folder is there");
        }
        Self { host, _tree: tree, folder }
    }

    fn read(&self) -> [String; 3] {
        FILES.map(|path| fs::read_to_string(self.folder.join(path)).expect("it is there"))
    }

    fn beside(&self) -> usize {
        let names = fs::read_dir(&self.folder).expect("the folder").flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains(".remote-")).count()
    }
}

#[test]
fn who_sits_at_a_terminal_is_asked_about_each_file_that_was_changed_on_both_sides() {
    let edited = Edited::new();
    let keys = edited.host.folder().join("keys");
    mknodat(CWD, &keys, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    let wharf = wharf_tests::wharf::program("wharf");
    let command = format!(
        "exec script -qec '{} --output text sync --all' /dev/null < {}",
        wharf.display(),
        keys.display()
    );
    let mut run = edited.host.start_program(Path::new("sh"), &["-c", &command]);
    let mut keys = OpenOptions::new().write(true).open(&keys).expect("script reads it");
    // The first key is none of those that are asked for.
    for (file, answer) in FILES.iter().zip(["xl", "r", "B"]) {
        wait::until("the question", wait::PATIENCE, || {
            assert!(!run.has_ended(), "{}", run.stdout());
            run.stdout().contains(&format!("{file} was changed here and upstream")).then_some(())
        });
        keys.write_all(answer.as_bytes()).expect("script reads");
    }
    let run = run.wait();
    assert_eq!(run.status, 0, "{run:#?}");
    assert_eq!((edited.read().join(" "), edited.beside()), ("mine theirs mine".to_owned(), 1));
    let quiet = edited.host.ok(&["publish", "maths"]);
    assert_eq!(quiet["changed"], json!(false), "decisions are remembered: {quiet:#}");
    edited.host.finish();
}

#[test]
fn where_nobody_can_be_asked_local_files_stay_and_that_is_told() {
    let edited = Edited::new();
    let run = edited.host.wharf(&["sync", "--all"]);
    assert_eq!((run.status, &run.json["exit"]), (0, &json!(0)), "{run:#?}");
    run.says(&["maths: nobody can be asked here (on_conflict=ask)", "3 files"]);
    assert_eq!((edited.read().join(" "), edited.beside()), ("mine mine mine".to_owned(), 3));
    edited.host.finish();
}

#[test]
fn ctrl_c_cancels_every_job_of_a_sync_of_everything() {
    let trees = [61, 62].map(|seed| Tree::of(5, 2_000, seed));
    let upstreams = trees.each_ref().map(|tree| Upstream::of(tree.folder()));
    let mut host = TestHost::new();
    host.serve();
    for (name, upstream) in ["one", "two"].iter().zip(&upstreams) {
        let url = format!("url={}", upstream.url("PULP_MANIFEST"));
        let path = format!("path={}", host.folder().join(name).display());
        host.repository(name, &[("file.importer", &[&url]), ("folder", &[&path])]);
        upstream.once("d000/f00002.bin", [Trick::Stall(10)]);
    }
    let sync = host.start(&["sync", "--all"]);
    for upstream in &upstreams {
        upstream.wait_for("d000/f00002.bin");
    }
    sync.signal(Signal::INT);
    let run = sync.wait();
    assert_eq!((run.status, &run.json["exit"]), (130, &json!(130)), "{run:#?}");
    assert_eq!(run.json["cancelled"], json!(["one", "two"]), "{run:#?}");
    let jobs = run.json["jobs"].as_array().expect("jobs");
    assert_eq!(jobs.len(), 2, "no folder was begun: {run:#?}");
    assert!(jobs.iter().all(|job| job["state"] == "cancelled"), "{run:#?}");
    for name in ["one", "two"] {
        assert!(!host.folder().join(name).exists(), "{name} was written to");
        assert_eq!(host.ok(&["repo", "show", name])["version"], 0);
    }
    assert_eq!(host.ok(&["sync", "--all"])["totals"]["sync"]["added"], json!(10));
    host.finish();
}
