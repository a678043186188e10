//! Schedules and history as the store keeps them.

use wharf_store::Error;
use wharf_store::model::{
    Asker, Fired, JobEnd, JobFilter, JobState, NewJob, NewSchedule, Planned, Schedule, Since,
    VersionMode,
};

use crate::support::Fixture;

const HOUR: i64 = 3_600_000;

fn planned(next: i64, at: i64) -> Planned {
    Planned { next_ms: Some(next * HOUR), at_ms: at * HOUR }
}

impl Fixture {
    async fn schedule(&self, threshold: Option<u32>, remaining: Option<u64>) -> Schedule {
        let new = NewSchedule {
            name: "hourly".parse().unwrap(),
            repository: self.repository,
            operation: "sync".to_owned(),
            rule: "PT1H".to_owned(),
            zone: "UTC".to_owned(),
            start_ms: 0,
            arguments: "{}".to_owned(),
            threshold,
            remaining,
            next: planned(1, 0),
        };
        self.store.meta.create_schedule(new).await.unwrap()
    }

    fn job(&self) -> NewJob {
        NewJob {
            operation: "sync".to_owned(),
            repository: Some(self.repository),
            attachment: Some(self.importer),
            arguments: "{}".to_owned(),
            callbacks: Vec::new(),
        }
    }

    async fn end(&self, fired: Fired, state: JobState) {
        let Fired::Started(jobs) = fired else { panic!("{fired:?}") };
        for job in jobs {
            let (_, lease) = self.store.meta.claim(job.id).await.unwrap();
            let problem = (state == JobState::Failed).then(|| r#"{"message":"no"}"#.to_owned());
            let end = JobEnd { state, problem, result: None };
            self.store.meta.finish(lease, end).await.unwrap();
        }
    }

    async fn hourly(&self) -> Schedule {
        self.store.meta.schedule("hourly").await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_time_that_is_due_brings_one_run() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let made = fixture.schedule(None, Some(2)).await;
    let exists = meta.create_schedule(NewSchedule {
        name: "hourly".parse().unwrap(),
        repository: fixture.repository,
        operation: "sync".to_owned(),
        rule: "PT2H".to_owned(),
        zone: "UTC".to_owned(),
        start_ms: 0,
        arguments: "{}".to_owned(),
        threshold: None,
        remaining: None,
        next: planned(1, 0),
    });
    assert!(matches!(exists.await, Err(Error::Exists { .. })));
    let fire = |was, next| meta.fire_schedule(made.id, was, next, vec![fixture.job()]);
    let first = fire(made.next, planned(2, 1)).await.unwrap();
    let Fired::Started(jobs) = &first else { panic!("{first:?}") };
    assert_eq!(jobs[0].asked_by, Asker::Schedule(made.id));
    // Whoever saw the same time due comes too late.
    assert_eq!(fire(made.next, planned(2, 1)).await.unwrap(), Fired::Changed);
    // The work still goes on.
    let busy = fire(planned(2, 1), planned(3, 2)).await.unwrap();
    assert!(matches!(busy, Fired::Skipped(why) if why.contains("has not ended")));
    fixture.end(first, JobState::Succeeded).await;
    let once = fixture.hourly().await;
    assert_eq!((once.runs, once.remaining, once.next), (1, Some(1), planned(3, 2)));
    assert_eq!((once.first_ms, once.last_ms), (Some(HOUR), Some(HOUR)));
    let last = fire(once.next, planned(4, 3)).await.unwrap();
    fixture.end(last, JobState::Partial).await;
    let done = fixture.hourly().await;
    assert_eq!((done.runs, done.remaining, done.next.next_ms, done.note), (2, Some(0), None, None));
}

#[tokio::test]
async fn failures_count_in_a_row_and_cancelled_runs_not_at_all() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let made = fixture.schedule(Some(2), None).await;
    let mut was = made.next;
    let mut hour = 1;
    for (state, failures, enabled) in [
        (JobState::Failed, 1, true),
        (JobState::Cancelled, 1, true),
        (JobState::Succeeded, 0, true),
        (JobState::Failed, 1, true),
        (JobState::Failed, 2, false),
    ] {
        let next = planned(hour + 1, hour);
        let fired = meta.fire_schedule(made.id, was, next, vec![fixture.job()]).await.unwrap();
        fixture.end(fired, state).await;
        let found = fixture.hourly().await;
        assert_eq!((found.failures, found.enabled), (failures, enabled), "{state}");
        (was, hour) = (next, hour + 1);
    }
    assert!(fixture.hourly().await.reason.unwrap().ends_with("job 5: no"));
    let off = meta.fire_schedule(made.id, was, planned(9, 8), vec![fixture.job()]).await.unwrap();
    assert_eq!(off, Fired::Changed, "it is off");
    let on = meta.switch_schedule("hourly", true, planned(9, 8)).await.unwrap();
    assert_eq!((on.failures, on.reason, on.enabled), (0, None, true));
    meta.delete_repository("demo").await.unwrap();
    assert!(meta.schedules().await.unwrap().is_empty(), "it goes with its repository");
}

#[tokio::test]
async fn what_became_of_a_repository_is_told_by_its_versions() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let mirror = VersionMode::Mirror;
    fixture.sync(0, mirror, &[("a", "1"), ("b", "1"), ("c", "1")]).await;
    fixture.sync(1, mirror, &[("a", "2"), ("b", "1"), ("d", "1")]).await;
    fixture.sync(2, mirror, &[("a", "2"), ("b", "1"), ("d", "1"), ("e", "1")]).await;
    let since = async |version| meta.since(fixture.repository, version).await.unwrap();
    assert_eq!(since(3).await, Since { added: false, removed: false });
    assert_eq!(since(2).await, Since { added: true, removed: false });
    assert_eq!(since(1).await, Since { added: true, removed: true });
    // Of version 2: "a" took the place of "a", "d" came and "c" went.
    assert_eq!(meta.updated_in(fixture.repository, 2).await.unwrap(), 1);
    assert_eq!(meta.updated_in(fixture.repository, 3).await.unwrap(), 0);
    let types = meta.units_by_type(fixture.repository).await.unwrap();
    assert_eq!(types, [("file".to_owned(), 4)]);
}

#[tokio::test]
async fn jobs_are_found_by_what_they_were_and_forgotten_by_age() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    for operation in ["sync", "publish", "sync"] {
        let lease = fixture.lease(operation).await;
        fixture.finish(lease).await;
    }
    let open = fixture.lease("sync").await;
    let found = async |filter: JobFilter| {
        let jobs = meta.jobs(filter).await.unwrap();
        jobs.into_iter().map(|job| job.id.0).collect::<Vec<_>>()
    };
    let of = Some(fixture.repository);
    assert_eq!(found(JobFilter { of, ended: true, ..JobFilter::default() }).await, [3, 2, 1]);
    let syncs = JobFilter { operation: Some("sync".to_owned()), ..JobFilter::default() };
    assert_eq!(found(syncs).await, [4, 3, 1]);
    let last = meta.last_job(fixture.repository, "publish").await.unwrap();
    assert_eq!(last.unwrap().id.0, 2);
    let none = JobFilter { until_ms: Some(1), ..JobFilter::default() };
    assert!(found(none).await.is_empty());
    assert!(meta.reap_jobs(1, 0).await.unwrap().is_empty(), "they are younger");
    assert_eq!(meta.reap_jobs(i64::MAX, 2).await.unwrap().len(), 2);
    assert_eq!(meta.reap_jobs(i64::MAX, 2).await.unwrap().len(), 1);
    assert_eq!(found(JobFilter::default()).await, [open.job.0], "what runs is not forgotten");
}

#[tokio::test]
async fn a_dry_run_is_never_the_job_that_ended_last() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let last = async || meta.last_job(fixture.repository, "sync").await.unwrap();
    let run = async |arguments: &str| {
        let job = NewJob { arguments: arguments.to_owned(), ..fixture.job() };
        let lease = meta.claim(meta.submit_job(job).await.unwrap().id).await.unwrap().1;
        fixture.finish(lease).await;
        lease.job
    };
    run(r#"{"dry_run":true}"#).await;
    assert_eq!(last().await, None);
    let real = run(r#"{"dry_run":false}"#).await;
    run(r#"{"full":true,"dry_run":true}"#).await;
    assert_eq!(last().await.unwrap().id, real);
}
