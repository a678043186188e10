//! Events of jobs and their way to those who are told of them.

use wharf_store::model::{
    Attempt, Callback, DeliveryOutcome, DueDelivery, Job, JobEnd, JobState, NewCallback, NewJob,
    Verdict,
};
use wharf_store::{Error, Store};

use crate::support::Fixture;

const NOW: i64 = i64::MAX - 1;

fn callback(url: &str) -> NewCallback {
    let origin = url.split("/at/").next().unwrap().to_owned();
    NewCallback { url: url.to_owned(), origin, secret: Some("key".to_owned()) }
}

async fn ordered(fixture: &Fixture, urls: &[&str]) -> Job {
    let job = NewJob {
        operation: "sync".to_owned(),
        repository: Some(fixture.repository),
        attachment: Some(fixture.importer),
        arguments: "{}".to_owned(),
        callbacks: urls.iter().map(|url| callback(url)).collect(),
    };
    fixture.store.meta.submit_job(job).await.unwrap()
}

async fn due(store: &Store, but: &[&DueDelivery], full: &[&str]) -> Vec<DueDelivery> {
    let but = but.iter().map(|one| one.id).collect();
    let full = full.iter().map(|origin| (*origin).to_owned()).collect();
    store.meta.due_deliveries((NOW, i64::MAX), but, full, 0).await.unwrap()
}

async fn note(store: &Store, delivery: &DueDelivery, status: u16, verdict: Verdict) {
    let attempt = Attempt { at_ms: 5, status: Some(status), verdict };
    store.meta.note_attempt(delivery.id, attempt).await.unwrap();
}

async fn told(store: &Store, job: &Job) -> Vec<Callback> {
    store.meta.callbacks(job.id).await.unwrap()
}

fn states(callback: &Callback) -> Vec<JobState> {
    callback.deliveries.iter().map(|delivery| delivery.state).collect()
}

#[tokio::test]
async fn each_change_of_a_job_is_an_event_for_each_of_its_callbacks() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let job = ordered(&fixture, &["http://a/at/1", "http://b/at/2"]).await;
    let (_job, lease) = meta.claim(job.id).await.unwrap();
    assert!(meta.claim(job.id).await.is_err(), "what changes nothing is no event");
    meta.requeue(lease).await.unwrap();
    let (_job, lease) = meta.claim(job.id).await.unwrap();
    let end = JobEnd { state: JobState::Partial, problem: None, result: None };
    meta.finish(lease, end).await.unwrap();
    let other = ordered(&fixture, &["http://a/at/1"]).await;
    meta.cancel_queued(other.id).await.unwrap();
    let [first, second] = told(&fixture.store, &job).await.try_into().unwrap();
    assert_eq!(
        (first.n, first.url.as_str(), first.secret.as_deref()),
        (1, "http://a/at/1", Some("key"))
    );
    let way = [
        JobState::Queued,
        JobState::Running,
        JobState::Queued,
        JobState::Running,
        JobState::Partial,
    ];
    assert_eq!((states(&first), states(&second)), (way.to_vec(), way.to_vec()));
    let cancelled = told(&fixture.store, &other).await;
    assert_eq!(states(&cancelled[0]), [JobState::Queued, JobState::Cancelled]);
    let all = first.deliveries.iter().chain(&second.deliveries).map(|delivery| &delivery.event);
    let names: std::collections::BTreeSet<_> = all.collect();
    assert_eq!(names.len(), 10);
    assert!(names.iter().all(|name| name.starts_with("msg_") && name.len() == 36), "{names:?}");
    assert_eq!(meta.waiting_deliveries().await.unwrap().count, 12);
}

#[tokio::test]
async fn a_job_that_was_cut_off_is_told_of_with_what_became_of_it() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let job = ordered(&fixture, &["http://a/at/1"]).await;
    for _attempt in 0..2 {
        meta.claim(job.id).await.unwrap();
        meta.recover().await.unwrap();
    }
    let told = told(&fixture.store, &job).await;
    let way = [
        JobState::Queued,
        JobState::Running,
        JobState::Queued,
        JobState::Running,
        JobState::Failed,
    ];
    assert_eq!(states(&told[0]), way);
}

#[tokio::test]
async fn events_are_due_one_after_the_other_for_each_address_of_a_job() {
    let fixture = Fixture::new().await;
    let (store, meta) = (&fixture.store, &fixture.store.meta);
    let job = ordered(&fixture, &["http://a/at/1", "http://b/at/2"]).await;
    meta.claim(job.id).await.unwrap();
    let [a, b] = due(store, &[], &[]).await.try_into().unwrap();
    assert_eq!((a.n, a.state, b.n, b.state), (1, JobState::Queued, 2, JobState::Queued));
    assert_eq!((a.job_attempts, a.job_started_ms, a.attempts), (0, None, 0));
    assert_eq!(due(store, &[&a], &["http://b"]).await, []);
    note(store, &a, 204, Verdict::Delivered).await;
    let next = due(store, &[], &["http://b"]).await.remove(0);
    assert_eq!((next.state, next.job_attempts), (JobState::Running, 1));
    assert!(next.job_started_ms.is_some());
    let error = "busy".to_owned();
    note(store, &next, 503, Verdict::Again { next_ms: 7_000, error }).await;
    assert_eq!(meta.next_delivery(6_999).await.unwrap(), Some(7_000));
    let at = |now| meta.due_deliveries((now, i64::MAX), Vec::new(), vec!["http://b".to_owned()], 0);
    assert_eq!(at(6_999).await.unwrap(), []);
    assert_eq!(at(7_000).await.unwrap()[0].attempts, 1);
    // F97: reckoned under a clock that was ahead.
    let early = meta.due_deliveries((1_000, 6_000), Vec::new(), vec!["http://b".to_owned()], 0);
    assert_eq!(early.await.unwrap().len(), 1);
    let delivery = told(store, &job).await.remove(0).deliveries.remove(1);
    assert_eq!((delivery.outcome, delivery.attempts), (DeliveryOutcome::Waiting, 1));
    assert_eq!((delivery.status, delivery.error.as_deref()), (Some(503), Some("busy")));
}

#[tokio::test]
async fn what_is_given_up_takes_along_what_waits_behind_it_and_can_be_sent_again() {
    let fixture = Fixture::new().await;
    let (store, meta) = (&fixture.store, &fixture.store.meta);
    let job = ordered(&fixture, &["http://a/at/1", "http://b/at/2"]).await;
    let (_job, lease) = meta.claim(job.id).await.unwrap();
    let [a, b] = due(store, &[], &[]).await.try_into().unwrap();
    note(store, &a, 500, Verdict::GivenUp { error: "worn out".to_owned(), gone: false }).await;
    note(store, &b, 410, Verdict::GivenUp { error: "gone".to_owned(), gone: true }).await;
    assert_eq!(meta.waiting_deliveries().await.unwrap().count, 0);
    let end = JobEnd { state: JobState::Succeeded, problem: None, result: None };
    meta.finish(lease, end).await.unwrap();
    let outcomes = |callback: &Callback| {
        callback.deliveries.iter().map(|delivery| delivery.outcome).collect::<Vec<_>>()
    };
    let [first, second] = told(store, &job).await.try_into().unwrap();
    let (given_up, waiting) = (DeliveryOutcome::GivenUp, DeliveryOutcome::Waiting);
    assert_eq!((first.gone, outcomes(&first)), (false, vec![given_up, given_up, waiting]));
    assert_eq!((second.gone, outcomes(&second)), (true, vec![given_up; 3]));
    assert_eq!(second.deliveries[1].attempts, 0);
    // A late word about one that does not wait changes nothing.
    note(store, &b, 200, Verdict::Delivered).await;
    assert_eq!(meta.redeliver(job.id, 2, 1).await.unwrap(), 3);
    let again = told(store, &job).await.remove(1);
    assert_eq!((again.gone, outcomes(&again)), (false, vec![waiting; 3]));
    let missing = meta.redeliver(job.id, 3, 1).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
    assert_eq!(missing.code(), "not_found.callback");
}

#[tokio::test]
async fn what_was_told_is_forgotten_with_the_job() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let job = ordered(&fixture, &["http://a/at/1"]).await;
    meta.cancel_queued(job.id).await.unwrap();
    assert_eq!(meta.jobs_signed_with("key").await.unwrap(), [job.id]);
    assert_eq!(meta.jobs_signed_with("other").await.unwrap(), []);
    assert_eq!(meta.reap_jobs(i64::MAX, 10).await.unwrap(), [job.id]);
    assert_eq!(told(&fixture.store, &job).await, []);
    assert_eq!(meta.jobs_signed_with("key").await.unwrap(), []);
    assert_eq!(meta.waiting_deliveries().await.unwrap().count, 0);
}
