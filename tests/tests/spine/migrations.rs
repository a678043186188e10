//! Migrations of plugins, end to end: who is behind waits and nobody else does, a migration is whole or never was, and
//! data of a newer plugin are not touched. The plugin `notes` becomes newer by another manifest.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use wharf_store::Store;
use wharf_store::model::UnitQuery;
use wharf_tests::random::{Random, rounds};
use wharf_tests::wharf::GONE;
use wharf_tests::{TestHost, Tree, Upstream, processes, wait};

use crate::mirror;

/// A host with version 1 of the plugin and so many of its notes, synced and published.
fn host_of(count: u32) -> TestHost {
    let host = TestHost::new();
    host.install("notes");
    let count = format!("count={count}");
    host.repository("notes", &[("notes.importer", &[&count]), ("notes.distributor", &[])]);
    host.ok(&["sync", "notes"]);
    host.ok(&["publish", "notes"]);
    host
}

fn first_two() -> Value {
    json!([
        { "number": 1, "name": "the language becomes part of the key", "type": "note", "from": 1, "to": 2 },
        { "number": 2, "name": "note the round" },
    ])
}

/// Installs version 2 with this fault, and further changes of its manifest.
fn install_second(host: &TestHost, fault: &str, change: impl FnOnce(&mut Value)) {
    host.install_with("notes", |manifest| {
        manifest["version"] = json!("2.0.0");
        manifest["types"] = json!(["types/note-2.json"]);
        manifest["migrations"] = first_two();
        manifest["env"]["NOTES_FAULT"] = json!(fault);
        change(manifest);
    });
}

fn plugin(host: &TestHost) -> Value {
    let list = host.ok(&["plugin", "list"]);
    let plugins = list["plugins"].as_array().expect("a list");
    plugins.iter().find(|plugin| plugin["name"] == "notes").expect("it is listed").clone()
}

/// The numbers of the migrations that are to be run.
fn pending(host: &TestHost) -> Vec<u64> {
    let plugin = plugin(host);
    let pending = plugin["pending_migrations"].as_array().cloned().unwrap_or_default();
    assert_eq!(plugin["state"] == "behind", !pending.is_empty(), "{plugin:#}");
    pending.iter().filter_map(|migration| migration["number"].as_u64()).collect()
}

/// Keys and attributes of all notes, as no server serves them now.
fn notes(host: &TestHost) -> Vec<(Value, Value)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let store = Store::open(&host.data()).await.expect("a store");
        let repository = store.meta.repository("notes").await.expect("readable").expect("there");
        let (id, version) = (repository.id, repository.current_version);
        let units = store.meta.units(id, version, UnitQuery::default()).await.expect("readable");
        store.close().await;
        let json = |text: &str| serde_json::from_str(text).expect("JSON");
        units.iter().map(|unit| (json(&unit.key), json(&unit.attributes))).collect()
    })
}

/// The rounds that the notes had: one, unless a migration was cut in two.
fn seen_rounds(host: &TestHost) -> Vec<u64> {
    let mut rounds: Vec<u64> = notes(host)
        .iter()
        .map(|(_key, attributes)| attributes["round"].as_u64().unwrap_or_default())
        .collect();
    rounds.dedup();
    rounds
}

#[test]
fn a_plugin_that_is_behind_waits_for_its_migrations_and_nobody_else_does() {
    let host = host_of(5);
    let tree = Tree::of(4, 300, 17);
    let upstream = Upstream::of(tree.folder());
    mirror(&host, &upstream, &[]);
    install_second(&host, "", |_manifest| {});
    assert_eq!(pending(&host), [1, 2]);
    let reason = plugin(&host)["reason"].clone();
    assert_eq!(reason, "behind: 2 migrations to run: `wharf plugin migrate notes`");
    let words = ["plugin notes is not ready: behind: 2 migrations", "wharf plugin migrate notes"];
    for command in [vec!["sync", "notes"], vec!["publish", "notes"]] {
        host.wharf(&command).ended(2, "policy").says(&words);
    }
    host.wharf(&["attach", "notes", "notes.importer"]).ended(2, "policy").says(&words);
    // Until then everything is as version 1 has it.
    assert_eq!(host.ok(&["type", "show", "note"])["version"], 1);
    assert_eq!(host.ok(&["repo", "show", "notes"])["units"], 5);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    let people = host.wharf(&["--output", "text", "plugin", "list"]);
    for words in ["behind", "1 the language becomes part of the key", "2 note the round"] {
        assert!(people.stdout.contains(words), "{words}: {people:#?}");
    }
    host.wharf(&["plugin", "migrate", "nope"]).ended(2, "not_found").says(&["nope"]);
    host.finish();
}

#[test]
fn migrations_change_units_keys_and_definition_and_leave_versions_and_publications_alone() {
    let mut host = host_of(5);
    let before = notes(&host);
    install_second(&host, "rename:2", |_manifest| {});
    let dry = host.ok(&["plugin", "migrate", "notes", "--dry-run"]);
    assert_eq!((&dry["dry_run"], &dry["changed"]), (&json!(true), &json!(false)), "{dry:#}");
    let report = &dry["migrations"];
    assert_eq!(report.as_array().map(Vec::len), Some(1), "{dry:#}");
    assert_eq!((&report[0]["changed"], &report[0]["rekeyed"]), (&json!(5), &json!(5)), "{dry:#}");
    assert_eq!(
        report[0]["first"][0], r#"{"title":"n0000"} -> {"title":"n0000","lang":"en"}"#,
        "{dry:#}"
    );
    assert_eq!((notes(&host), pending(&host)), (before, vec![1, 2]), "nothing was stored");
    let people = ["--output", "text", "plugin", "migrate", "notes", "--dry-run"];
    let people = host.wharf(&people);
    assert!(
        people.stdout.contains("notes would be migrated to 1; nothing was stored"),
        "{people:#?}"
    );

    host.serve();
    let done = host.ok(&["plugin", "migrate", "notes"]);
    assert_eq!((&done["state"], &done["changed"]), (&json!("succeeded"), &json!(true)), "{done:#}");
    assert_eq!((&done["operation"], &done["component"]), (&json!("migrate"), &json!("notes")));
    let changed: Vec<(u64, u64, u64)> = done["migrations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| ["number", "changed", "rekeyed"].map(|name| one[name].as_u64().unwrap_or(99)))
        .map(|[number, changed, rekeyed]| (number, changed, rekeyed))
        .collect();
    assert_eq!(changed, [(1, 5, 5), (2, 5, 0)], "{done:#}");
    // The server goes on with the new definition at once.
    let kind = host.ok(&["type", "show", "note"]);
    assert_eq!((&kind["version"], &kind["unit_key"]), (&json!(2), &json!(["title", "lang"])));
    // Files have another path in their units, and are served where they were.
    assert_eq!(host.get("/content/notes/texts/n0003.txt").text(), "words of n0003");
    let shown = host.ok(&["repo", "show", "notes"]);
    assert_eq!((&shown["version"], &shown["units"]), (&json!(1), &json!(5)), "{shown:#}");
    host.ok(&["publish", "notes", "--full"]);
    assert_eq!(host.get("/content/notes/notes/n0003.txt").text(), "words of n0003");
    // The units are those that version 2 declares.
    let sync = host.ok(&["sync", "notes"]);
    assert_eq!((&sync["unchanged"], &sync["version"]), (&json!(5), &json!(1)), "{sync:#}");
    let again = host.ok(&["plugin", "migrate", "notes"]);
    assert_eq!((&again["changed"], &again["migrations"]), (&json!(false), &json!([])), "{again:#}");
    let people = host.wharf(&["--output", "text", "plugin", "migrate", "notes"]);
    assert_eq!(people.stdout, "notes is up to date: no migration to run\n", "{people:#?}");
    host.stop_server();
    let after = notes(&host);
    assert_eq!(
        after[1],
        (json!({ "title": "n0001", "lang": "de" }), json!({ "text": "words of n0001" }))
    );
    host.finish();
}

#[test]
fn units_that_a_migration_does_not_send_follow_the_definition_by_themselves() {
    let host = host_of(3);
    install_second(&host, "idle:1", |_manifest| {});
    let done = host.ok(&["plugin", "migrate", "notes"]);
    assert_eq!(done["migrations"][0]["rekeyed"], 3, "{done:#}");
    let keys: Vec<Value> = notes(&host).into_iter().map(|(key, _attributes)| key).collect();
    assert_eq!(keys[1], json!({ "title": "n0001", "lang": "de" }));
    let sync = host.ok(&["sync", "notes"]);
    assert_eq!((&sync["unchanged"], &sync["version"]), (&json!(3), &json!(1)), "{sync:#}");
    host.finish();
}

// F77
#[test]
fn f77_a_failed_migration_leaves_the_data_and_the_next_run_goes_on_with_it() {
    let host = host_of(5);
    let before = notes(&host);
    install_second(&host, "fail:1", |_manifest| {});
    let failed = host.wharf(&["plugin", "migrate", "notes"]);
    failed.ended(1, "content").says(&[
        "migration 1 of notes (the language becomes part of the key): the third note",
        "nothing of migration 1 is stored; `wharf plugin migrate notes` goes on with it",
    ]);
    assert_eq!((notes(&host), pending(&host)), (before, vec![1, 2]));
    // The version before works on as if nothing had been.
    host.install("notes");
    let sync = host.ok(&["sync", "notes"]);
    assert_eq!((&sync["unchanged"], &sync["version"]), (&json!(5), &json!(1)), "{sync:#}");
    install_second(&host, "fail:2", |_manifest| {});
    let failed = host.wharf(&["plugin", "migrate", "notes"]);
    failed.ended(1, "content").says(&["migration 2 of notes"]);
    assert_eq!(failed.json["migrations"][0]["number"], 1, "{failed:#?}");
    assert_eq!(pending(&host), [2]);
    assert_eq!(seen_rounds(&host), [0]);
    assert_eq!(host.ok(&["type", "show", "note"])["version"], 1 + 1);
    install_second(&host, "", |_manifest| {});
    let done = host.ok(&["plugin", "migrate", "notes"]);
    let numbers: Vec<&Value> =
        done["migrations"].as_array().into_iter().flatten().map(|one| &one["number"]).collect();
    assert_eq!(numbers, [2], "{done:#}");
    assert_eq!((seen_rounds(&host), pending(&host)), (vec![2], Vec::new()));
    host.finish();
}

// F77
#[test]
fn f77_a_plugin_that_dies_in_a_migration_is_tried_once_more_and_changes_nothing() {
    let host = host_of(5);
    let before = notes(&host);
    install_second(&host, "crash:1", |_manifest| {});
    let failed = host.wharf(&["plugin", "migrate", "notes"]);
    failed.ended(4, "crashed").says(&["migration 1 of notes"]);
    assert_eq!(failed.json["attempts"], 2, "{failed:#?}");
    assert_eq!((notes(&host), pending(&host)), (before, vec![1, 2]));
    install_second(&host, "", |_manifest| {});
    host.ok(&["plugin", "migrate", "notes"]);
    assert_eq!(seen_rounds(&host), [2]);
    host.finish();
}

#[test]
fn two_units_that_would_become_one_are_named_and_nothing_is_stored() {
    let host = host_of(5);
    let before = notes(&host);
    install_second(&host, "collide:1", |_manifest| {});
    for command in
        [vec!["plugin", "migrate", "notes", "--dry-run"], vec!["plugin", "migrate", "notes"]]
    {
        host.wharf(&command).ended(1, "content").says(&[
            "two units would have the one key {\\\"title\\\":\\\"the same\\\",\\\"lang\\\":\\\"en\\\"}",
            "n0000",
            "n0002",
        ]);
    }
    assert_eq!((notes(&host), pending(&host)), (before, vec![1, 2]));
    host.finish();
}

// F78
#[test]
fn f78_an_older_plugin_does_not_touch_what_a_newer_one_migrated() {
    let host = host_of(3);
    install_second(&host, "", |_manifest| {});
    host.ok(&["plugin", "migrate", "notes"]);
    let after = notes(&host);
    host.install("notes");
    let listed = plugin(&host);
    assert_eq!(
        (&listed["state"], &listed["reason"]),
        (
            &json!("broken"),
            &json!(
                "its data was migrated to 2 by notes 2.0.0; version 1.0.0 knows no migration; install 2.0.0 or later"
            )
        )
    );
    for command in
        [vec!["sync", "notes"], vec!["publish", "notes"], vec!["plugin", "migrate", "notes"]]
    {
        host.wharf(&command).ended(2, "policy").says(&["migrated to 2", "install 2.0.0 or later"]);
    }
    assert_eq!(notes(&host), after);
    install_second(&host, "", |_manifest| {});
    host.ok(&["sync", "notes"]);
    host.finish();
}

#[test]
fn a_new_installation_starts_at_the_newest_migration_if_the_plugin_says_so() {
    let host = TestHost::new();
    install_second(&host, "", |manifest| manifest["fast_forward"] = json!(true));
    assert_eq!(pending(&host), Vec::<u64>::new());
    host.repository("notes", &[("notes.importer", &["count=2"])]);
    assert_eq!(host.ok(&["sync", "notes"])["added"], 2);
    host.finish();
    // One that does not say so runs all of them, on nothing.
    let host = TestHost::new();
    install_second(&host, "", |_manifest| {});
    assert_eq!(pending(&host), [1, 2]);
    let done = host.ok(&["plugin", "migrate", "notes"]);
    assert_eq!(done["migrations"][1]["changed"], 0, "{done:#}");
    host.repository("notes", &[("notes.importer", &["count=2"])]);
    assert_eq!(host.ok(&["sync", "notes"])["added"], 2);
    host.finish();
    // Where data are, there is nothing to jump over.
    let host = host_of(2);
    install_second(&host, "", |manifest| manifest["fast_forward"] = json!(true));
    assert_eq!(pending(&host), [1, 2]);
    host.finish();
}

#[test]
fn data_older_than_removed_migrations_are_told_what_they_need_first() {
    let host = host_of(2);
    install_second(&host, "", |manifest| {
        manifest["version"] = json!("3.0.0");
        manifest["migrations"] = json!([{ "number": 3, "name": "note the round" }]);
        manifest["removed_up_to"] = json!(2);
        manifest["removed_hint"] = json!("notes 2.0");
    });
    assert_eq!(plugin(&host)["state"], "broken");
    host.wharf(&["plugin", "migrate", "notes"])
        .ended(2, "policy")
        .says(&["those up to 2 were removed", "needs notes 2.0 first"]);
    install_second(&host, "", |_manifest| {});
    host.ok(&["plugin", "migrate", "notes"]);
    host.finish();
}

// F71
#[test]
fn f71_a_migration_reads_units_and_bytes_of_its_plugin_and_of_no_other() {
    let host = host_of(3);
    let tree = Tree::of(4, 300, 18);
    let upstream = Upstream::of(tree.folder());
    mirror(&host, &upstream, &[]);
    host.ok(&["sync", "tools"]);
    install_second(&host, "steal:1", |_manifest| {});
    let refused = host.wharf(&["plugin", "migrate", "notes"]);
    assert_ne!(refused.status, 0, "{refused:#?}");
    refused.says(&["its plugin's own types only"]);
    install_second(&host, "read:2", |_manifest| {});
    host.ok(&["plugin", "migrate", "notes"]);
    let attributes: Vec<Value> = notes(&host).into_iter().map(|(_key, its)| its).collect();
    assert_eq!(attributes, vec![json!({ "bytes": "words of n0000".len() }); 3]);
    host.finish();
}

#[test]
fn a_plugin_that_knows_other_migrations_than_its_manifest_names_is_told_so() {
    let host = TestHost::with_misbehave();
    host.install_with("misbehave", |manifest| {
        manifest["migrations"] = json!([{ "number": 1, "name": "nothing" }]);
    });
    host.wharf(&["plugin", "migrate", "misbehave"])
        .ended(4, "protocol")
        .says(&["plugin misbehave knows migrations [], its manifest names [1]"]);
    host.finish();
}

// F66
#[test]
fn f66_keys_change_by_a_migration_that_names_the_type_only() {
    let host = host_of(2);
    for (entry, told) in [
        (json!({ "number": 1, "name": "other" }), "changed without a migration"),
        (json!({ "number": 1, "name": "too far", "type": "note", "to": 3 }), "to version 3"),
        (json!({ "number": 1, "name": "too late", "type": "note", "from": 2, "to": 3 }), "version"),
    ] {
        install_second(&host, "", |manifest| manifest["migrations"] = json!([entry]));
        let listed = plugin(&host);
        assert_eq!(listed["state"], "broken", "{listed:#}");
        assert!(listed["reason"].to_string().contains(told), "{told}: {listed:#}");
    }
    install_second(&host, "", |manifest| {
        manifest["migrations"] =
            json!([{ "number": 2, "name": "a" }, { "number": 2, "name": "b" }]);
    });
    let listed = host.ok(&["plugin", "list"]);
    assert!(listed.to_string().contains("number 2 stands twice"), "{listed:#}");
    host.finish();
}

#[test]
fn a_migration_is_cancelled_as_any_job_and_runs_again_later() {
    let mut host = host_of(400);
    let before = notes(&host);
    install_second(&host, "slow:1", |_manifest| {});
    host.serve();
    let migrate = host.start(&["plugin", "migrate", "notes"]);
    let job = wait::until("the migration runs", wait::PATIENCE, || {
        let jobs = host.api("GET", "/api/v1/jobs?state=running", b"").json();
        let job = jobs.as_array()?.first()?.clone();
        (job["progress"]["done"].as_u64()? > 0).then_some(job)
    });
    host.ok(&["job", "cancel", &job["id"].to_string()]);
    migrate.wait().ended(130, "cancelled");
    assert_eq!(pending(&host), [1, 2]);
    host.stop_server();
    assert_eq!(notes(&host), before);
    install_second(&host, "", |_manifest| {});
    host.ok(&["plugin", "migrate", "notes"]);
    host.finish();
}

/// A manifest with so many migrations; each but the first notes its number in every unit.
fn with_migrations(host: &TestHost, last: u64, fault: &str) {
    install_second(host, fault, |manifest| {
        let one = first_two()[0].clone();
        let more = (2..=last).map(|number| json!({ "number": number, "name": "note the round" }));
        manifest["migrations"] = Value::Array([one].into_iter().chain(more).collect());
    });
}

// F77
#[test]
fn f77_killed_at_any_moment_a_migration_is_whole_or_never_was() {
    let host = host_of(60);
    with_migrations(&host, 2, "");
    host.ok(&["plugin", "migrate", "notes"]);
    let mut random = Random::new(77);
    for round in 3..3 + rounds() {
        with_migrations(&host, round, &format!("slow:{round}"));
        let migrate = host.start(&["plugin", "migrate", "notes"]);
        thread::sleep(Duration::from_micros(random.below(450_000)));
        if round % 2 == 0 {
            migrate.signal(Signal::KILL);
        } else {
            let plugin = format!("{}/plugins/notes/", host.mark());
            for process in processes::marked(&plugin) {
                if process.command.contains("wharf-plugin-notes")
                    && !process.command.contains("wharf-launch")
                {
                    processes::kill(process.pid, Signal::KILL);
                }
            }
        }
        drop(migrate.wait());
        processes::wait_none(&host.mark(), GONE);
        let (seen, left) = (seen_rounds(&host), pending(&host));
        let whole = if left.is_empty() { round } else { round - 1 };
        assert_eq!(seen, [whole], "round {round}: left are {left:?}");
        with_migrations(&host, round, "");
        host.ok(&["plugin", "migrate", "notes"]);
        assert_eq!((seen_rounds(&host), pending(&host)), (vec![round], Vec::new()), "{round}");
    }
    let sync = host.ok(&["sync", "notes"]);
    assert_eq!((&sync["unchanged"], &sync["version"]), (&json!(60), &json!(1)), "{sync:#}");
    host.finish();
}
