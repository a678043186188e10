//! How things look, approved as a whole.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::time::Clock;
use super::{
    bare, history, job, json, log, plugin, problem, progress, repo, schedule, status, unit_type,
};
use crate::api::{
    Attachment, DiffEntry, Job, LogLine, Plugin, Problem, Progress, Repository, RepositoryPage,
    Run, Schedule, Status, TypeInfo, Version,
};

const NOW: i64 = 1_800_000_000_000;

fn clock() -> Clock {
    Clock { now_ms: NOW, zone: TimeZone::UTC }
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn page(repository: &Repository) -> RepositoryPage {
    let empty = repository.units == 0;
    let mut page = json!(repository);
    if !empty {
        page["units_by_type"] = json!({ "deb": 9_000, "deb_source": 1_000 });
        page["last_sync"] = json!(run());
        page["schedules"] = json!([schedule()]);
    }
    from(page)
}

fn run() -> Run {
    from(json!({
        "job": 12, "operation": "sync", "component": "deb.importer", "asked_by": "schedule 1",
        "started_ms": NOW - 65_000, "finished_ms": NOW - 61_000, "outcome": "partial", "version": 2,
        "added": 9_000, "updated": 12, "removed": 3, "failed": 1, "warnings": 2,
    }))
}

fn schedule() -> Schedule {
    from(json!({
        "id": 1, "name": "nightly", "repository": "tools", "operation": "sync",
        "rule": "0 4 * * *", "zone": "UTC", "start_ms": NOW, "enabled": true,
        "options": { "settings": { "policy": "immediate" } }, "failure_threshold": 3, "failures": 1,
        "runs": 1_234, "first_ms": NOW - 86_400_000, "last_ms": NOW - 61_000, "last_job": 12,
        "note": "job 11 has not ended", "next_ms": NOW + 3_600_000,
    }))
}

#[test]
fn schedules_and_what_runs_did() {
    let mut off = schedule();
    off.name = "off".to_owned();
    off.enabled = false;
    off.reason = Some("3 runs in a row failed; the last: job 12: no".to_owned());
    off.next_ms = None;
    let mut skipped = run();
    skipped.outcome = "skipped".to_owned();
    skipped.skipped_because = Some("version 2 is published with these settings".to_owned());
    let texts = [
        schedule::table(&[schedule(), off.clone()], &clock(), None),
        schedule::details(&schedule(), &clock()),
        schedule::details(&off, &clock()),
        history::table(&[run(), skipped.clone()], &clock(), None),
        history::line(&skipped, &clock()),
    ];
    insta::assert_snapshot!(bare(&texts.join("\n\n")));
}

fn synced(state: &str, result: impl Into<Value>) -> Job {
    let result = result.into();
    from(json!({
        "id": 12, "operation": "sync", "repository": "tools", "component": "file.importer",
        "state": state, "attempts": 1, "submitted_ms": NOW - 62_000, "started_ms": NOW - 61_900,
        "finished_ms": NOW - 60_000, "revision": 9, "result": result,
        "plugin": { "pid": 4711, "handshake_ms": 4.2, "tls": true },
    }))
}

fn job_with_trouble() -> Job {
    let items: Vec<Value> = (0..12)
        .map(|number| {
            json!({
                "key": format!("dir/file {number}.bin"), "outcome": "failed",
                "problem": {
                    "class": "operation", "code": "integrity.digest",
                    "message": "the bytes are not\nthe ones announced \u{1b}[2J",
                },
            })
        })
        .collect();
    synced(
        "partial",
        json!({
            "added": 9988, "removed": 3, "unchanged": 0, "failed": 12, "bytes": 10_240_000,
            "downloads": 10_000, "seconds": 1.9, "warnings": 1, "version": 2, "changed": true,
            "items": items,
            "warnings_list": [{ "code": "content.double", "text": "listed twice", "item": "a.bin" }],
        }),
    )
}

fn failed() -> Job {
    let mut job = synced("failed", json!({ "seconds": 0.2, "added": 0 }));
    job.problem = Some(crash());
    job.attempts = 2;
    job
}

fn crash() -> Problem {
    from(json!({
        "class": "fault", "code": "crashed",
        "message": "plugin file 0.1.0 (process 4711) was killed by signal 9\nin the middle of a sync",
        "at": "tools, file.importer", "help": "run the sync again; report it if it happens again",
        "details": { "stderr_tail": ["one", "two", "three", "four", "five", "thread panicked\u{7}"] },
    }))
}

fn repository() -> Repository {
    let attachment = |component: &str, role: &str, more: Value| {
        let mut value = json!({ "component": component, "role": role, "instance": "default" });
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let last = json!({ "finished_ms": NOW - 120_000, "version": 3, "outcome": "succeeded" });
    from(json!({
        "name": "tools", "types": ["file"], "version": 3, "units": 10_000, "created_ms": NOW,
        "attachments": [
            attachment("file.importer", "importer", json!({
                "settings": { "url": "https://example.org/tools/PULP_MANIFEST", "concurrency": 8 },
                "last": last,
            })),
            attachment("file.distributor", "distributor", json!({
                "path": "tools", "publication": { "id": 7, "version": 3 },
            })),
        ],
    }))
}

fn dry(job: &Job) -> Job {
    let mut job = job.clone();
    job.result.as_mut().unwrap().dry_run = true;
    job
}

#[test]
fn ends_of_jobs() {
    let unchanged = synced(
        "succeeded",
        json!({ "unchanged": 10_000, "seconds": 0.009, "version": 3, "changed": false }),
    );
    let first = synced(
        "succeeded",
        json!({ "added": 1, "seconds": 2.0, "bytes": 3_000_000, "version": 1, "changed": true }),
    );
    let mut publish = synced(
        "succeeded",
        json!({ "added": 10_002, "seconds": 0.2, "version": 3, "changed": true, "url": "/content/tools/" }),
    );
    publish.operation = "publish".to_owned();
    let mut again = publish.clone();
    again.result.as_mut().unwrap().changed = false;
    let content = Some("http://127.0.0.1:8080");
    let texts = [
        job::ended(&first, None),
        job::ended(&dry(&first), None),
        job::ended(&unchanged, None),
        job::ended(&dry(&unchanged), None),
        job::ended(&publish, content),
        job::ended(&publish, None),
        job::ended(&again, content),
        job::ended(&job_with_trouble(), None),
    ];
    let texts: Vec<String> = texts.into_iter().map(|text| bare(&text.unwrap())).collect();
    insta::assert_snapshot!(texts.join("\n"));
    assert_eq!(job::ended(&failed(), None), None);
}

#[test]
fn job_tables_fold_on_narrow_terminals() {
    let mut running = synced("running", Value::Null);
    running.finished_ms = None;
    running.progress =
        Some(from(json!({ "phase": "download", "done": 1234, "total": 10_000, "unit": "files" })));
    let jobs = [running, job_with_trouble(), failed()];
    let wide = job::table(&jobs, &clock(), None);
    let narrow = job::table(&jobs, &clock(), Some(40));
    insta::assert_snapshot!(bare(&format!("{wide}\n\n--- 40 columns\n\n{narrow}")));
}

#[test]
fn one_job_in_full() {
    let texts =
        [job::details(&job_with_trouble(), &[], &clock()), job::details(&failed(), &[], &clock())];
    insta::assert_snapshot!(bare(&texts.join("\n\n")));
}

#[test]
fn problems() {
    let bare_one = Problem { at: None, help: None, details: None, ..crash() };
    let cancelled: Problem = from(
        json!({ "class": "cancelled", "code": "cancelled", "message": "cancelled on request" }),
    );
    let texts = [crash(), bare_one, cancelled].map(|problem| problem::render(&problem));
    insta::assert_snapshot!(bare(&texts.join("\n\n")));
    insta::assert_snapshot!("problem_in_colour", format!("{:?}", problem::render(&crash())));
}

#[test]
fn repositories() {
    let mut empty = repository();
    empty.name = "a".to_owned();
    empty.attachments.clear();
    empty.version = 0;
    empty.units = 0;
    empty.types.clear();
    let versions: Vec<Version> = from(json!([
        { "number": 2, "created_ms": NOW, "job": 12, "units": 10_000, "added": 9_999, "removed": 0 },
        { "number": 1, "created_ms": NOW - 1000, "units": 1, "added": 1, "removed": 0 },
    ]));
    let differences: Vec<DiffEntry> = from(json!([
        { "change": "added", "type": "file", "key": {
            "relative_path": "a  b\nc.txt",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        } },
        { "change": "removed", "type": "deb", "key": { "name": "x", "version": 1 } },
    ]));
    let differences: Vec<String> = differences.iter().map(repo::difference).collect();
    let texts = [
        repo::table(&[repository(), empty.clone()], &clock(), None),
        repo::details(&page(&repository()), Some("http://127.0.0.1:8080"), &clock()),
        repo::details(&page(&empty), None, &clock()),
        repo::versions(&versions, &clock(), None),
        differences.join("\n"),
    ];
    insta::assert_snapshot!(bare(&texts.join("\n\n")));
}

#[test]
fn an_importer_whose_last_run_left_something_out_is_incomplete_and_a_distributor_is_not() {
    let shown = |role: &str, outcome: &str| {
        let mut attachment = json!(repository().attachments.remove(0));
        attachment["role"] = json!(role);
        attachment["last"] =
            json!({ "finished_ms": NOW - 61_000, "version": 2, "outcome": outcome });
        let text = bare(&repo::attachment(&from(attachment), None, &clock()));
        text.lines().find(|line| line.contains("last run")).unwrap().to_owned()
    };
    let incomplete = shown("importer", "partial");
    assert!(incomplete.contains(", incomplete, version 2"), "{incomplete}");
    assert!(incomplete.ends_with("; the next sync looks at everything again"), "{incomplete}");
    assert!(shown("importer", "succeeded").ends_with(", succeeded, version 2"));
    assert!(shown("distributor", "partial").ends_with(", partial, version 2"));
}

#[test]
fn an_instance_is_named_when_there_are_several() {
    let mut attachment: Attachment = repository().attachments.remove(0);
    assert_eq!(repo::address(&attachment), "file.importer");
    attachment.instance = "second".to_owned();
    assert_eq!(repo::address(&attachment), "file.importer@second");
}

// F75
#[test]
fn plugins_tell_why_they_are_not_ready() {
    let component = |id: &str, role: &str| json!({ "id": id, "role": role, "types": ["file"] });
    let plugins: Vec<Plugin> = from(json!([
        {
            "name": "file", "version": "0.1.0", "state": "running", "origin": "/p/file",
            "components": [component("importer", "importer"), component("distributor", "distributor")],
        },
        {
            "name": "fresh", "version": "0.1.0", "state": "stopped", "origin": "/p/fresh",
            "components": [component("importer", "importer")],
        },
        {
            "name": "lazy", "version": "0.1.0", "state": "stopped", "origin": "/p/lazy",
            "idle_stops": 2, "last_failure": "ended with status 7", "restarts": 1,
            "components": [component("importer", "importer")],
        },
        {
            "name": "loop", "version": "0.1.0", "state": "crash-loop", "origin": "/p/loop",
            "failures": 5, "retry_in_ms": 12_300, "reason": "ended with status 7",
            "components": [component("importer", "importer")],
        },
        {
            "name": "slip", "version": "0.1.0", "state": "backing-off", "origin": "/p/slip",
            "failures": 1, "retry_in_ms": 100, "reason": "ended with status 7",
            "components": [component("importer", "importer")],
        },
        {
            "name": "odd", "version": "2.0.0", "state": "broken", "origin": "/p/odd",
            "reason": "the executable wharf-plugin-odd\nis missing", "components": [],
        },
    ]));
    let wide = plugin::table(&plugins, None);
    let narrow = plugin::table(&plugins, Some(20));
    insta::assert_snapshot!(bare(&format!("{wide}\n\n--- 20 columns\n\n{narrow}")));
}

#[test]
fn types_of_units() {
    let types: Vec<TypeInfo> = from(json!([
        {
            "id": "deb", "display_name": "Debian package", "description": "Binary\npackage", "version": 3,
            "unit_key": ["name", "version", "sha256"], "from_artifact": ["sha256"],
            "repo_key": ["name", "version"], "search_indexes": [["source"], ["name", "architecture"]],
            "referenced_types": ["deb_component"], "plugin": "deb", "plugin_version": "1.0.0",
            "attributes": { "properties": { "source": {}, "epoch": {} }, "additionalProperties": false },
            "defined": true, "components": ["deb.importer", "deb.apt"],
        },
        {
            "id": "old", "version": 1, "unit_key": ["na\u{1b}me"], "plugin": "odd",
            "plugin_version": "0.1.0", "defined": false,
        },
    ]));
    let notes = ["it becomes version 1".to_owned(), "anything".to_owned()];
    let text = [
        unit_type::table(&types, None),
        unit_type::table(&types, Some(20)),
        unit_type::details(&types[0]),
        unit_type::details(&types[1]),
        unit_type::checked(&types[0], "types/deb.json", false, &[]),
        unit_type::checked(&types[1], "old.json", true, &notes),
    ];
    insta::assert_snapshot!(bare(&text.join("\n\n---\n\n")));
}

#[test]
fn f150_progress_fits_every_width() {
    let progress: Progress = from(json!({
        "phase": "download", "done": 3412, "total": 10_000, "unit": "files", "bytes": 34_100_000,
        "rate": 12_300_000, "activity": "dir/a rather long name of a file.tar.gz",
    }));
    let unknown = Progress { total: None, bytes: 0, rate: 0, ..progress.clone() };
    let mut lines = Vec::new();
    for width in [20, 40, 60, 80, 120] {
        for progress in [&progress, &unknown] {
            let line = progress::line(progress, "tools", width);
            assert!(line.chars().count() <= width, "{line}");
            lines.push(format!("{width:>3} |{line}|"));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn log_lines() {
    let lines: Vec<LogLine> = from(json!([
        { "n": 1, "ms": NOW, "level": "info", "text": "started", "fields": { "plugin": "file", "url": "a b" } },
        { "n": 2, "ms": NOW + 1, "level": "plugin", "text": "\u{1b}[31mred" },
    ]));
    let lines: Vec<String> = lines.iter().map(|line| log::line(line, &clock())).collect();
    insta::assert_snapshot!(bare(&lines.join("\n")));
}

#[test]
fn a_server() {
    let status: Status = from(json!({
        "version": "0.1.0", "pid": 4711, "started_ms": NOW - 3_600_000, "data": "/srv/wharf",
        "content": "http://127.0.0.1:8080", "running": 1, "queued": 2, "draining": false,
    }));
    let leaving = Status {
        content: None,
        draining: true,
        running: 0,
        queued: 0,
        unfinished_uploads: 3,
        ..status.clone()
    };
    let socket = "/srv/wharf/api.sock";
    let texts = [
        status::serving(&status, socket),
        status::render(&status, socket, &clock()),
        status::render(&leaving, socket, &clock()),
    ];
    insta::assert_snapshot!(bare(&texts.join("\n\n")));
}

#[test]
fn a_job_for_programs_has_what_scripts_rely_on() {
    let line = serde_json::to_value(json::JobLine::from(&job_with_trouble())).unwrap();
    let names = [
        "job",
        "state",
        "added",
        "removed",
        "unchanged",
        "failed",
        "bytes",
        "seconds",
        "warnings",
        "version",
    ];
    for name in names {
        assert!(line.get(name).is_some(), "{name}");
    }
    assert_eq!(line["state"], "partial");
    let none = serde_json::to_value(json::JobLine::from(&failed())).unwrap();
    assert_eq!(none["version"], Value::Null);
    assert_eq!(none["problem"]["code"], "crashed");
}

/// A job of images.
fn of_images(operation: &str, subject: &Value) -> Job {
    from(json!({
        "id": 12, "operation": operation, "repository": "images", "state": "running", "attempts": 1,
        "submitted_ms": NOW, "revision": 1, "subject": subject,
        "progress": { "phase": "converting", "done": 22, "total": 100, "unit": "%" },
    }))
}

#[test]
fn jobs_of_images_say_what_they_are_about() {
    for (operation, subject, words) in [
        (
            "build",
            json!({ "name": "small", "target": "vsphere", "after": 11 }),
            "small for vsphere",
        ),
        ("build", json!({ "name": "small" }), "small"),
        ("push", json!({ "image": 9 }), "image 9"),
        ("push", json!({ "after": 11 }), "the image of job 11"),
        ("unpublish", json!({ "image": 17 }), "image 17"),
    ] {
        let job = of_images(operation, &subject);
        let table = bare(&job::table(std::slice::from_ref(&job), &clock(), None));
        assert!(table.contains(&format!("{operation} {words}  ")), "{table}");
        assert!(
            table.ends_with("converting 22 %\n") || table.ends_with("converting 22 %"),
            "{table}"
        );
        let details = bare(&job::details(&job, &[], &clock()));
        assert!(details.contains(words), "{details}");
        let made_of = details.contains("made of") && details.contains("the image of job 11");
        assert_eq!(made_of, words == "small for vsphere", "{details}");
    }
}
