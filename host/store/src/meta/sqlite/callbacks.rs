//! Callbacks and their deliveries.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, limit, unsigned};
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{
    Attempt, Callback, Delivery, DeliveryOutcome, DueDelivery, JobId, JobState, NewCallback,
    Verdict, WaitingDeliveries,
};

/// Of each address of a job the oldest delivery that waits: the next one is told when that was.
const HEADS: &str =
    "(SELECT min(id) AS id FROM delivery WHERE next_ms IS NOT NULL GROUP BY job, n)";

pub(super) fn insert(db: &Connection, job: JobId, callbacks: &[NewCallback]) -> Outcome<()> {
    for (n, new) in (1_i64..).zip(callbacks) {
        db.prepare_cached(
            "INSERT INTO callback (job, n, url, origin, secret, gone) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
        )?
        .execute((job.0, n, &new.url, &new.origin, &new.secret))?;
    }
    Ok(())
}

/// Writes an event for each callback of a job that has just come into another state.
pub(super) fn job_changed(db: &Connection, job: JobId) -> Outcome<()> {
    db.prepare_cached(
        "INSERT INTO delivery (event, job, n, state, job_attempts, job_started_ms, created_ms,
            outcome, attempts, next_ms, error)
         SELECT 'msg_' || lower(hex(randomblob(16))), c.job, c.n, j.state, j.attempts, j.started_ms,
            ?2, iif(c.gone, 'given_up', 'waiting'), 0, iif(c.gone, NULL, ?2),
            iif(c.gone, 'the receiver wants no more', NULL)
         FROM callback c JOIN job j ON j.id = c.job WHERE c.job = ?1 ORDER BY c.n",
    )?
    .execute((job.0, clock::now_ms()))?;
    Ok(())
}

pub(in crate::meta) fn of_job(db: &Connection, job: JobId) -> Outcome<Vec<Callback>> {
    let mut statement =
        db.prepare_cached("SELECT n, url, secret, gone FROM callback WHERE job = ?1 ORDER BY n")?;
    let mut rows = statement.query([job.0])?;
    let mut callbacks = Vec::new();
    while let Some(row) = rows.next()? {
        let n = row.get(0)?;
        callbacks.push(Callback {
            n,
            url: row.get(1)?,
            secret: row.get(2)?,
            gone: row.get(3)?,
            deliveries: deliveries(db, job, n)?,
        });
    }
    Ok(callbacks)
}

fn deliveries(db: &Connection, job: JobId, n: u32) -> Outcome<Vec<Delivery>> {
    let mut statement = db.prepare_cached(
        "SELECT event, state, created_ms, outcome, attempts, next_ms, last_ms, status, error
         FROM delivery WHERE job = ?1 AND n = ?2 ORDER BY id",
    )?;
    let mut rows = statement.query((job.0, n))?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        deliveries.push(Delivery {
            event: row.get(0)?,
            state: state(row, 1)?,
            created_ms: row.get(2)?,
            outcome: outcome(row, 3)?,
            attempts: row.get(4)?,
            next_ms: row.get(5)?,
            last_ms: row.get(6)?,
            status: row.get(7)?,
            error: row.get(8)?,
        });
    }
    Ok(deliveries)
}

pub(in crate::meta) fn due(
    db: &Connection,
    (now_ms, latest_ms): (i64, i64),
    (but, full): (&[i64], &[String]),
    most: usize,
) -> Outcome<Vec<DueDelivery>> {
    let sql = format!(
        "SELECT d.id, d.event, d.job, d.n, d.state, d.job_attempts, d.job_started_ms, d.created_ms,
            d.attempts, c.url, c.origin, c.secret
         FROM {HEADS} head JOIN delivery d ON d.id = head.id
            JOIN callback c ON c.job = d.job AND c.n = d.n
         WHERE (d.next_ms <= ?1 OR d.next_ms > ?2)
            AND d.id NOT IN (SELECT value FROM json_each(?3))
            AND c.origin NOT IN (SELECT value FROM json_each(?4))
         ORDER BY d.next_ms, d.id LIMIT ?5"
    );
    let (but, full) = (serde_json::json!(but).to_string(), serde_json::json!(full).to_string());
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query((now_ms, latest_ms, but, full, limit(most, 100)))?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        due.push(DueDelivery {
            id: row.get(0)?,
            event: row.get(1)?,
            job: JobId(row.get(2)?),
            n: row.get(3)?,
            state: state(row, 4)?,
            job_attempts: row.get(5)?,
            job_started_ms: row.get(6)?,
            created_ms: row.get(7)?,
            attempts: row.get(8)?,
            url: row.get(9)?,
            origin: row.get(10)?,
            secret: row.get(11)?,
        });
    }
    Ok(due)
}

pub(in crate::meta) fn next(db: &Connection, after_ms: i64) -> Outcome<Option<i64>> {
    let sql = format!(
        "SELECT min(d.next_ms) FROM {HEADS} head JOIN delivery d ON d.id = head.id
         WHERE d.next_ms > ?1"
    );
    Ok(db.prepare_cached(&sql)?.query_row([after_ms], |row| row.get(0))?)
}

pub(in crate::meta) fn waiting(db: &Connection) -> Outcome<WaitingDeliveries> {
    let sql = format!(
        "SELECT (SELECT count(*) FROM delivery WHERE next_ms IS NOT NULL), min(d.next_ms)
         FROM {HEADS} head JOIN delivery d ON d.id = head.id"
    );
    let (count, first_ms) =
        db.prepare_cached(&sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(WaitingDeliveries { count: unsigned(count), first_ms })
}

pub(in crate::meta) fn signed_with(db: &Connection, secret: &str) -> Outcome<Vec<JobId>> {
    let mut statement = db.prepare_cached(
        "SELECT job FROM (
            SELECT c.job FROM job j JOIN callback c ON c.job = j.id
            WHERE j.state IN ('queued', 'blocked', 'running', 'cancelling') AND c.secret = ?1
            UNION SELECT c.job FROM delivery d JOIN callback c ON c.job = d.job AND c.n = d.n
            WHERE d.next_ms IS NOT NULL AND c.secret = ?1)
         ORDER BY job",
    )?;
    let ids = statement.query_map([secret], |row| row.get(0))?;
    Ok(ids.collect::<Result<Vec<i64>, _>>()?.into_iter().map(JobId).collect())
}

pub(in crate::meta) fn note(db: &Connection, delivery: i64, attempt: &Attempt) -> Outcome<()> {
    let (outcome, next_ms, error) = match &attempt.verdict {
        Verdict::Delivered => (DeliveryOutcome::Delivered, None, None),
        Verdict::Again { next_ms, error } => {
            (DeliveryOutcome::Waiting, Some(*next_ms), Some(error))
        }
        Verdict::GivenUp { error, .. } => (DeliveryOutcome::GivenUp, None, Some(error)),
    };
    let address: Option<(i64, i64)> = db
        .prepare_cached(
            "UPDATE delivery SET outcome = ?2, next_ms = ?3, error = ?4, status = ?5, last_ms = ?6,
                attempts = attempts + 1
             WHERE id = ?1 AND next_ms IS NOT NULL RETURNING job, n",
        )?
        .query_row(
            (delivery, outcome.as_str(), next_ms, error, attempt.status, attempt.at_ms),
            |row| row.try_into(),
        )
        .optional()?;
    match (address, &attempt.verdict) {
        (Some(address), Verdict::GivenUp { error, gone }) => give_up(db, address, error, *gone),
        _ => Ok(()),
    }
}

fn give_up(db: &Connection, (job, n): (i64, i64), error: &str, gone: bool) -> Outcome<()> {
    db.prepare_cached(
        "UPDATE delivery SET outcome = 'given_up', next_ms = NULL, error = ?3
         WHERE job = ?1 AND n = ?2 AND next_ms IS NOT NULL",
    )?
    .execute((job, n, error))?;
    db.prepare_cached("UPDATE callback SET gone = ?3 WHERE job = ?1 AND n = ?2")?
        .execute((job, n, gone))?;
    Ok(())
}

pub(in crate::meta) fn redeliver(
    db: &Connection,
    (job, n): (JobId, u32),
    now_ms: i64,
) -> Outcome<u64> {
    let there = db
        .prepare_cached("UPDATE callback SET gone = 0 WHERE job = ?1 AND n = ?2")?
        .execute((job.0, n))?;
    if there == 0 {
        return Err(Error::not_found(Thing::Callback, &format!("{n} of job {job}")).into());
    }
    let waiting = db
        .prepare_cached(
            "UPDATE delivery SET outcome = 'waiting', next_ms = ?3, attempts = 0
             WHERE job = ?1 AND n = ?2 AND outcome <> 'delivered'",
        )?
        .execute((job.0, n, now_ms))?;
    Ok(u64::try_from(waiting).unwrap_or(u64::MAX))
}

fn state(row: &Row<'_>, place: usize) -> Outcome<JobState> {
    let word: String = row.get(place)?;
    let unreadable = || Error::Unreadable { what: "a job's state", problem: word.clone() };
    Ok(JobState::from_word(&word).ok_or_else(unreadable)?)
}

fn outcome(row: &Row<'_>, place: usize) -> Outcome<DeliveryOutcome> {
    let word: String = row.get(place)?;
    let unreadable = || Error::Unreadable { what: "a delivery's outcome", problem: word.clone() };
    Ok(DeliveryOutcome::from_word(&word).ok_or_else(unreadable)?)
}
