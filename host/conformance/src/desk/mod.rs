//! Service `Host`, played: what one plugin process may ask, and what it is answered by its job's [`Script`].
//!
//! [`Desk`] knows the jobs by their tokens and notes what each asked; `service` answers. Never reaches further than
//! the samples, and nothing of it outlives the process that it was made for.

mod downloads;
mod query;
mod service;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::service::Routes;
use wharf_proto::v1;
use wharf_proto::v1::host_server::HostServer;
use wharf_supervisor::Process;

use crate::sample::Sample;
use crate::units::Stock;

/// The calls that are offered, as plugins are told of them.
pub(crate) const FEATURES: &[&str] = &[
    "host.QueryUnits",
    "host.HasArtifacts",
    "host.OpenArtifact",
    "host.Download",
    "host.GetState",
    "host.PutState",
    "host.GetSettings",
    "host.GetSecret",
    "host.WatchCancel",
];

/// How a job is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// As a host does.
    Good,
    /// Every call ends with this.
    Refuse(Code),
    /// Units and downloads never come.
    Hold,
    /// Every download is a file of no bytes.
    Empty,
    /// Every download is noise.
    Garbage,
}

/// All jobs of one process.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    jobs: Mutex<HashMap<String, Arc<Job>>>,
    count: AtomicU64,
    /// Tokens of ended jobs, and who showed them again.
    ended: Mutex<Vec<String>>,
    strangers: Mutex<Vec<String>>,
}

/// What one job may have, and what it asked.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) token: String,
    pub(crate) number: u64,
    pub(crate) folder: PathBuf,
    pub(crate) script: Script,
    pub(crate) stock: Arc<Stock>,
    pub(crate) cancel: CancellationToken,
    sample: Sample,
    state: Mutex<HashMap<String, (u64, Vec<u8>)>>,
    asked: Mutex<Vec<&'static str>>,
    staged: AtomicU64,
    /// How many answers are held back now.
    held: watch::Sender<usize>,
}

/// A job that ends with this.
#[derive(Debug)]
pub(crate) struct Open {
    desk: Arc<Desk>,
    pub(crate) job: Arc<Job>,
}

impl Desk {
    /// The service, for one process.
    pub(crate) fn routes(self: &Arc<Self>) -> Routes {
        Routes::new(HostServer::new(service::Service(Arc::clone(self))))
    }

    /// A new job that works in a folder below `work`.
    pub(crate) fn open(
        self: &Arc<Self>,
        work: &Path,
        (sample, stock): (Sample, Arc<Stock>),
        script: Script,
    ) -> std::io::Result<Open> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let folder = tempfile::Builder::new().prefix("job-").tempdir_in(work)?.keep();
        let token = format!("verify-{number}-{}", folder.display());
        let job = Arc::new(Job {
            token: token.clone(),
            number,
            folder,
            script,
            stock,
            cancel: CancellationToken::new(),
            sample,
            state: Mutex::default(),
            asked: Mutex::default(),
            staged: AtomicU64::default(),
            held: watch::Sender::new(0),
        });
        lock(&self.jobs).insert(token, Arc::clone(&job));
        Ok(Open { desk: Arc::clone(self), job })
    }

    /// Which wrong tokens were shown, in words.
    pub(crate) fn strangers(&self) -> Vec<String> {
        lock(&self.strangers).clone()
    }

    fn job(&self, token: Option<&str>, call: &'static str) -> Option<Arc<Job>> {
        let found = token.and_then(|token| lock(&self.jobs).get(token).cloned());
        match (&found, token) {
            (Some(job), _) => lock(&job.asked).push(call),
            (None, None) => lock(&self.strangers).push(format!("{call} came without a token")),
            (None, Some(token)) => {
                let is_old = lock(&self.ended).iter().any(|ended| ended == token);
                let which =
                    if is_old { "the token of a job that is over" } else { "an unknown token" };
                lock(&self.strangers).push(format!("{call} came with {which}"));
            }
        }
        found
    }
}

impl Job {
    /// What a call of the job is told about it.
    pub(crate) fn context(&self, process: &Process) -> v1::JobContext {
        v1::JobContext {
            host_address: process.host_address().unwrap_or_default().to_owned(),
            token: self.token.clone(),
            job: self.number,
            deadline_ms: 0,
            work_dir: self.folder.display().to_string(),
            traceparent: String::new(),
            attempt: 1,
        }
    }

    /// What a hook is told that the step is about.
    pub(crate) fn subject_text(&self, hook: &str) -> String {
        self.sample.subject_text(hook)
    }

    /// The calls so far.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        lock(&self.asked).clone()
    }

    /// Waits until an answer is held back.
    pub(crate) async fn is_held(&self) {
        // The sender lives as long as this job.
        drop(self.held.subscribe().wait_for(|held| *held > 0).await);
    }

    /// Waits until nobody waits for a held answer any more.
    pub(crate) async fn is_let_go(&self) {
        drop(self.held.subscribe().wait_for(|held| *held == 0).await);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.job.cancel.cancel();
        lock(&self.desk.jobs).remove(&self.job.token);
        lock(&self.desk.ended).push(self.job.token.clone());
    }
}

/// Counts one held answer for as long as somebody waits for it.
struct Held(Arc<Job>);

impl Held {
    fn new(job: &Arc<Job>) -> Self {
        job.held.send_modify(|held| *held += 1);
        Self(Arc::clone(job))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.send_modify(|held| *held -= 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
