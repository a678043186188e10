//! What running jobs hold on to: units and bytes that nothing in the database refers to yet.
//!
//! A job asks what is here, works for a while, and refers to it at the end; meanwhile nobody may take it away (F89).
//! Kept in memory only: a job that was cut off starts over, and holds nothing.
//!
//! Whoever takes away asks here on the database's writing thread, where jobs pin too, so that there is always one of
//! the two that comes first.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{Digest, JobId, UnitId};

/// The pins of all jobs. A cheap handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins {
    jobs: Arc<Mutex<HashMap<JobId, Held>>>,
}

#[derive(Debug, Default)]
struct Held {
    units: HashSet<UnitId>,
    bytes: HashSet<Digest>,
}

impl Pins {
    pub(crate) fn hold_units(&self, job: JobId, units: impl IntoIterator<Item = UnitId>) {
        self.jobs().entry(job).or_default().units.extend(units);
    }

    pub(crate) fn hold_bytes(&self, job: JobId, bytes: impl IntoIterator<Item = Digest>) {
        self.jobs().entry(job).or_default().bytes.extend(bytes);
    }

    /// A job refers to these bytes now, or does not want them any more.
    pub(crate) fn let_go(&self, job: JobId, bytes: Digest) {
        if let Some(held) = self.jobs().get_mut(&job) {
            held.bytes.remove(&bytes);
        }
    }

    /// A job's attempt is over.
    pub(crate) fn release(&self, job: JobId) {
        self.jobs().remove(&job);
    }

    pub(crate) fn holds_unit(&self, unit: UnitId) -> bool {
        self.jobs().values().any(|held| held.units.contains(&unit))
    }

    /// Does this unless somebody holds the bytes; nobody begins to hold them meanwhile.
    pub(crate) fn unless_held<T>(&self, bytes: Digest, act: impl FnOnce() -> T) -> Option<T> {
        let jobs = self.jobs();
        let held = jobs.values().any(|held| held.bytes.contains(&bytes));
        if held { None } else { Some(act()) }
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<JobId, Held>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
