//! Which secrets a job was handed, and how often. Names only, never values; the counts become part of the job's record.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The counts of one attempt of a job.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    counts: Mutex<BTreeMap<String, u64>>,
}

impl Audit {
    /// A secret was handed out once more.
    pub(crate) fn count(&self, name: &str) {
        *self.counts().entry(name.to_owned()).or_default() += 1;
    }

    /// What was handed out so far.
    pub(crate) fn told(&self) -> BTreeMap<String, u64> {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
