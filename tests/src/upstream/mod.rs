//! An upstream that misbehaves as a test says, request by request: the server of `wharf plugin testbed`, with tricks that
//! are played once or always.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wharf_conformance::upstream::{self, Plan};

pub use wharf_conformance::upstream::{Seen, Trick};

use crate::wait;

/// A running server.
pub struct Upstream {
    server: upstream::Upstream,
    tricks: Arc<Mutex<Tricks>>,
}

#[derive(Default)]
struct Tricks {
    once: HashMap<String, VecDeque<Trick>>,
    always: HashMap<String, Trick>,
}

impl Upstream {
    /// Serves the files below a folder.
    pub fn of(folder: &Path) -> Self {
        let tricks: Arc<Mutex<Tricks>> = Arc::default();
        let told = Arc::clone(&tricks);
        let choose = move |seen: &Seen| {
            let trick = lock(&told).next(&seen.path);
            Plan::File { path: seen.path.clone(), trick }
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = upstream::Upstream::serve(folder, address, choose);
        Self { server: server.expect("loopback has free ports"), tricks }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address())
    }

    /// Answers the next requests for a path so, one trick a request; then properly again.
    pub fn once(&self, path: &str, tricks: impl IntoIterator<Item = Trick>) {
        lock(&self.tricks).once.entry(path.to_owned()).or_default().extend(tricks);
    }

    /// Answers every request for a path so.
    pub fn always(&self, path: &str, trick: Trick) {
        lock(&self.tricks).always.insert(path.to_owned(), trick);
    }

    /// Answers all requests properly again.
    pub fn behave(&self) {
        *lock(&self.tricks) = Tricks::default();
    }

    /// How many requests there were for a path.
    pub fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path == path).count()
    }

    /// How many requests there were in all.
    pub fn total(&self) -> usize {
        self.seen().len()
    }

    /// Waits for a request for this path.
    ///
    /// # Panics
    /// When none comes.
    pub fn wait_for(&self, path: &str) {
        assert!(self.is_asked_for(path, wait::PATIENCE), "nobody asked for {path}");
    }
}

impl Deref for Upstream {
    type Target = upstream::Upstream;

    fn deref(&self) -> &upstream::Upstream {
        &self.server
    }
}

impl Tricks {
    fn next(&mut self, path: &str) -> Option<Trick> {
        let once = self.once.get_mut(path).and_then(VecDeque::pop_front);
        once.or_else(|| self.always.get(path).cloned())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
