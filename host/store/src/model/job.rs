//! Jobs and the leases under which they write.

use serde::{Deserialize, Serialize};

use super::{AttachmentId, JobId, NewCallback, RepositoryId, ScheduleId};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum JobState {
    /// It waits for its turn.
    Queued,
    /// It waits for something else.
    Blocked,
    /// It runs.
    Running,
    /// It runs and was asked to stop.
    Cancelling,
    /// All went well.
    Succeeded,
    /// It ended, but some items failed or were skipped.
    Partial,
    /// It did not work.
    Failed,
    /// It was stopped because someone asked.
    Cancelled,
    /// What it depends on did not work.
    Skipped,
    /// The host died while it ran.
    Interrupted,
}

impl JobState {
    const ALL: [Self; 10] = [
        Self::Queued,
        Self::Blocked,
        Self::Running,
        Self::Cancelling,
        Self::Succeeded,
        Self::Partial,
        Self::Failed,
        Self::Cancelled,
        Self::Skipped,
        Self::Interrupted,
    ];

    /// The word for it, as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Blocked => "blocked",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether nothing more will happen to the job.
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Queued | Self::Blocked | Self::Running | Self::Cancelling)
    }

    /// The state that this word means.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl std::fmt::Display for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// sync, publish, ...
    pub operation: String,
    /// The name of its repository. Stays when the repository is deleted.
    pub repository: Option<String>,
    /// Its repository, while that exists.
    pub repository_id: Option<RepositoryId>,
    /// Its attachment, while that exists.
    pub attachment: Option<AttachmentId>,
    /// The component that does it: `file.importer`. Stays when the attachment is gone.
    pub component: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// How often it was started.
    pub attempts: u32,
    /// Milliseconds since 1970.
    pub submitted_ms: i64,
    /// Milliseconds since 1970, of the last attempt.
    pub started_ms: Option<i64>,
    /// Milliseconds since 1970.
    pub finished_ms: Option<i64>,
    /// What it was asked to do: a JSON object.
    pub arguments: String,
    /// Why it did not work: a JSON object.
    pub problem: Option<String>,
    /// What it did: a JSON object.
    pub result: Option<String>,
    /// Where it was, for its next attempt.
    pub checkpoint: Option<Vec<u8>>,
    /// Who asked for it.
    pub asked_by: Asker,
    /// How the schedule is called that asked for it, while there is such a one.
    pub schedule_name: Option<String>,
}

/// Who asked for a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Asker {
    /// Someone who used the program or the API.
    #[default]
    User,
    /// A schedule.
    Schedule(ScheduleId),
    /// Another job, when it had done its work.
    Job(JobId),
}

/// A job to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// sync, publish, ...
    pub operation: String,
    /// What it works on.
    pub repository: Option<RepositoryId>,
    /// Who does it.
    pub attachment: Option<AttachmentId>,
    /// What it is asked to do: a JSON object.
    pub arguments: String,
    /// Who is told how it goes.
    pub callbacks: Vec<NewCallback>,
}

/// The right to write for a job. Each attempt has its own number; one that is not the last has no effect any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The attempt.
    pub number: i64,
}

/// How a job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEnd {
    /// An end: succeeded, partial, failed, cancelled, skipped or interrupted.
    pub state: JobState,
    /// Why it did not work: a JSON object.
    pub problem: Option<String>,
    /// What it did: a JSON object.
    pub result: Option<String>,
}

/// Which jobs are wanted. The newest come first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of the repository with this name, or one that had it before.
    pub repository: Option<String>,
    /// Of this very repository.
    pub of: Option<RepositoryId>,
    /// Of this operation.
    pub operation: Option<String>,
    /// Only those that have ended.
    pub ended: bool,
    /// Only those that were no dry runs.
    pub in_earnest: bool,
    /// Ended at this time or later: milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Ended before this time: milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// In one of these states; empty: in any.
    pub states: Vec<JobState>,
    /// Older than this one.
    pub before: Option<JobId>,
    /// At most so many; 0: 100.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_one_word_each() {
        for state in JobState::ALL {
            assert_eq!(JobState::from_word(state.as_str()), Some(state));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
            assert_eq!(serde_json::from_str::<JobState>(&json).unwrap(), state);
        }
        assert_eq!(JobState::from_word("done"), None);
    }
}
