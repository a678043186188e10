//! Settles what a host left unfinished when it died (F165).

use rusqlite::Connection;

use super::jobs::ENDED_ARGUMENTS;
use super::{Outcome, callbacks, jobs, publications, schedules, staged};
use crate::clock;
use crate::model::{Job, JobId};

/// Attempts after which a job that was cut off is not tried again: it may be what kills the host (F178).
const ATTEMPTS: i64 = 2;

/// Whether there is anything to settle.
pub(in crate::meta) fn is_needed(db: &Connection) -> Outcome<bool> {
    Ok(db
        .prepare(
            "SELECT 1 FROM job
             WHERE state IN ('queued', 'blocked', 'running', 'cancelling')
                AND state = 'running'
             UNION ALL SELECT 1 FROM publication WHERE state = 0
             UNION ALL SELECT 1 FROM migrated_unit LIMIT 1",
        )?
        .exists([])?)
}

/// Settles it, and answers the jobs that were touched.
pub(in crate::meta) fn recover(db: &Connection) -> Outcome<Vec<Job>> {
    publications::discard_building(db)?;
    staged::clear(db)?;
    let mut statement = db.prepare(
        "SELECT id FROM job
         WHERE state IN ('queued', 'blocked', 'running', 'cancelling')
            AND state = 'running'
         ORDER BY id",
    )?;
    let ids = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    let mut touched = Vec::with_capacity(ids.len());
    for id in ids {
        db.execute(
            "UPDATE job SET state = 'queued'
             WHERE id = ?1 AND attempts < ?2 AND operation IN ('sync', 'publish', 'upload', 'migrate', 'build', 'push', 'unpublish', 'import_image')",
            (id, ATTEMPTS),
        )?;
        db.execute(
            &format!(
                "UPDATE job SET state = 'failed', finished_ms = ?2, problem = ?3,
                    arguments = {ENDED_ARGUMENTS}
                 WHERE id = ?1 AND state = 'running'"
            ),
            (id, clock::now_ms(), problem(id)),
        )?;
        callbacks::job_changed(db, JobId(id))?;
        if let Some(job) = jobs::by_id(db, JobId(id))? {
            schedules::job_ended(db, &job)?;
            touched.push(job);
        }
    }
    Ok(touched)
}

/// In the words of the engine's problems.
fn problem(id: i64) -> String {
    serde_json::json!({
        "class": "fault",
        "code": "interrupted",
        "message": format!("the host ended while job {id} ran"),
        "help": "nothing half-done is visible; start it again",
    })
    .to_string()
}
