//! Group E: lying indexes, hostile names, broken downloads, silent servers.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;
use wharf_tests::invariants::{files, published};
use wharf_tests::wharf::Patience;
use wharf_tests::{TestHost, Tree, Trick, Upstream};

use crate::{mirror, misbehaving};

/// A host with a server of short patience and a mirror of this upstream.
fn mirroring(upstream: &Upstream, settings: &[&str]) -> TestHost {
    let mut host = TestHost::new();
    host.serve_with(Patience::Short);
    mirror(&host, upstream, settings);
    host
}

/// One file is not what the index promises: it fails with this code, the others arrive, and after upstream behaves
/// again so does this one.
fn check(trick: &Trick, codes: &[&str]) {
    let tree = Tree::of(10, 5000, 61);
    let name = "d000/f00003.bin";
    let upstream = Upstream::of(tree.folder());
    let host = mirroring(&upstream, &[]);
    upstream.always(name, trick.clone());
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!((run.status, &run.json["state"]), (3, &json!("partial")), "{trick:?}: {run:#?}");
    assert_eq!((&run.json["added"], &run.json["failed"]), (&json!(9), &json!(1)), "{run:#?}");
    let problem = &run.json["items"][0]["problem"];
    let code = problem["code"].as_str().unwrap_or_default();
    let first = code.split('.').next().unwrap_or_default();
    assert!(codes.contains(&first), "{trick:?}: {problem:#}");
    assert_eq!(files(&host.data().join("blobs")).len(), 9, "nothing of it is kept");
    upstream.behave();
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

#[test]
fn f101_other_bytes_than_the_index_says_are_dropped() {
    check(&Trick::WrongBytes, &["integrity"]);
}

#[test]
fn f102_a_shorter_body_is_dropped() {
    check(&Trick::Short(7), &["integrity"]);
}

#[test]
fn f102_a_longer_body_is_cut_off_and_dropped() {
    check(&Trick::Long(7), &["integrity", "limit"]);
}

#[test]
fn f102_an_endless_body_is_cut_off_at_the_announced_size() {
    let started = Instant::now();
    check(&Trick::Endless(1 << 30), &["integrity", "limit"]);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[test]
fn f101_a_lying_size_in_the_index_is_found() {
    let tree = Tree::of(5, 500, 62);
    let lied = tree.manifest().replacen(",500\n", ",501\n", 1);
    let mut lines: Vec<String> = lied.lines().map(str::to_owned).collect();
    let (path, _size) = lines[2].rsplit_once(',').expect("a line of the manifest");
    lines[2] = format!("{path},123456");
    tree.write_manifest_text(&lines.join("\n"));
    let upstream = Upstream::of(tree.folder());
    let host = mirroring(&upstream, &[]);
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!((run.status, &run.json["added"]), (3, &json!(4)), "{run:#?}");
    assert!(
        run.json["items"][0]["problem"]["code"]
            .as_str()
            .is_some_and(|code| code.starts_with("integrity"))
    );
    host.finish();
}

#[test]
fn f112_a_download_that_breaks_off_is_resumed_where_it_broke() {
    let mut tree = Tree::empty();
    let bytes = wharf_tests::random::Random::new(5).bytes(400_000);
    tree.put("large.bin", &bytes);
    tree.write_manifest();
    let upstream = Upstream::of(tree.folder());
    let host = mirroring(&upstream, &[]);
    upstream.once("large.bin", [Trick::Cut(396_000)]);
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!((run.status, &run.json["added"]), (0, &json!(1)), "{run:#?}");
    let seen: Vec<_> =
        upstream.seen().into_iter().filter(|seen| seen.path == "large.bin").collect();
    assert_eq!(seen.len(), 2, "{seen:#?}");
    let range = seen[1].headers.get("range").expect("the second one asks for the rest");
    let from: usize =
        range.trim_start_matches("bytes=").trim_end_matches('-').parse().expect("a number");
    assert!((1..=396_000).contains(&from), "{range}");
    assert!(seen[1].headers.contains_key("if-range"), "only with a validator: {seen:#?}");
    host.finish();
}

#[test]
fn f112_without_validators_it_starts_over() {
    let mut tree = Tree::empty();
    tree.put("large.bin", &wharf_tests::random::Random::new(6).bytes(100_000));
    tree.write_manifest();
    let upstream = Upstream::of(tree.folder());
    let host = mirroring(&upstream, &[]);
    upstream.once("large.bin", [Trick::Cut(60_000), Trick::Plain]);
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!((run.status, &run.json["added"]), (0, &json!(1)), "{run:#?}");
    host.finish();
}

#[test]
fn f111_a_busy_upstream_is_asked_again_when_it_says() {
    let tree = Tree::of(5, 500, 63);
    let upstream = Upstream::of(tree.folder());
    let host = mirroring(&upstream, &[]);
    upstream.once("PULP_MANIFEST", [Trick::unavailable("1")]);
    upstream.once("d000/f00002.bin", [Trick::unavailable("0"), Trick::HangUp]);
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!((run.status, &run.json["added"]), (0, &json!(5)), "{run:#?}");
    assert!(run.took >= Duration::from_secs(1), "it waited as told: {:?}", run.took);
    host.finish();
}

#[test]
fn f112_a_stalled_server_does_not_hold_up_the_job_for_ever() {
    let tree = Tree::of(5, 500, 64);
    let upstream = Upstream::of(tree.folder());
    let host = mirroring(&upstream, &[]);
    let name = tree
        .paths()
        .into_iter()
        .max_by_key(|path| fs::metadata(tree.at(path)).map(|file| file.len()).ok());
    upstream.once(&name.expect("five files"), [Trick::Stall(1)]);
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!(
        (run.status, &run.json["added"]),
        (0, &json!(5)),
        "tried again after the stall: {run:#?}"
    );
    host.finish();
}

#[test]
fn f98_hostile_paths_in_a_manifest_are_refused_by_line() {
    let digest = wharf_tests::tree::sha256(b"x");
    for path in
        ["../up", "a/../../up", "/etc/passwd", "a//b", "./a", "a/.", "nul\u{0}byte", "bell\u{7}"]
    {
        let tree = Tree::of(3, 100, 65);
        tree.write_manifest_text(&format!("{}{path},{digest},1\n", tree.manifest()));
        let upstream = Upstream::of(tree.folder());
        let host = mirroring(&upstream, &[]);
        let run = host.wharf(&["sync", "tools"]);
        run.ended(1, "content").says(&["4"]);
        assert_eq!(host.ok(&["repo", "show", "tools"])["version"], 0, "{path:?}");
        assert!(!host.folder().join("up").exists() && !host.data().join("up").exists(), "I9");
        host.finish();
    }
}

#[test]
fn f98_hostile_paths_of_a_plugin_never_become_names() {
    for fault in ["hostile-path", "hostile-staged"] {
        for path in ["../../escape", "/etc/escape", "a/../../../escape"] {
            let host = misbehaving(&[&format!("fault={fault}"), &format!("path={path}")]);
            let run = host.wharf(&["sync", "odd"]);
            assert!([1, 4].contains(&run.status), "{fault} {path}: {run:#?}");
            assert!(
                run.code().starts_with("content") || run.code().starts_with("protocol"),
                "{run:#?}"
            );
            assert_eq!(host.ok(&["repo", "show", "odd"])["version"], 0);
            host.finish();
        }
    }
}

#[test]
fn f98_hostile_paths_are_never_published() {
    let host = misbehaving(&[]);
    host.ok(&["sync", "odd"]);
    for target in ["../../escape", "/escape", "a/../b", "a//b"] {
        let settings = ["fault=hostile-path".to_owned(), format!("target={target}")];
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        host.attach("odd", "misbehave.distributor", &settings);
        let run = host.wharf(&["publish", "odd"]);
        assert!([1, 4].contains(&run.status), "{target}: {run:#?}");
        assert_eq!(host.get("/content/odd/VERSION").status, 404, "nothing of it is live");
    }
    host.finish();
}

#[test]
fn f100_a_doubled_path_and_a_file_below_a_file_are_refused_by_name() {
    let host = misbehaving(&[]);
    host.ok(&["sync", "odd"]);
    for fault in ["doubled", "prefix"] {
        host.attach("odd", "misbehave.distributor", &[&format!("fault={fault}")]);
        let run = host.wharf(&["publish", "odd"]);
        assert!([1, 4].contains(&run.status), "{run:#?}");
        run.says(&["VERSION"]);
        assert_eq!(host.get("/content/odd/VERSION").status, 404);
    }
    host.finish();
}

#[test]
fn f100_doubled_paths_in_a_manifest_are_told() {
    let tree = Tree::of(3, 100, 66);
    let first = tree.manifest().lines().next().expect("three lines").to_owned();
    tree.write_manifest_text(&format!("{}{first}\n", tree.manifest()));
    let upstream = Upstream::of(tree.folder());
    let host = mirroring(&upstream, &[]);
    let same = host.wharf(&["sync", "tools"]);
    assert_eq!(
        (same.status, &same.json["added"]),
        (0, &json!(3)),
        "the same twice is a warning: {same:#?}"
    );
    assert!(same.json["warnings"].as_u64().is_some_and(|warnings| warnings > 0), "{same:#?}");
    let (path, _rest) = first.split_once(',').expect("a line");
    let other = format!("{path},{},1", wharf_tests::tree::sha256(b"x"));
    tree.write_manifest_text(&format!("{}{other}\n", tree.manifest()));
    host.wharf(&["sync", "tools"]).ended(1, "content").says(&[path]);
    host.finish();
}

#[test]
fn f99_names_that_differ_by_case_only_are_two() {
    let mut tree = Tree::empty();
    tree.put("Readme.txt", b"large");
    tree.put("README.txt", b"larger");
    tree.write_manifest();
    let upstream = Upstream::of(tree.folder());
    let host = mirroring(&upstream, &[]);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

#[test]
fn f101_lying_plugins_are_found_out() {
    for fault in ["lying-digest", "lying-size"] {
        let host = misbehaving(&[&format!("fault={fault}")]);
        let run = host.wharf(&["sync", "odd"]);
        assert_eq!(
            (run.status, &run.json["added"], &run.json["failed"]),
            (3, &json!(19), &json!(1)),
            "{run:#?}"
        );
        host.finish();
    }
}

#[test]
fn f102_an_item_that_the_plugin_hands_out_short_or_long_fails_alone() {
    for fault in ["short-fetch", "long-fetch"] {
        let host = misbehaving(&[]);
        host.repository("listed", &[("misbehave.lister", &[&format!("fault={fault}")])]);
        let run = host.wharf(&["sync", "listed"]);
        assert_eq!(
            (run.status, &run.json["added"], &run.json["failed"]),
            (3, &json!(19), &json!(1)),
            "{run:#?}"
        );
        host.attach("listed", "misbehave.lister", &[]);
        assert_eq!(host.ok(&["sync", "listed"])["added"], 1);
        host.finish();
    }
}

#[test]
fn an_item_that_changed_since_it_was_listed_is_taken_as_what_it_is_and_known_again_by_that() {
    let host = misbehaving(&[]);
    host.repository("listed", &[("misbehave.lister", &["fault=changed-fetch"])]);
    let run = host.ok(&["sync", "listed"]);
    assert_eq!((&run["added"], &run["failed"]), (&json!(20), &json!(0)), "{run:#}");
    // The listing says what it said before, so the one that came as another revision is fetched anew, and no other.
    let again = host.ok(&["sync", "listed"]);
    assert_eq!((&again["unchanged"], &again["changed"]), (&json!(20), &json!(false)), "{again:#}");
    assert!(again["bytes"].as_u64() > Some(0) && again["bytes"].as_u64() < run["bytes"].as_u64());
    host.finish();
}

#[test]
fn an_item_that_is_another_one_by_the_time_it_is_gone_on_with_is_begun_anew_once() {
    let host = misbehaving(&[]);
    host.repository("listed", &[("misbehave.lister", &["fault=moved-fetch"])]);
    let run = host.ok(&["sync", "listed"]);
    assert_eq!((&run["added"], &run["attempts"]), (&json!(20), &json!(1)), "{run:#}");
    host.attach("listed", "misbehave.distributor", &[]);
    host.ok(&["publish", "listed"]);
    let text = host.get("/content/listed/d000/u000003.txt").text();
    assert_eq!(text, "unit 3 of seed 1\nand more", "the bytes of one revision only");

    host.repository("moving", &[("misbehave.lister", &["fault=moving-fetch", "seed=2"])]);
    let run = host.wharf(&["sync", "moving"]);
    let counts = (run.status, &run.json["added"], &run.json["failed"]);
    assert_eq!(counts, (3, &json!(19), &json!(1)), "{run:#?}");
    assert_eq!(run.json["items"][0]["problem"]["code"], "source.changing", "{run:#?}");
    host.finish();
}

#[test]
fn a_folder_that_could_not_be_listed_is_no_deletion() {
    let host = misbehaving(&[]);
    host.repository("listed", &[("misbehave.lister", &["units=120"])]);
    assert_eq!(host.ok(&["sync", "listed"])["added"], 120);
    host.attach("listed", "misbehave.lister", &["units=110", "fault=lost-folder"]);
    let would = host.wharf(&["sync", "listed", "--dry-run"]);
    assert_eq!((&would.json["unchanged"], &would.json["removed"]), (&json!(110), &json!(10)));
    let run = host.wharf(&["sync", "listed"]);
    let counts = ["unchanged", "removed", "failed"].map(|name| run.json[name].clone());
    assert_eq!((run.status, counts), (3, [json!(110), json!(10), json!(1)]), "{run:#?}");
    host.attach("listed", "misbehave.lister", &["units=105"]);
    let run = host.ok(&["sync", "listed"]);
    assert_eq!((&run["unchanged"], &run["removed"]), (&json!(105), &json!(5)), "{run:#}");
    host.finish();
}

#[test]
fn a_plugin_that_says_the_server_is_gone_ends_the_run_at_the_first_item() {
    let host = misbehaving(&[]);
    host.repository("listed", &[("misbehave.lister", &["fault=gone-fetch"])]);
    let run = host.wharf(&["sync", "listed"]);
    run.ended(1, "source").says(&["the server is gone"]);
    assert_eq!((&run.json["added"], &run.json["failed"]), (&json!(0), &json!(0)), "{run:#?}");
    host.finish();
}

#[test]
fn f109_redirects_inward_from_an_index_are_refused() {
    let tree = Tree::of(3, 100, 67);
    let secret = Tree::of(1, 100, 68);
    let upstream = Upstream::of(tree.folder());
    let inward = format!("file://{}", secret.at("d000/f00000.bin").display());
    let host = mirroring(&upstream, &[]);
    upstream.always("d000/f00001.bin", Trick::Redirect(inward));
    upstream.always("d000/f00002.bin", Trick::Redirect(upstream.url("d000/f00002.bin")));
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!((run.status, &run.json["failed"]), (3, &json!(2)), "F109, F110: {run:#?}");
    host.finish();
}

#[test]
fn f113_a_file_that_stood_here_stays_when_its_successor_cannot_be_had() {
    let mut tree = Tree::of(5, 500, 69);
    let upstream = Upstream::of(tree.folder());
    let host = mirroring(&upstream, &[]);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    let before = tree.digests();
    tree.put("d000/f00001.bin", b"a successor");
    tree.write_manifest();
    upstream.always("d000/f00001.bin", Trick::Status(404, Vec::new()));
    let run = host.wharf(&["sync", "tools"]);
    assert_eq!((run.status, &run.json["failed"]), (3, &json!(1)), "{run:#?}");
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), before, "what stood in its place stays");
    host.finish();
}
