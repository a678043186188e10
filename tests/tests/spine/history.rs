//! Looking back: the history of a repository, its page, and how long jobs are remembered.

use serde_json::{Value, json};
use wharf_tests::upstream::Trick;
use wharf_tests::{TestHost, Tree, Upstream};

use crate::mirror;

fn runs(host: &TestHost, further: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> =
        ["repo", "history", "tools"].iter().chain(further).copied().collect();
    let history = host.ok(&arguments);
    history["runs"].as_array().expect("a list").clone()
}

#[test]
fn every_run_is_told_with_counts_that_the_host_made() {
    let mut tree = Tree::of(20, 300, 41);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    let moved = tree.churn(6, 1) as u64;
    let second = host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    host.ok(&["publish", "tools"]);
    upstream.once("PULP_MANIFEST", [Trick::Status(404, Vec::new())]);
    host.wharf(&["sync", "tools"]).ended(1, "source");
    let all = runs(&host, &[]);
    let told: Vec<Value> = all
        .iter()
        .map(|run| json!([run["operation"], run["outcome"], run["version"], run["asked_by"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["sync", "failed", null, "user"]),
            json!(["publish", "skipped", 2, "user"]),
            json!(["publish", "succeeded", 2, "user"]),
            json!(["sync", "succeeded", 2, "user"]),
            json!(["sync", "succeeded", 1, "user"]),
        ]
    );
    // A changed file takes the place of the old one; a job counts both, the history what it means.
    let (sync, updated) = (&all[3], all[3]["updated"].as_u64().unwrap_or_default());
    assert!(updated > 0, "{sync:#}");
    assert_eq!(second["updated"], updated);
    assert_eq!((&sync["added"], &sync["removed"]), (&json!(moved), &json!(moved)));
    assert_eq!(all[0]["problem"]["class"], "operation");
    let times = |run: &Value| (run["started_ms"].as_i64(), run["finished_ms"].as_i64());
    assert!(all.iter().all(|run| times(run).0.is_some() && times(run).0 <= times(run).1));
    assert_eq!(runs(&host, &["--operation", "sync", "--limit", "1"]).len(), 1);
    assert_eq!(runs(&host, &["--since", "2000-01-01"]).len(), 5);
    assert!(runs(&host, &["--until", "2000-01-01T00:00:00Z"]).is_empty());
    host.wharf(&["repo", "history", "tools", "--since", "yesterday"]).ended(2, "usage");
    host.wharf(&["repo", "history", "none"]).ended(2, "not_found");
    host.finish();
}

#[test]
fn the_page_of_a_repository_tells_what_is_there_and_what_ran() {
    let tree = Tree::of(7, 100, 42);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &["auto_publish=true"]);
    host.ok(&["sync", "tools"]);
    let publish = wharf_tests::wait::until("it is published", wharf_tests::wait::PATIENCE, || {
        let page = host.ok(&["repo", "show", "tools"]);
        page["last_publish"].is_object().then(|| page["last_publish"].clone())
    });
    let page = host.ok(&["repo", "show", "tools"]);
    assert_eq!(page["units_by_type"], json!({"file": 7}));
    assert_eq!(
        (&page["last_sync"]["added"], &page["last_sync"]["outcome"]),
        (&json!(7), &json!("succeeded"))
    );
    let job = &page["last_sync"]["job"];
    assert_eq!(publish["asked_by"], format!("job {job}"), "{publish:#}");
    host.ok(&["schedule", "create", "tools", "sync", "--cron", "0 4 * * *", "--zone", "UTC"]);
    let text = host.wharf(&["repo", "show", "tools", "--output", "text"]).stdout;
    for words in
        ["7: 7 file", "last sync", "last publish", "tools-sync: sync 0 4 * * *", "/content/tools/"]
    {
        assert!(text.contains(words), "{words} is missing in:\n{text}");
    }
    // A repository of the same name is another one.
    host.ok(&["repo", "delete", "tools"]);
    host.ok(&["repo", "create", "tools"]);
    assert!(runs(&host, &[]).is_empty());
    assert_eq!(
        host.ok(&["schedule", "list"])["schedules"],
        json!([]),
        "it went with the repository"
    );
    host.finish();
}

#[test]
fn a_dry_run_is_told_as_one_and_is_nobodys_last_sync() {
    let mut tree = Tree::of(7, 100, 43);
    let upstream = Upstream::of(tree.folder());
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools", "--dry-run"]);
    let last = || host.ok(&["repo", "show", "tools"])["last_sync"]["job"].clone();
    assert!(last().is_null(), "nothing was synced");
    host.ok(&["sync", "tools"]);
    tree.put("new", b"new");
    host.ok(&["sync", "tools", "--dry-run"]);
    upstream.once("PULP_MANIFEST", [Trick::Status(404, Vec::new())]);
    host.wharf(&["sync", "tools", "--dry-run"]).ended(1, "source");
    let told: Vec<Value> =
        runs(&host, &[]).iter().map(|run| json!([run["outcome"], run["dry_run"]])).collect();
    assert_eq!(
        told,
        [
            json!(["failed", true]),
            json!(["succeeded", true]),
            json!(["succeeded", null]),
            json!(["succeeded", true])
        ]
    );
    assert_eq!(last(), runs(&host, &["--operation", "sync"])[2]["job"]);
    let text = host.wharf(&["repo", "history", "tools", "--output", "text"]).stdout;
    assert_eq!(text.matches("dry run").count(), 3, "{text}");
    host.finish();
}
