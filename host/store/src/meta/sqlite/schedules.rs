//! Schedules: when they are due, and what came of their runs.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Outcome, jobs, repositories, signed, unsigned};
use crate::error::{Error, Thing};
use crate::model::{
    Asker, Fired, Job, JobId, JobState, NewJob, NewSchedule, Planned, RepositoryId, Schedule,
    ScheduleId,
};

const SELECT: &str = "SELECT s.id, s.name, s.repository, r.name, s.operation, s.rule, s.zone, \
     s.start_ms, s.arguments, s.threshold, s.remaining, s.enabled, s.reason, s.runs, s.failures, \
     s.first_ms, s.last_ms, s.last_job, s.note, s.next_ms, s.planned_ms \
     FROM schedule s JOIN repository r ON r.id = s.repository";

pub(in crate::meta) fn create(db: &Connection, new: &NewSchedule) -> Outcome<Schedule> {
    repositories::get(db, new.repository)?;
    if by_name(db, &new.name)?.is_some() {
        let name = new.name.to_string();
        return Err(Error::Exists { thing: Thing::Schedule, name }.into());
    }
    db.prepare_cached(
        "INSERT INTO schedule (name, repository, operation, rule, zone, start_ms, arguments,
            threshold, remaining, enabled, runs, failures, next_ms, planned_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, 0, 0, ?10, ?11)",
    )?
    .execute((
        new.name.as_str(),
        new.repository.0,
        &new.operation,
        &new.rule,
        &new.zone,
        new.start_ms,
        &new.arguments,
        new.threshold,
        new.remaining.map(signed),
        new.next.next_ms,
        new.next.at_ms,
    ))?;
    get(db, ScheduleId(db.last_insert_rowid()))
}

pub(in crate::meta) fn all(db: &Connection) -> Outcome<Vec<Schedule>> {
    let mut statement = db.prepare_cached(&format!("{SELECT} ORDER BY s.name"))?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(in crate::meta) fn by_name(db: &Connection, name: &str) -> Outcome<Option<Schedule>> {
    let mut statement = db.prepare_cached(&format!("{SELECT} WHERE s.name = ?1"))?;
    Ok(statement.query_row([name], read).optional()?)
}

pub(in crate::meta) fn by_id(db: &Connection, id: ScheduleId) -> Outcome<Option<Schedule>> {
    let mut statement = db.prepare_cached(&format!("{SELECT} WHERE s.id = ?1"))?;
    Ok(statement.query_row([id.0], read).optional()?)
}

fn get(db: &Connection, id: ScheduleId) -> Outcome<Schedule> {
    by_id(db, id)?.ok_or_else(|| Error::not_found(Thing::Schedule, &id).into())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Schedule> {
    Ok(Schedule {
        id: ScheduleId(row.get(0)?),
        name: row.get(1)?,
        repository: RepositoryId(row.get(2)?),
        repository_name: row.get(3)?,
        operation: row.get(4)?,
        rule: row.get(5)?,
        zone: row.get(6)?,
        start_ms: row.get(7)?,
        arguments: row.get(8)?,
        threshold: row.get(9)?,
        remaining: row.get::<_, Option<i64>>(10)?.map(unsigned),
        enabled: row.get(11)?,
        reason: row.get(12)?,
        runs: unsigned(row.get(13)?),
        failures: row.get(14)?,
        first_ms: row.get(15)?,
        last_ms: row.get(16)?,
        last_job: row.get::<_, Option<i64>>(17)?.map(JobId),
        note: row.get(18)?,
        next: Planned { next_ms: row.get(19)?, at_ms: row.get(20)? },
    })
}

pub(in crate::meta) fn delete(db: &Connection, name: &str) -> Outcome<()> {
    let deleted = db.prepare_cached("DELETE FROM schedule WHERE name = ?1")?.execute([name])?;
    if deleted == 0 { Err(Error::not_found(Thing::Schedule, name).into()) } else { Ok(()) }
}

pub(in crate::meta) fn switch(
    db: &Connection,
    name: &str,
    enabled: bool,
    next: Planned,
) -> Outcome<Schedule> {
    let found = by_name(db, name)?.ok_or_else(|| Error::not_found(Thing::Schedule, name))?;
    let failures = if enabled { 0 } else { found.failures };
    db.prepare_cached(
        "UPDATE schedule SET enabled = ?2, reason = NULL, failures = ?3, next_ms = ?4,
            planned_ms = ?5
         WHERE id = ?1",
    )?
    .execute((found.id.0, enabled, failures, next.next_ms, next.at_ms))?;
    get(db, found.id)
}

/// The schedule, if it is still as someone saw it who found it due.
fn unchanged(db: &Connection, id: ScheduleId, was: Planned) -> Outcome<Option<Schedule>> {
    Ok(by_id(db, id)?.filter(|found| found.enabled && found.next == was))
}

fn plan(db: &Connection, id: ScheduleId, next: Planned, note: Option<&str>) -> Outcome<()> {
    db.prepare_cached(
        "UPDATE schedule SET next_ms = ?2, planned_ms = ?3, note = ?4 WHERE id = ?1",
    )?
    .execute((id.0, next.next_ms, next.at_ms, note))?;
    Ok(())
}

pub(in crate::meta) fn replan(
    db: &Connection,
    id: ScheduleId,
    was: Planned,
    next: Planned,
) -> Outcome<()> {
    match unchanged(db, id, was)? {
        Some(found) => plan(db, id, next, found.note.as_deref()),
        None => Ok(()),
    }
}

pub(in crate::meta) fn skip(
    db: &Connection,
    id: ScheduleId,
    was: Planned,
    next: Planned,
    why: String,
) -> Outcome<Fired> {
    if unchanged(db, id, was)?.is_none() {
        return Ok(Fired::Changed);
    }
    plan(db, id, next, Some(&why))?;
    Ok(Fired::Skipped(why))
}

pub(in crate::meta) fn refuse(
    db: &Connection,
    id: ScheduleId,
    was: Planned,
    next: Planned,
    why: String,
) -> Outcome<Fired> {
    let fired = skip(db, id, was, next, why)?;
    if let (Fired::Skipped(why), Some(found)) = (&fired, by_id(db, id)?) {
        count_failure(db, &found, || Ok(why.clone()))?;
    }
    Ok(fired)
}

pub(in crate::meta) fn fire(
    db: &Connection,
    id: ScheduleId,
    was: Planned,
    next: Planned,
    wanted: &[NewJob],
) -> Outcome<Fired> {
    let Some(found) = unchanged(db, id, was)? else { return Ok(Fired::Changed) };
    for job in wanted {
        if let Some(open) = same_work(db, job)? {
            return skip(db, id, was, next, format!("job {open} has not ended"));
        }
    }
    let mut started = Vec::with_capacity(wanted.len());
    for job in wanted {
        started.push(jobs::submit(db, job, Asker::Schedule(id))?);
    }
    let remaining = found.remaining.map(|runs| runs.saturating_sub(1));
    let next_ms = next.next_ms.filter(|_| remaining != Some(0));
    db.prepare_cached(
        "UPDATE schedule SET runs = runs + 1, remaining = ?2, first_ms = ifnull(first_ms, ?3),
            last_ms = ?3, last_job = ?4, note = NULL, next_ms = ?5, planned_ms = ?3
         WHERE id = ?1",
    )?
    .execute((
        id.0,
        remaining.map(signed),
        next.at_ms,
        started.first().map(|job| job.id.0),
        next_ms,
    ))?;
    Ok(Fired::Started(started))
}

/// A job that does the same and has not ended, whoever asked for it.
fn same_work(db: &Connection, wanted: &NewJob) -> Outcome<Option<i64>> {
    let sql = "SELECT min(id) FROM job
         WHERE attachment = ?1 AND operation = ?2
            AND state IN ('queued', 'blocked', 'running', 'cancelling')";
    let attachment = wanted.attachment.map(|id| id.0);
    Ok(db.prepare_cached(sql)?.query_row((attachment, &wanted.operation), |row| row.get(0))?)
}

/// Counts a run that has ended with this job, if a schedule asked for it. A run of several jobs has failed when one of
/// them has; a run that was cancelled counts neither way.
pub(super) fn job_ended(db: &Connection, job: &Job) -> Outcome<()> {
    let Asker::Schedule(id) = job.asked_by else { return Ok(()) };
    let Some(schedule) = by_id(db, id)? else { return Ok(()) };
    let sql = "SELECT
            ifnull(sum(state IN ('queued', 'blocked', 'running', 'cancelling')), 0),
            ifnull(sum(state IN ('succeeded', 'partial')), 0),
            max(iif(state IN ('failed', 'interrupted'), id, NULL))
         FROM job WHERE schedule = ?1 AND id >= ?2";
    let first = schedule.last_job.map_or(0, |job| job.0);
    let (open, good, bad): (i64, i64, Option<i64>) =
        db.prepare_cached(sql)?.query_row((id.0, first), |row| row.try_into())?;
    if open > 0 || job.state == JobState::Queued {
        return Ok(());
    }
    match bad {
        Some(bad) => count_failure(db, &schedule, || told_by(db, bad)),
        None if good > 0 => {
            db.prepare_cached("UPDATE schedule SET failures = 0 WHERE id = ?1")?.execute([id.0])?;
            Ok(())
        }
        None => Ok(()),
    }
}

/// Counts a failed run, and switches the schedule off when there were too many in a row.
fn count_failure(
    db: &Connection,
    schedule: &Schedule,
    why: impl FnOnce() -> Outcome<String>,
) -> Outcome<()> {
    let failures = schedule.failures.saturating_add(1);
    let enough = schedule.enabled && schedule.threshold.is_some_and(|most| failures >= most);
    let reason = if enough {
        let runs =
            if failures == 1 { "a run".to_owned() } else { format!("{failures} runs in a row") };
        Some(format!("{runs} failed; the last: {}", why()?))
    } else {
        schedule.reason.clone()
    };
    db.prepare_cached(
        "UPDATE schedule SET failures = ?2, enabled = ?3, reason = ?4 WHERE id = ?1",
    )?
    .execute((schedule.id.0, failures, schedule.enabled && !enough, reason))?;
    Ok(())
}

/// What a job says about why it failed.
fn told_by(db: &Connection, job: i64) -> Outcome<String> {
    let problem = jobs::by_id(db, JobId(job))?.and_then(|job| job.problem).unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_str(&problem).unwrap_or_default();
    let message = problem["message"].as_str().unwrap_or("it did not say why");
    Ok(format!("job {job}: {message}"))
}
