//! Jobs, leases and what a host does about jobs that another left running.

use wharf_store::model::{JobEnd, JobFilter, JobId, JobState, NewJob, VersionMode};
use wharf_store::{Error, Store};

use crate::support::{Fixture, lease, repository};

fn end(state: JobState) -> JobEnd {
    JobEnd { state, problem: None, result: Some("{}".to_owned()) }
}

fn job(fixture: &Fixture, operation: &str) -> NewJob {
    NewJob {
        operation: operation.to_owned(),
        repository: Some(fixture.repository),
        attachment: Some(fixture.importer),
        arguments: "{\"full\":true}".to_owned(),
        callbacks: Vec::new(),
    }
}

#[tokio::test]
async fn a_job_goes_its_way_and_is_found_on_it() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let stored = meta.submit_job(job(&fixture, "sync")).await.unwrap();
    assert_eq!((stored.state, stored.attempts), (JobState::Queued, 0));
    assert_eq!(stored.repository.as_deref(), Some("demo"));
    assert_eq!(stored.arguments, "{\"full\":true}");
    assert_eq!(meta.queued().await.unwrap(), std::slice::from_ref(&stored));
    let (running, lease) = meta.claim(stored.id).await.unwrap();
    assert_eq!((running.state, running.attempts), (JobState::Running, 1));
    let again = meta.claim(stored.id).await.unwrap_err();
    assert!(matches!(again, Error::JobState { state: JobState::Running, .. }), "{again}");
    meta.save_checkpoint(lease, b"here".to_vec()).await.unwrap();
    assert_eq!(
        meta.job(stored.id).await.unwrap().unwrap().checkpoint.as_deref(),
        Some(&b"here"[..])
    );
    assert!(meta.finish(lease, end(JobState::Running)).await.is_err(), "running is no end");
    let ended = meta.finish(lease, end(JobState::Partial)).await.unwrap();
    assert_eq!((ended.state, ended.result.as_deref()), (JobState::Partial, Some("{}")));
    assert!(ended.finished_ms.is_some() && ended.checkpoint.is_none());
    assert_eq!(meta.cancel_queued(stored.id).await.unwrap(), None);
    assert_eq!(meta.queued().await.unwrap(), []);
    assert_eq!(meta.claim(JobId(99)).await.unwrap_err().code(), "not_found.job");
}

#[tokio::test]
async fn a_job_that_waits_can_be_cancelled() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let stored = meta.submit_job(job(&fixture, "sync")).await.unwrap();
    let cancelled = meta.cancel_queued(stored.id).await.unwrap().unwrap();
    assert_eq!(cancelled.state, JobState::Cancelled);
    assert!(meta.claim(stored.id).await.is_err());
}

#[tokio::test]
async fn the_template_of_a_build_is_kept_for_as_long_as_it_may_be_built_again() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let arguments = r#"{"stage":"base","template":"with a password"}"#;
    let asked = NewJob { arguments: arguments.to_owned(), ..job(&fixture, "build") };
    let submit = async || meta.submit_job(asked.clone()).await.unwrap().id;
    let [ended, cancelled, cut_off] = [submit().await, submit().await, submit().await];
    let ended = meta.finish(meta.claim(ended).await.unwrap().1, end(JobState::Succeeded)).await;
    let cancelled = meta.cancel_queued(cancelled).await.unwrap();
    let mut others = Vec::new();
    for attempt in 1..=2 {
        let (job, _lease) = meta.claim(cut_off).await.unwrap();
        assert_eq!(job.arguments, arguments, "attempt {attempt}");
        others = meta.recover().await.unwrap();
    }
    assert_eq!(others[0].state, JobState::Failed);
    for job in [ended.unwrap(), cancelled.unwrap(), others.remove(0)] {
        assert_eq!(job.arguments, r#"{"stage":"base"}"#, "{}", job.state);
    }
}

#[tokio::test]
async fn jobs_are_listed_by_repository_state_and_page() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let (other, importer, _) = repository(&fixture.store, "other").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(meta.submit_job(job(&fixture, "sync")).await.unwrap().id);
    }
    let foreign = lease(&fixture.store, "sync", other, importer).await;
    let list = async |filter: JobFilter| {
        let jobs = meta.jobs(filter).await.unwrap();
        jobs.iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let mut newest: Vec<JobId> = ids.iter().rev().copied().collect();
    let of_demo = JobFilter { repository: Some("demo".to_owned()), ..JobFilter::default() };
    assert_eq!(list(of_demo.clone()).await, newest);
    let page = JobFilter { before: Some(ids[4]), limit: 2, ..of_demo };
    assert_eq!(list(page).await, [ids[3], ids[2]]);
    let states = vec![JobState::Running, JobState::Failed];
    assert_eq!(list(JobFilter { states, ..JobFilter::default() }).await, [foreign.job]);
    newest.insert(0, foreign.job);
    assert_eq!(list(JobFilter::default()).await, newest);
}

#[tokio::test]
async fn f177_nothing_is_written_under_a_lease_that_is_not_the_last() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let first = fixture.lease("sync").await;
    let present = fixture.save(first, &[("a", "1")]).await;
    meta.requeue(first).await.unwrap();
    let (_, second) = meta.claim(first.job).await.unwrap();
    let commit = fixture.version(0, VersionMode::Mirror, &present);
    let lost = [
        meta.commit_version(first, commit.clone()).await.map(drop),
        meta.save_units(first, fixture.repository, vec![fixture.unit("b", b"2")], Vec::new())
            .await
            .map(drop),
        meta.save_checkpoint(first, Vec::new()).await,
        meta.requeue(first).await,
        meta.begin_publication(first, fixture.distributor, 0).await.map(drop),
        meta.finish(first, end(JobState::Succeeded)).await.map(drop),
        meta.save_artifacts(first, Vec::new()).await,
    ];
    for outcome in lost {
        assert_eq!(outcome.unwrap_err().code(), "lease_lost");
    }
    assert_eq!(meta.repository("demo").await.unwrap().unwrap().current_version, 0);
    meta.commit_version(second, commit.clone()).await.unwrap();
    meta.finish(second, end(JobState::Succeeded)).await.unwrap();
    let ended = meta.commit_version(second, commit).await.unwrap_err();
    assert_eq!(ended.code(), "lease_lost");
}

#[tokio::test]
async fn f165_f178_recovery_settles_what_was_left_and_may_be_cut_off() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let sync = fixture.lease("sync").await;
    let publish = fixture.lease("publish").await;
    let publication = meta.begin_publication(publish, fixture.distributor, 0).await.unwrap();
    let action = fixture.lease("action").await;
    let waiting = meta.submit_job(job(&fixture, "sync")).await.unwrap();
    fixture.store.close().await;
    let store = Store::open(fixture.folder.path()).await.unwrap();
    let touched = store.meta.recover().await.unwrap();
    let states: Vec<_> = touched.iter().map(|job| (job.id, job.state)).collect();
    let expected = [
        (sync.job, JobState::Queued),
        (publish.job, JobState::Queued),
        (action.job, JobState::Failed),
    ];
    assert_eq!(states, expected);
    let problem = touched[2].problem.as_deref().unwrap();
    assert!(problem.contains("\"interrupted\""), "{problem}");
    assert_eq!(store.meta.publication(publication).await.unwrap(), None);
    assert_eq!(store.meta.recover().await.unwrap(), [], "a second time there is nothing to do");
    let queued: Vec<JobId> = store.meta.queued().await.unwrap().iter().map(|job| job.id).collect();
    assert_eq!(queued, [sync.job, publish.job, waiting.id]);
    // A job that was cut off twice may be what kills the host.
    store.meta.claim(sync.job).await.unwrap();
    let touched = store.meta.recover().await.unwrap();
    assert_eq!((touched[0].id, touched[0].state), (sync.job, JobState::Failed));
    assert_eq!(touched[0].attempts, 2);
    store.close().await;
}
