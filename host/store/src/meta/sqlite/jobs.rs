//! Jobs and the leases under which they write.

use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use super::{Outcome, attachments, callbacks, limit, publications, repositories, schedules};
use crate::clock;
use crate::error::{Error, Thing};
use crate::model::{
    Asker, AttachmentId, Job, JobEnd, JobFilter, JobId, JobState, Lease, NewJob, RepositoryId,
    ScheduleId,
};

const COLUMNS: &str = "id, operation, repository_name, repository, attachment, component, state, \
     attempts, submitted_ms, started_ms, finished_ms, arguments, problem, result, checkpoint, \
     schedule, parent, (SELECT name FROM schedule WHERE schedule.id = job.schedule)";

/// The arguments of a job that has ended: nobody makes anything of a build's template any more, and it may hold
/// passwords.
pub(super) const ENDED_ARGUMENTS: &str = "CASE WHEN operation = 'build' AND json_valid(arguments)
     THEN json_remove(arguments, '$.template') ELSE arguments END";

pub(in crate::meta) fn submit(db: &Connection, new: &NewJob, asked_by: Asker) -> Outcome<Job> {
    let repository = new.repository.map(|id| repositories::get(db, id)).transpose()?;
    let attachment = match new.attachment {
        Some(id) => {
            let found = attachments::by_id(db, id)?;
            Some(found.ok_or_else(|| Error::not_found(Thing::Attachment, &id))?)
        }
        None => None,
    };
    db.prepare_cached(
        "INSERT INTO job (operation, repository, repository_name, attachment, component, state,
            lease, attempts, submitted_ms, arguments, schedule, parent)
         VALUES (?1, ?2, ?3, ?4, ?5, 'queued', 0, 0, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        &new.operation,
        new.repository.map(|id| id.0),
        repository.map(|repository| repository.name.to_string()),
        new.attachment.map(|id| id.0),
        attachment.map(|attachment| attachment.component),
        clock::now_ms(),
        &new.arguments,
        if let Asker::Schedule(id) = asked_by { Some(id.0) } else { None },
        if let Asker::Job(id) = asked_by { Some(id.0) } else { None },
    ))?;
    let id = JobId(db.last_insert_rowid());
    callbacks::insert(db, id, &new.callbacks)?;
    callbacks::job_changed(db, id)?;
    get(db, id)
}

/// Stores a job that a component or a plugin does without being attached.
pub(in crate::meta) fn submit_unattached(
    db: &Connection,
    new: &NewJob,
    component: &str,
) -> Outcome<Job> {
    let job = submit(db, new, Asker::User)?;
    db.prepare_cached("UPDATE job SET component = ?2 WHERE id = ?1")?
        .execute((job.id.0, component))?;
    get(db, job.id)
}

/// Fails unless the job runs under this lease (F177).
pub(in crate::meta) fn check(db: &Connection, lease: Lease) -> Outcome<()> {
    let good = db
        .prepare_cached("SELECT 1 FROM job WHERE id = ?1 AND lease = ?2 AND state = 'running'")?
        .exists((lease.job.0, lease.number))?;
    if good { Ok(()) } else { Err(lost(lease)) }
}

fn lost(lease: Lease) -> super::Fail {
    Error::LeaseLost { job: lease.job, number: lease.number }.into()
}

pub(in crate::meta) fn claim(db: &Connection, id: JobId) -> Outcome<(Job, Lease)> {
    let number: Option<i64> = db
        .prepare_cached(
            "UPDATE job SET state = 'running', lease = lease + 1, attempts = attempts + 1,
                started_ms = ?2
             WHERE id = ?1 AND state = 'queued' RETURNING lease",
        )?
        .query_row((id.0, clock::now_ms()), |row| row.get(0))
        .optional()?;
    let job = get(db, id)?;
    match number {
        Some(number) => {
            callbacks::job_changed(db, id)?;
            Ok((job, Lease { job: id, number }))
        }
        None => Err(Error::JobState { job: id, state: job.state }.into()),
    }
}

pub(in crate::meta) fn requeue(db: &Connection, lease: Lease) -> Outcome<()> {
    let changed = db
        .prepare_cached(
            "UPDATE job SET state = 'queued' WHERE id = ?1 AND lease = ?2 AND state = 'running'",
        )?
        .execute((lease.job.0, lease.number))?;
    if changed == 0 {
        return Err(lost(lease));
    }
    callbacks::job_changed(db, lease.job)?;
    publications::discard_building_of(db, lease.job)
}

pub(in crate::meta) fn finish(db: &Connection, lease: Lease, end: &JobEnd) -> Outcome<Job> {
    if !end.state.is_end() {
        return Err(Error::JobState { job: lease.job, state: end.state }.into());
    }
    let changed = db
        .prepare_cached(&format!(
            "UPDATE job SET state = ?3, finished_ms = ?4, problem = ?5, result = ?6, checkpoint = NULL,
                arguments = {ENDED_ARGUMENTS}
             WHERE id = ?1 AND lease = ?2 AND state = 'running'",
        ))?
        .execute((
            lease.job.0,
            lease.number,
            end.state.as_str(),
            clock::now_ms(),
            &end.problem,
            &end.result,
        ))?;
    if changed == 0 {
        return Err(lost(lease));
    }
    publications::discard_building_of(db, lease.job)?;
    callbacks::job_changed(db, lease.job)?;
    let job = get(db, lease.job)?;
    schedules::job_ended(db, &job)?;
    Ok(job)
}

pub(in crate::meta) fn cancel_queued(db: &Connection, id: JobId) -> Outcome<Option<Job>> {
    let changed = db
        .prepare_cached(&format!(
            "UPDATE job SET state = 'cancelled', finished_ms = ?2, arguments = {ENDED_ARGUMENTS}
             WHERE id = ?1 AND state IN ('queued', 'blocked')",
        ))?
        .execute((id.0, clock::now_ms()))?;
    if changed == 0 {
        return Ok(None);
    }
    callbacks::job_changed(db, id)?;
    let job = get(db, id)?;
    schedules::job_ended(db, &job)?;
    Ok(Some(job))
}

pub(in crate::meta) fn save_checkpoint(
    db: &Connection,
    lease: Lease,
    checkpoint: &[u8],
) -> Outcome<()> {
    check(db, lease)?;
    db.prepare_cached("UPDATE job SET checkpoint = ?2 WHERE id = ?1")?
        .execute((lease.job.0, checkpoint))?;
    Ok(())
}

/// The oldest job on a repository or an attachment that has not ended. `column` is one of the table.
pub(super) fn open_on(db: &Connection, column: &str, id: i64) -> Outcome<Option<JobId>> {
    let sql = format!(
        "SELECT min(id) FROM job
         WHERE {column} = ?1 AND state IN ('queued', 'blocked', 'running', 'cancelling')"
    );
    let oldest: Option<i64> = db.query_row(&sql, [id], |row| row.get(0))?;
    Ok(oldest.map(JobId))
}

pub(in crate::meta) fn by_id(db: &Connection, id: JobId) -> Outcome<Option<Job>> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM job WHERE id = ?1"))?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(read).transpose()
}

fn get(db: &Connection, id: JobId) -> Outcome<Job> {
    by_id(db, id)?.ok_or_else(|| Error::not_found(Thing::Job, &id).into())
}

pub(in crate::meta) fn queued(db: &Connection) -> Outcome<Vec<Job>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM job
         WHERE state IN ('queued', 'blocked', 'running', 'cancelling') AND state = 'queued'
         ORDER BY id"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(read(row)?);
    }
    Ok(jobs)
}

pub(in crate::meta) fn filtered(db: &Connection, filter: &JobFilter) -> Outcome<Vec<Job>> {
    let mut sql = format!("SELECT {COLUMNS} FROM job WHERE id < ?1");
    let mut values: Vec<rusqlite::types::Value> =
        vec![filter.before.map_or(i64::MAX, |id| id.0).into()];
    let mut only = |condition: &str, value: rusqlite::types::Value| {
        values.push(value);
        sql.push_str(" AND ");
        sql.push_str(condition);
        sql.push_str(" ?");
        sql.push_str(&values.len().to_string());
    };
    if let Some(name) = &filter.repository {
        only("repository_name =", name.clone().into());
    }
    if let Some(id) = filter.of {
        only("repository =", id.0.into());
    }
    if let Some(operation) = &filter.operation {
        only("operation =", operation.clone().into());
    }
    if let Some(since) = filter.since_ms {
        only("finished_ms >=", since.into());
    }
    if let Some(until) = filter.until_ms {
        only("finished_ms <", until.into());
    }
    if filter.ended {
        sql.push_str(" AND state NOT IN ('queued', 'blocked', 'running', 'cancelling')");
    }
    if filter.in_earnest {
        sql.push_str(" AND ifnull(json_extract(arguments, '$.dry_run'), 0) = 0");
    }
    if !filter.states.is_empty() {
        let words: Vec<String> =
            filter.states.iter().map(|state| format!("'{}'", state.as_str())).collect();
        sql.push_str(" AND state IN (");
        sql.push_str(&words.join(", "));
        sql.push(')');
    }
    sql.push_str(" ORDER BY id DESC LIMIT ");
    sql.push_str(&limit(filter.limit, 100).to_string());
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(read(row)?);
    }
    Ok(jobs)
}

pub(super) fn read(row: &Row<'_>) -> Outcome<Job> {
    let word: String = row.get(6)?;
    let state = JobState::from_word(&word)
        .ok_or_else(|| Error::Unreadable { what: "a job's state", problem: word.clone() })?;
    Ok(Job {
        id: JobId(row.get(0)?),
        operation: row.get(1)?,
        repository: row.get(2)?,
        repository_id: row.get::<_, Option<i64>>(3)?.map(RepositoryId),
        attachment: row.get::<_, Option<i64>>(4)?.map(AttachmentId),
        component: row.get(5)?,
        state,
        attempts: row.get(7)?,
        submitted_ms: row.get(8)?,
        started_ms: row.get(9)?,
        finished_ms: row.get(10)?,
        arguments: row.get(11)?,
        problem: row.get(12)?,
        result: row.get(13)?,
        checkpoint: row.get(14)?,
        asked_by: match (row.get(15)?, row.get(16)?) {
            (Some(schedule), _) => Asker::Schedule(ScheduleId(schedule)),
            (None, Some(job)) => Asker::Job(JobId(job)),
            (None, None) => Asker::User,
        },
        schedule_name: row.get(17)?,
    })
}
