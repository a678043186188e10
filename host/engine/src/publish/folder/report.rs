//! What a run did to the user's folder, for the job's record.

use serde_json::{Value, json};

use super::decide::{Case, OnConflict, Resolution};
use crate::jobs::view::JobResult;

/// How many files a dry run names.
const NAMED: usize = 1_000;

/// What became of a file, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    New,
    Replaced,
    Unchanged,
    /// Changed here only: it stays.
    LocalChanged,
    /// Changed on both sides: it stays, by a decision.
    KeptLocal,
    /// Changed on both sides: it stays, and this lies beside it; empty in a dry run.
    Beside(String),
    /// Changed on both sides: nothing was done.
    Conflict,
    Deleted,
    /// Gone upstream: it stays.
    Kept,
}

impl Action {
    /// Of a case in which nothing was written: it needs nothing, or the run is dry.
    pub(super) fn of(case: Case, resolution: Option<Resolution>, on_conflict: OnConflict) -> Self {
        match (case, resolution, on_conflict) {
            (Case::New, ..) => Self::New,
            (Case::Unchanged | Case::Adopted, ..) => Self::Unchanged,
            (Case::RemoteChanged, ..) | (Case::LocalChanged, Some(Resolution::Remote), _) => {
                Self::Replaced
            }
            (Case::LocalChanged, ..) => Self::LocalChanged,
            (Case::BothChanged, Some(Resolution::Local), _) => Self::KeptLocal,
            (Case::BothChanged, Some(Resolution::Remote), _)
            | (Case::BothChanged, None, OnConflict::Overwrite) => Self::Replaced,
            (Case::BothChanged, None, OnConflict::Ask) => Self::Conflict,
            (Case::BothChanged, ..) => Self::Beside(String::new()),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::LocalChanged => "local_changed",
            Self::KeptLocal => "kept_local",
            Self::Beside(_) => "beside",
            Self::Conflict => "conflict",
            Self::Deleted => "deleted",
            Self::Kept => "kept",
        }
    }
}

/// All that a run did.
#[derive(Default)]
pub(super) struct Report {
    counts: std::collections::BTreeMap<&'static str, u64>,
    /// The first files that something was done with.
    files: Vec<Value>,
}

impl Report {
    pub(super) fn add(&mut self, local: &str, action: &Action) {
        *self.counts.entry(action.word()).or_default() += 1;
        let nothing = matches!(action, Action::Unchanged | Action::LocalChanged | Action::Kept);
        if !nothing && self.files.len() < NAMED {
            self.files.push(json!({ "path": local, "action": action.word() }));
        }
    }

    fn count(&self, word: &str) -> u64 {
        self.counts.get(word).copied().unwrap_or(0)
    }

    /// The job's result. What took the place of another counts as added and as removed, as everywhere.
    pub(super) fn into_result(self, folder: &str, dry_run: bool, result: JobResult) -> JobResult {
        let updated = self.count("replaced");
        let (new, deleted) = (self.count("new"), self.count("deleted"));
        let still = ["unchanged", "local_changed", "kept_local", "kept"];
        let mut summary = json!({ "folder": folder, "counts": self.counts });
        if dry_run {
            summary["files"] = Value::Array(self.files);
        }
        JobResult {
            added: new + updated,
            removed: deleted + updated,
            updated,
            unchanged: still.iter().map(|word| self.counts.get(word).copied().unwrap_or(0)).sum(),
            changed: !dry_run
                && new + updated + deleted + self.counts.get("beside").copied().unwrap_or(0) > 0,
            dry_run,
            summary: Some(summary),
            ..result
        }
    }
}
