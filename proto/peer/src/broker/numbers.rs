//! Numbers that are being accepted.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Clone, Default)]
pub(super) struct Numbers(Arc<Mutex<HashSet<u32>>>);

impl Numbers {
    /// `None`: somebody has it.
    pub(super) fn take(&self, id: u32) -> Option<Number> {
        self.lock().insert(id).then(|| Number { id, all: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that nobody else accepts, until this is dropped.
pub(crate) struct Number {
    id: u32,
    all: Numbers,
}

impl Drop for Number {
    fn drop(&mut self) {
        self.all.lock().remove(&self.id);
    }
}
