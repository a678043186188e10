//! Rules, plans, and the timer under a clock of the tests' own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use wharf_store::model::{JobFilter, NewAttachment, Schedule};
use wharf_supervisor::{Root, RootKind, SearchPath};

use super::ScheduleRequest;
use super::rule::{Rule, read_time};
use super::timer::look;
use crate::{Clock, Config, Engine};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Central Europe, without a database of zones.
fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

/// The next few times after a moment.
fn next(rule: &Rule, start: &str, after: &str, zone: &TimeZone, count: usize) -> Vec<String> {
    let mut now = time(after);
    (0..count)
        .map(|_| {
            now = rule.next(time(start), now, zone).unwrap();
            now.to_string()
        })
        .collect()
}

#[test]
fn an_interval_is_counted_from_its_start() {
    let start = "2026-01-01T00:00:00Z";
    for (rule, after, expected) in [
        ("PT6H", "2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z"),
        ("PT6H", "2026-03-05T13:00:00Z", "2026-03-05T18:00:00Z"),
        ("PT1S", "2026-01-01T00:00:00.500Z", "2026-01-01T00:00:01Z"),
        ("PT90M", "2026-01-01T10:30:00Z", "2026-01-01T12:00:00Z"),
        ("P1D", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
        ("P2W", "2026-01-02T00:00:00Z", "2026-01-15T00:00:00Z"),
        ("P1Y", "2031-06-01T00:00:00Z", "2032-01-01T00:00:00Z"),
        ("P1D", "2025-06-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ] {
        let read = Rule::every(rule, &TimeZone::UTC).unwrap();
        let found = next(&read, start, after, &TimeZone::UTC, 1);
        assert_eq!(found, [expected], "{rule} after {after}");
    }
}

#[test]
fn a_short_month_does_not_shorten_those_behind_it() {
    let rule = Rule::every("P1M", &TimeZone::UTC).unwrap();
    let found = next(&rule, "2026-01-31T04:00:00Z", "2026-01-31T04:00:00Z", &TimeZone::UTC, 3);
    assert_eq!(found, ["2026-02-28T04:00:00Z", "2026-03-31T04:00:00Z", "2026-04-30T04:00:00Z"]);
}

#[test]
fn a_day_is_one_of_the_calendar_and_24_hours_are_not() {
    let zone = berlin();
    let start = "2026-03-28T03:00:00Z";
    let days = Rule::every("P1D", &zone).unwrap();
    assert_eq!(next(&days, start, start, &zone, 1), ["2026-03-29T02:00:00Z"]);
    let hours = Rule::every("PT24H", &zone).unwrap();
    assert_eq!(next(&hours, start, start, &zone, 1), ["2026-03-29T03:00:00Z"]);
}

#[test]
fn parts_of_an_interval_are_read_as_they_are_written() {
    let zone = berlin();
    let full = Rule::every("R5/2026-01-01T00:00:00Z/P1D", &zone).unwrap();
    assert_eq!((full.times, full.start), (Some(5), Some(time("2026-01-01T00:00:00Z"))));
    let local = Rule::every("2026-07-01T04:00/PT1H", &zone).unwrap();
    assert_eq!((local.times, local.start), (None, Some(time("2026-07-01T02:00:00Z"))));
    let endless = Rule::every("R/PT1H", &zone).unwrap();
    assert_eq!((endless.times, endless.start), (None, None));
    assert_eq!(read_time("2026-01-01", &TimeZone::UTC).unwrap(), time("2026-01-01T00:00:00Z"));
    for wrong in [
        "",
        "P",
        "PT",
        "PT0S",
        "-PT1H",
        "P-1D",
        "PT0.5S",
        "PT1.5S",
        "6h",
        "1 hour",
        "R0/PT1H",
        "R-1/PT1H",
        "R99999999999999999999/PT1H",
        "R5/R5/PT1H",
        "R5/then/PT1H",
        "a/b/c/d",
        "P200Y",
        "P999999999Y",
        "PT1H/2026-01-01T00:00:00Z",
        "0 4 * * *",
        &"P".repeat(1000),
    ] {
        assert!(Rule::every(wrong, &zone).is_err(), "{wrong}");
    }
}

#[test]
fn cron_means_the_clock_on_the_wall() {
    let zone = berlin();
    let rule = Rule::cron("30 4 * * 1-5").unwrap();
    let found = next(&rule, "2026-01-01T00:00:00Z", "2026-03-26T12:00:00Z", &zone, 3);
    // A weekend with the change to summer time lies between.
    assert_eq!(found, ["2026-03-27T03:30:00Z", "2026-03-30T02:30:00Z", "2026-03-31T02:30:00Z"]);
    for wrong in ["", "* * * *", "* * * * * *", "60 * * * *", "@daily", "0 4 * * funday"] {
        assert!(Rule::cron(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_rule_that_is_never_due_is_refused_and_a_rare_one_is_not() {
    for never in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30 2 +1"] {
        let why = Rule::cron(never).unwrap_err();
        assert!(why.contains("never due"), "{never}: {why}");
    }
    for empty in ["*/51290 , L * 1", "0 1, * * *", "0 ,1 * * *", "0 1,,2 * * *"] {
        let why = Rule::cron(empty).unwrap_err();
        assert!(why.contains("comma"), "{empty}: {why}");
    }
    let zone = TimeZone::UTC;
    let rare = Rule::cron("0 0 29 2 +1").unwrap();
    let found = next(&rare, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", &zone, 2);
    assert_eq!(found, ["2044-02-29T00:00:00Z", "2072-02-29T00:00:00Z"]);
}

#[test]
fn a_time_that_spring_leaves_out_is_due_after_the_gap_and_one_that_autumn_doubles_once() {
    let zone = berlin();
    let rule = Rule::cron("30 2 * * *").unwrap();
    let start = "2026-01-01T00:00:00Z";
    let spring = next(&rule, start, "2026-03-28T12:00:00Z", &zone, 2);
    assert_eq!(spring, ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    let autumn = next(&rule, start, "2026-10-24T12:00:00Z", &zone, 2);
    assert_eq!(autumn, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

proptest! {
    #[test]
    fn whatever_is_read_has_a_next_time_that_lies_ahead(text in "[PTRDMYWHS0-9/*, :Z-]{0,24}", after in 0_i64..4_000_000_000) {
        let now = Timestamp::from_second(after).unwrap();
        for rule in [Rule::every(&text, &TimeZone::UTC), Rule::cron(&text)].into_iter().flatten() {
            let start = rule.start.unwrap_or(Timestamp::UNIX_EPOCH);
            if let Some(due) = rule.next(start, now, &TimeZone::UTC) {
                prop_assert!(due > now && due >= start);
            }
        }
    }

    #[test]
    fn an_interval_leaves_no_time_out(
        months in 0_i32..14, days in 0_i32..40, hours in 0_i32..50, periods in 0_i64..40,
        start in 1_500_000_000_i64..1_900_000_000,
    ) {
        prop_assume!(months + days + hours > 0);
        let zone = berlin();
        let rule = Rule::every(&format!("P{months}M{days}DT{hours}H"), &zone).unwrap();
        let start = Timestamp::from_second(start).unwrap();
        // Step by step and in one leap must lead to the same place.
        let mut due = start;
        for _ in 0..periods {
            due = rule.next(start, due, &zone).unwrap();
        }
        let before = due.checked_sub(SignedDuration::from_secs(1)).unwrap();
        prop_assert_eq!(rule.next(start, before, &zone), Some(due));
    }
}

/// An engine whose clock the test sets, and a repository whose importer cannot be started.
struct World {
    engine: Engine,
    clock: Arc<AtomicI64>,
    _folder: TempDir,
}

const PLUGIN: &str = r#"{
    "manifest_version": 1, "name": "broken", "version": "1.0.0", "description": "Never starts",
    "license": "MIT", "protocol": { "versions": [1] }, "executable": { "any": "bin/broken" },
    "components": [{
        "id": "importer", "role": "importer", "profile": "content", "name": "Broken",
        "description": "Never starts", "operations": ["sync"], "content_types": ["thing"]
    }],
    "types": ["types/thing.json"]
}"#;

const THING: &str = r#"{ "types": [
    { "id": "thing", "display_name": "Thing", "description": "", "unit_key": ["name"] }
] }"#;

fn install(folder: &Path) {
    let plugin = folder.join("plugins/broken");
    for (path, text) in [
        ("plugin.json", PLUGIN),
        ("types/thing.json", THING),
        ("bin/broken", "#!/bin/sh\nexit 1\n"),
    ] {
        let path = plugin.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl World {
    async fn at(now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        install(folder.path());
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let root =
            Root { folder: folder.path().join("plugins"), kind: RootKind::Plugins, binaries: None };
        let search = SearchPath { roots: vec![root], ..SearchPath::default() };
        let clock = Arc::new(AtomicI64::new(time(now).as_millisecond()));
        let shown = Arc::clone(&clock);
        let mut config = Config::new(data, search, folder.path().join("run"));
        config.clock = Clock::new(move || shown.load(Ordering::SeqCst));
        let engine = Engine::open(config).await.unwrap();
        let made = engine.create_repository("tools", Vec::new()).await.unwrap();
        let importer = NewAttachment {
            component: "broken.importer".to_owned(),
            instance: "default".to_owned(),
            role: "importer".to_owned(),
            settings: json!({}),
            path: None,
        };
        engine.inner.store.meta.attach(made.repository.id, importer).await.unwrap();
        Self { engine, clock, _folder: folder }
    }

    async fn schedule(&self, name: &str, every: &str, failures: Option<u32>) -> Schedule {
        let wish = ScheduleRequest {
            name: Some(name.to_owned()),
            repository: "tools".to_owned(),
            operation: "sync".to_owned(),
            every: Some(every.to_owned()),
            failures,
            ..ScheduleRequest::default()
        };
        self.engine.create_schedule(wish).await.unwrap()
    }

    fn set(&self, now: &str) {
        self.clock.store(time(now).as_millisecond(), Ordering::SeqCst);
    }

    /// What the timer does when it wakes, and the schedule after that, its job ended.
    async fn look(&self, name: &str) -> Schedule {
        look(&self.engine.inner).await.unwrap();
        let began = Instant::now();
        while self.engine.job_counts() != (0, 0) {
            assert!(began.elapsed() < Duration::from_secs(30), "the job does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.engine.schedule(name).await.unwrap()
    }

    async fn jobs(&self) -> usize {
        self.engine.jobs(JobFilter::default()).await.unwrap().len()
    }
}

fn due(schedule: &Schedule) -> String {
    Timestamp::from_millisecond(schedule.next.next_ms.unwrap()).unwrap().to_string()
}

// F97, F175
#[tokio::test]
async fn a_clock_that_is_set_brings_one_run_and_never_a_burst() {
    let world = World::at("2026-01-01T00:00:00Z").await;
    world.schedule("hourly", "PT1H", None).await;
    let first = world.look("hourly").await;
    assert_eq!((first.runs, due(&first).as_str()), (1, "2026-01-01T01:00:00Z"));
    assert_eq!(world.look("hourly").await.runs, 1, "nothing is due yet");
    world.set("2027-01-01T00:30:00Z");
    let ahead = world.look("hourly").await;
    assert_eq!((ahead.runs, due(&ahead).as_str()), (2, "2027-01-01T01:00:00Z"));
    // A small correction is waited out, a large one is believed.
    world.set("2027-01-01T00:25:00Z");
    assert_eq!(due(&world.look("hourly").await), "2027-01-01T01:00:00Z");
    world.set("2026-01-01T01:30:00Z");
    let back = world.look("hourly").await;
    assert_eq!((back.runs, due(&back).as_str()), (2, "2026-01-01T02:00:00Z"));
    world.set("2026-01-01T02:00:00Z");
    assert_eq!(world.look("hourly").await.runs, 3);
    assert_eq!(world.jobs().await, 3);
    world.engine.shutdown().await;
}

#[tokio::test]
async fn two_schedules_do_not_begin_the_same_work_at_one_time() {
    let world = World::at("2026-01-01T00:00:00Z").await;
    world.schedule("one", "PT1H", None).await;
    world.schedule("two", "PT30M", None).await;
    let two = world.look("two").await;
    assert!(two.runs == 0 && two.note.is_some_and(|note| note.contains("another schedule")));
    assert_eq!(world.jobs().await, 1);
    world.set("2026-01-01T00:30:00Z");
    let two = world.look("two").await;
    assert_eq!((two.runs, two.note), (1, None));
    world.engine.shutdown().await;
}

#[tokio::test]
async fn failures_in_a_row_switch_a_schedule_off() {
    let world = World::at("2026-01-01T00:00:00Z").await;
    world.schedule("fragile", "PT1H", Some(2)).await;
    let once = world.look("fragile").await;
    assert_eq!((once.failures, once.enabled), (1, true));
    world.set("2026-01-01T01:00:00Z");
    let twice = world.look("fragile").await;
    assert_eq!((twice.failures, twice.enabled), (2, false));
    let reason = twice.reason.unwrap();
    assert!(reason.starts_with("2 runs in a row failed; the last: job 2: "), "{reason}");
    world.set("2026-01-01T09:00:00Z");
    assert_eq!(world.look("fragile").await.runs, 2, "it is off");
    let on = world.engine.switch_schedule("fragile", true).await.unwrap();
    assert_eq!((on.failures, due(&on).as_str()), (0, "2026-01-01T10:00:00Z"));
    world.engine.shutdown().await;
}

#[tokio::test]
async fn what_cannot_even_be_asked_for_counts_as_a_failed_run() {
    let world = World::at("2026-01-01T00:00:00Z").await;
    world.schedule("gone", "PT1H", Some(1)).await;
    world.engine.detach("tools", "broken.importer").await.unwrap();
    let off = world.look("gone").await;
    assert_eq!((off.enabled, off.runs, world.jobs().await), (false, 0, 0));
    assert!(off.reason.is_some_and(|why| why.contains("has no importer")));
    world.engine.shutdown().await;
}

#[tokio::test]
async fn a_number_of_runs_is_counted_down() {
    let world = World::at("2026-01-01T00:00:00Z").await;
    world.schedule("twice", "R2/PT1H", None).await;
    assert_eq!(world.look("twice").await.remaining, Some(1));
    world.set("2026-01-05T00:00:00Z");
    let done = world.look("twice").await;
    assert_eq!((done.remaining, done.next.next_ms, done.enabled), (Some(0), None, true));
    world.set("2026-01-06T00:00:00Z");
    assert_eq!(world.look("twice").await.runs, 2);
    world.engine.shutdown().await;
}

#[tokio::test]
async fn old_jobs_are_forgotten_with_their_logs() {
    let world = World::at("2026-01-01T00:00:00Z").await;
    world.schedule("once", "R1/PT1H", None).await;
    world.look("once").await;
    let log = world.engine.inner.config.data.join("logs/1.log");
    assert!(log.exists());
    let day = Duration::from_hours(24);
    // The job ended by the real clock, which the test's clock is ahead of.
    let now = Timestamp::now().as_millisecond();
    world.clock.store(now, Ordering::SeqCst);
    crate::history::reap(&world.engine.inner, day).await.unwrap();
    assert_eq!(world.jobs().await, 1);
    world.clock.store(now + 2 * 86_400_000, Ordering::SeqCst);
    crate::history::reap(&world.engine.inner, day).await.unwrap();
    assert!(world.jobs().await == 0 && !log.exists());
    world.engine.shutdown().await;
}
