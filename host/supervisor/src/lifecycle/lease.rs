//! A process that is lent.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use wharf_proto::v1::DescribeResponse;

use super::supervisor::{Key, Shared};
use crate::connect::Process;

/// The right to use a process; dropping it gives the process back.
///
/// A process whose call was called off, broke the contract or was not answered is not lent again:
/// it is ended when its last user is done. So is one that has done its share:
/// [`crate::Config::max_leases`] and the two limits beside it.
pub struct Lease {
    pub(super) process: Process,
    pub(super) description: Arc<DescribeResponse>,
    pub(super) shared: Arc<Shared>,
    pub(super) key: Key,
    pub(super) discard: AtomicBool,
    /// For ending it in the background.
    pub(super) runtime: Handle,
}

impl Lease {
    /// What the plugin says about itself; it agrees with its manifest.
    pub fn description(&self) -> &DescribeResponse {
        &self.description
    }

    /// The process is not lent again, and ended when its last user is done.
    pub fn discard(&self) {
        self.discard.store(true, Ordering::Relaxed);
    }
}

impl Deref for Lease {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("process", &self.process).finish_non_exhaustive()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let discard = self.discard.load(Ordering::Relaxed);
        self.shared.give_back(&self.key, &self.process, discard, &self.runtime);
    }
}
