//! How many transfers run at once, in all and from one host, and which hosts asked for a pause.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

/// Hosts remembered before the unused ones are forgotten.
const HOSTS: usize = 1024;

#[derive(Debug)]
pub(super) struct Gate {
    total: Arc<Semaphore>,
    per_host: usize,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

#[derive(Debug)]
struct Host {
    permits: Arc<Semaphore>,
    paused: Mutex<Option<Instant>>,
}

/// The right to one transfer, while it lives.
#[derive(Debug)]
pub(super) struct Pass {
    _host: Option<OwnedSemaphorePermit>,
    _total: Option<OwnedSemaphorePermit>,
}

impl Gate {
    pub(super) fn new(total: usize, per_host: usize) -> Self {
        Self {
            total: Arc::new(Semaphore::new(total.clamp(1, Semaphore::MAX_PERMITS))),
            per_host: per_host.clamp(1, Semaphore::MAX_PERMITS),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a free place at this host, then for one in all.
    pub(super) async fn enter(&self, host: &str) -> Pass {
        let host = self.host(host);
        loop {
            let paused = *host.paused.lock().unwrap_or_else(PoisonError::into_inner);
            match paused {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => break,
            }
        }
        // The semaphores are never closed, so both are permits.
        let own = Arc::clone(&host.permits).acquire_owned().await.ok();
        Pass { _host: own, _total: Arc::clone(&self.total).acquire_owned().await.ok() }
    }

    /// Waits for a free place in all, for what comes from no host.
    pub(super) async fn enter_local(&self) -> Pass {
        Pass { _host: None, _total: Arc::clone(&self.total).acquire_owned().await.ok() }
    }

    /// Lets nobody in to this host for a while.
    pub(super) fn pause(&self, host: &str, time: Duration) {
        let host = self.host(host);
        let until = Instant::now() + time;
        let mut paused = host.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if paused.is_none_or(|other| other < until) {
            *paused = Some(until);
        }
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        if hosts.len() >= HOSTS {
            hosts.retain(|_, host| {
                Arc::strong_count(host) > 1 || Arc::strong_count(&host.permits) > 1
            });
        }
        let host = Arc::new(Host {
            permits: Arc::new(Semaphore::new(self.per_host)),
            paused: Mutex::default(),
        });
        hosts.insert(name.to_owned(), Arc::clone(&host));
        host
    }
}
