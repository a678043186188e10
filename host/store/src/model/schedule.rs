//! Work that the server begins by itself. What a rule means is not known here.

use super::{JobId, RepositoryId, RepositoryName};

/// A schedule as it is stored. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its number.
    pub id: super::ScheduleId,
    /// Its name.
    pub name: String,
    /// What it works on.
    pub repository: RepositoryId,
    /// The name of that.
    pub repository_name: String,
    /// sync or publish.
    pub operation: String,
    /// When it is due, in its user's words.
    pub rule: String,
    /// The time zone whose calendar the rule means.
    pub zone: String,
    /// Nothing is due before.
    pub start_ms: i64,
    /// What each run is asked to do: a JSON object.
    pub arguments: String,
    /// Failed runs in a row after which it is switched off; None: any number.
    pub threshold: Option<u32>,
    /// Runs to come; None: any number.
    pub remaining: Option<u64>,
    /// Whether it begins anything.
    pub enabled: bool,
    /// Why it was switched off; None: by hand.
    pub reason: Option<String>,
    /// Runs so far.
    pub runs: u64,
    /// Failed runs in a row.
    pub failures: u32,
    /// Its first run.
    pub first_ms: Option<i64>,
    /// Its last run.
    pub last_ms: Option<i64>,
    /// The first job of its last run.
    pub last_job: Option<JobId>,
    /// Why the last time that was due brought no run; None: it did.
    pub note: Option<String>,
    /// When it is due next.
    pub next: Planned,
}

/// When a schedule is due next, and what the clock said when that was reckoned: a clock may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Due then; None: never again.
    pub next_ms: Option<i64>,
    /// Reckoned then.
    pub at_ms: i64,
}

/// A schedule to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchedule {
    /// Its name.
    pub name: RepositoryName,
    /// What it works on.
    pub repository: RepositoryId,
    /// sync or publish.
    pub operation: String,
    /// When it is due, in its user's words.
    pub rule: String,
    /// The time zone whose calendar the rule means.
    pub zone: String,
    /// Nothing is due before.
    pub start_ms: i64,
    /// What each run is asked to do: a JSON object.
    pub arguments: String,
    /// Failed runs in a row after which it is switched off; None: any number.
    pub threshold: Option<u32>,
    /// Runs to come; None: any number.
    pub remaining: Option<u64>,
    /// When it is due first.
    pub next: Planned,
}

/// What came of a time that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fired {
    /// These jobs wait for their turn now.
    Started(Vec<super::Job>),
    /// Nothing was begun, for this reason.
    Skipped(String),
    /// The schedule was changed meanwhile.
    Changed,
}
