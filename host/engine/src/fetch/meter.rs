//! Counters of running transfers, for progress and rates.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Counts what the transfers of one job do. A clone is the same meter; read it at any time from anywhere.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
    files: AtomicU64,
    weak: AtomicU64,
}

impl Meter {
    /// Bytes of bodies that arrived, those of attempts that failed included. Never falls.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Relaxed)
    }

    /// HTTP requests sent and local files opened, redirects and retries included.
    pub fn requests(&self) -> u64 {
        self.counts.requests.load(Relaxed)
    }

    /// Attempts beyond the first of a file.
    pub fn retries(&self) -> u64 {
        self.counts.retries.load(Relaxed)
    }

    /// Files that arrived whole and verified.
    pub fn files(&self) -> u64 {
        self.counts.files.load(Relaxed)
    }

    /// Of these, files that only MD5 or SHA-1 vouches for.
    pub fn weak(&self) -> u64 {
        self.counts.weak.load(Relaxed)
    }

    /// Counts bytes that came another way, from a plugin for instance.
    pub(crate) fn add_bytes(&self, count: usize) {
        self.counts.bytes.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn add_request(&self) {
        self.counts.requests.fetch_add(1, Relaxed);
    }

    pub(super) fn add_retry(&self) {
        self.counts.retries.fetch_add(1, Relaxed);
    }

    pub(super) fn add_weak(&self) {
        self.counts.weak.fetch_add(1, Relaxed);
    }

    pub(super) fn add_file(&self) {
        self.counts.files.fetch_add(1, Relaxed);
    }
}
