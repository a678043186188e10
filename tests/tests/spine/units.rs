//! Units looked for, taken out, copied; labels; versions that go and come back; what nobody needs is freed.

use serde_json::{Value, json};
use wharf_tests::invariants::{files, published};
use wharf_tests::{TestHost, Tree, Upstream, wait};

use crate::mirror;

/// A host with a repository `tools` of some files, synced.
fn synced(tree: &Tree) -> (TestHost, Upstream) {
    let upstream = Upstream::of(tree.folder());
    let host = TestHost::new();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    (host, upstream)
}

fn listed(host: &TestHost, arguments: &[&str]) -> Vec<Value> {
    let mut command = vec!["unit", "list"];
    command.extend(arguments);
    host.ok(&command)["units"].as_array().expect("a list").clone()
}

fn paths(units: &[Value]) -> Vec<String> {
    let path = |unit: &Value| unit["key"]["relative_path"].as_str().expect("a path").to_owned();
    units.iter().map(path).collect()
}

/// The numbers of a job that makes a version.
fn counts(job: &Value) -> Value {
    json!([job["state"], job["added"], job["removed"], job["version"], job["changed"]])
}

fn versions(host: &TestHost, name: &str) -> Vec<u64> {
    let told = host.ok(&["repo", "versions", name]);
    let versions = told["versions"].as_array().expect("a list").clone();
    versions.iter().map(|version| version["number"].as_u64().expect("a number")).collect()
}

#[test]
fn units_are_found_by_their_fields_in_one_repository_and_in_all() {
    let tree = Tree::of(30, 100, 81);
    let (host, _upstream) = synced(&tree);
    let sorted = tree.paths();
    let all = listed(&host, &["tools", "--order", "relative_path"]);
    assert_eq!(paths(&all), sorted);
    let last = listed(&host, &["tools", "--order", "-relative_path", "--limit", "1"]);
    assert_eq!(paths(&last), [sorted[29].clone()]);
    host.repository("other", &[]);
    let exact = format!("relative_path={}", sorted[3]);
    let copied = host.ok(&["copy", "tools", "other", "--where", &exact]);
    assert_eq!(counts(&copied), json!(["succeeded", 1, 0, 1, true]), "{copied:#}");
    let found = listed(&host, &["--type", "file", "--where", &exact]);
    assert_eq!(found[0]["repositories"], json!(["other", "tools"]), "{found:#?}");
    let beginning = format!("relative_path^={}", &sorted[3][..2]);
    let expected: Vec<_> =
        sorted.iter().filter(|path| path.starts_with(&sorted[3][..2])).cloned().collect();
    let mut begun = paths(&listed(&host, &["tools", "--where", &beginning]));
    begun.sort();
    assert_eq!(begun, expected);
    let id = found[0]["id"].to_string();
    let unit = host.ok(&["unit", "show", &id]);
    assert_eq!(unit["files"][0]["sha256"], tree.digests()[&sorted[3]], "{unit:#}");
    assert_eq!(
        unit["versions"],
        json!([
            { "repository": "other", "added_in": 1 },
            { "repository": "tools", "added_in": 1 },
        ])
    );
    let text = host.wharf(&["--output", "text", "unit", "list", "other"]);
    assert!(text.stdout.contains(&sorted[3]), "{text:#?}");
    host.wharf(&["unit", "list", "nope"]).ended(2, "not_found");
    host.wharf(&["unit", "list", "tools", "--version", "9"]).ended(2, "not_found");
    host.wharf(&["unit", "list", "--type", "nope"]).ended(2, "not_found").says(&["type list"]);
    host.wharf(&["unit", "show", "99999"]).ended(2, "not_found");
    host.finish();
}

#[test]
fn labels_are_set_taken_away_and_found() {
    let host = TestHost::new();
    for name in ["a", "b", "c"] {
        host.repository(name, &[]);
    }
    host.ok(&["repo", "label", "a", "stage=test", "team=web"]);
    let changed = host.ok(&["repo", "label", "b", "stage=prod", "team=web"]);
    assert_eq!(changed["labels"], json!({ "stage": "prod", "team": "web" }));
    let named = |arguments: &[&str]| {
        let mut command = vec!["repo", "list"];
        command.extend(arguments);
        let listed = host.ok(&command)["repositories"].clone();
        let names = listed.as_array().expect("a list").iter();
        names.map(|it| it["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named(&["--label", "team=web"]), ["a", "b"]);
    assert_eq!(named(&["--label", "team", "--label", "stage=prod"]), ["b"]);
    assert_eq!(named(&["--label", "nope"]), [""; 0]);
    host.ok(&["repo", "label", "b", "team-"]);
    assert_eq!(named(&["--label", "team"]), ["a"]);
    host.wharf(&["repo", "label", "a", "bad name=x"]).ended(2, "usage").says(&["bad name"]);
    host.wharf(&["repo", "label", "a", "x=a,b"]).ended(2, "usage").says(&["comma"]);
    host.wharf(&["repo", "label", "nope", "x=y"]).ended(2, "not_found");
    host.finish();
}

#[test]
fn units_are_taken_out_and_a_rollback_brings_them_back() {
    let tree = Tree::of(20, 300, 82);
    let (mut host, _upstream) = synced(&tree);
    host.serve();
    let gone = tree.paths()[..2].to_vec();
    let of = |path: &str| format!("relative_path={path}");
    let (first, second) = (of(&gone[0]), of(&gone[1]));
    let dry = host.ok(&["unit", "remove", "tools", "--where", &first, "--dry-run"]);
    assert_eq!((&dry["removed"], &dry["dry_run"]), (&json!(1), &json!(true)), "{dry:#}");
    assert_eq!(versions(&host, "tools"), [1]);
    let removed = host.ok(&["unit", "remove", "tools", "--where", &first]);
    assert_eq!(counts(&removed), json!(["succeeded", 0, 1, 2, true]), "{removed:#}");
    let again = host.ok(&["unit", "remove", "tools", "--where", &first]);
    assert_eq!(counts(&again), json!(["succeeded", 0, 0, 2, false]), "{again:#}");
    let id = listed(&host, &["tools", "--where", &second])[0]["id"].to_string();
    host.ok(&["unit", "remove", "tools", &id]);
    host.ok(&["publish", "tools"]);
    let mut left = tree.digests();
    left.retain(|path, _| !gone.contains(path));
    assert_eq!(published(&host, "tools"), left);
    host.wharf(&["unit", "remove", "tools"]).ended(2, "usage").says(&["which units"]);
    let back = host.ok(&["repo", "rollback", "tools", "--to", "1"]);
    assert_eq!(counts(&back), json!(["succeeded", 2, 0, 4, true]), "{back:#}");
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.wharf(&["repo", "rollback", "tools", "--to", "9"]).ended(2, "not_found");
    host.finish();
}

#[test]
fn a_copy_is_published_without_fetching_and_a_second_one_changes_nothing() {
    let tree = Tree::of(20, 300, 83);
    let (mut host, upstream) = synced(&tree);
    host.serve();
    upstream.forget();
    host.repository("prod", &[("file.distributor", &[])]);
    let dry = host.ok(&["copy", "tools", "prod", "--dry-run"]);
    assert_eq!((&dry["added"], &dry["version"]), (&json!(20), &json!(0)), "{dry:#}");
    let copied = host.ok(&["copy", "tools", "prod"]);
    assert_eq!(counts(&copied), json!(["succeeded", 20, 0, 1, true]), "{copied:#}");
    let again = host.ok(&["copy", "tools", "prod"]);
    assert_eq!(counts(&again), json!(["succeeded", 0, 0, 1, false]), "{again:#}");
    host.ok(&["publish", "prod"]);
    assert_eq!(published(&host, "prod"), tree.digests());
    assert_eq!(upstream.total(), 0, "{:#?}", upstream.seen());
    host.wharf(&["copy", "tools", "tools"]).ended(2, "usage").says(&["rollback"]);
    host.wharf(&["copy", "tools", "nope"]).ended(2, "not_found");
    host.ok(&["repo", "create", "debs", "--type", "file"]);
    host.finish();
}

#[test]
fn old_versions_go_and_what_they_alone_held_is_freed() {
    let mut tree = Tree::of(20, 4000, 84);
    let (mut host, upstream) = synced(&tree);
    host.serve();
    host.ok(&["publish", "tools"]);
    for round in 0..4 {
        tree.churn(4, round);
        host.ok(&["sync", "tools"]);
    }
    assert_eq!(versions(&host, "tools"), [5, 4, 3, 2, 1]);
    host.ok(&["repo", "delete-version", "tools", "3"]);
    host.wharf(&["repo", "delete-version", "tools", "1"]).ended(2, "conflict").says(&["published"]);
    host.wharf(&["repo", "delete-version", "tools", "5"]).ended(2, "conflict").says(&["newest"]);
    let set = host.ok(&["repo", "set", "tools", "--retain", "1"]);
    assert_eq!(set["retain"], 1, "{set:#}");
    assert_eq!(versions(&host, "tools"), [5, 1], "clients see version 1");
    let blobs = || files(&host.data().join("blobs")).len();
    let before = blobs();
    let young = host.ok(&["gc"]);
    assert_eq!((&young["summary"]["blobs"], blobs()), (&json!(0), before), "{young:#}");
    let upstream_before = upstream.total();
    let told = host.ok(&["gc", "--protect", "0", "--dry-run"]);
    assert_eq!(blobs(), before);
    let freed = host.ok(&["gc", "--protect", "0"]);
    let numbers = ["units", "blobs", "bytes"];
    let of = |run: &Value| numbers.map(|name| run["summary"][name].clone());
    assert_eq!(of(&told), of(&freed), "what was told is what was done");
    assert!(freed["summary"]["blobs"].as_u64() > Some(0), "{freed:#}");
    assert!(freed["summary"]["bytes"].as_u64() > Some(0), "{freed:#}");
    assert!(blobs() < before);
    let text = host.wharf(&["--output", "text", "gc", "--protect", "0", "--dry-run"]);
    assert!(text.stdout.contains("nothing"), "{text:#?}");
    host.ok(&["publish", "tools"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.ok(&["sync", "tools", "--full"]);
    assert_eq!(upstream.total(), upstream_before + 1, "nothing that is needed was taken away");
    host.finish();
}

#[test]
fn a_server_frees_by_itself_as_often_as_it_was_told() {
    let mut tree = Tree::of(6, 400, 85);
    let (mut host, _upstream) = synced(&tree);
    let moved = tree.churn(3, 1) as u64;
    host.ok(&["sync", "tools"]);
    host.ok(&["repo", "set", "tools", "--retain", "1"]);
    host.serve_asked(&["--gc-every", "1s"]);
    let runs = wait::until("it ran twice", wait::PATIENCE, || {
        let jobs = host.api("GET", "/api/v1/jobs?limit=20", b"").json();
        let runs = jobs.as_array()?.iter().filter(|job| job["operation"] == "gc");
        let ended: Vec<Value> = runs.filter(|job| job["state"] == "succeeded").cloned().collect();
        (ended.len() >= 2).then_some(ended)
    });
    let first = &runs[runs.len() - 1]["result"];
    assert_eq!(first["removed"], 2 * moved, "what the old version alone held: {runs:#?}");
    assert_eq!(runs[0]["result"]["changed"], false, "then nothing is left to do: {runs:#?}");
    host.finish();
}
