//! What a job holds while it works: locks, places in queues, space.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use wharf_proto::v1;

use super::Host;
use crate::Error;

/// What giving back may take. The host gives everything back at the end of the job anyway.
const GIVING_BACK: Duration = Duration::from_secs(5);

/// Something that a job wants to hold until it gives it back, or ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    wire: v1::AcquireRequest,
}

impl Claim {
    /// A lock of this name: one job at a time holds it.
    pub fn lock(name: impl Into<String>) -> Self {
        Self::new("lock", name.into(), 0)
    }

    /// So many places in a queue.
    pub fn queue(name: impl Into<String>, places: u64) -> Self {
        Self::new("queue", name.into(), places)
    }

    /// Room on the disk that the host's folders of jobs lie on, in bytes.
    pub fn space(bytes: u64) -> Self {
        Self::new("space", String::new(), bytes)
    }

    fn new(kind: &str, name: String, amount: u64) -> Self {
        Self { wire: v1::AcquireRequest { kind: kind.to_owned(), name, amount, wait_ms: 0 } }
    }

    /// How long to wait for it; not at all without this.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wire.wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self
    }
}

/// Something that the job holds.
///
/// It is held as long as this lives: dropping it gives it back behind the author's back, by a task of the plugin that
/// waits at most five seconds for the host. [`Grant::release`] does the same at a certain moment, and tells how it went.
/// Whatever is not given back so, of a plugin that crashes for example, the host takes back at the end of the job.
#[derive(Debug)]
#[must_use = "dropping it gives it back"]
pub struct Grant {
    number: u64,
    /// Taken by whoever gives it back.
    host: Option<Host>,
    tasks: TaskTracker,
    runtime: Handle,
}

impl Grant {
    /// The host's number of it, for logs.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Gives it back now. Works while the call is being cancelled too: others may be waiting for it.
    ///
    /// # Errors
    /// What the host says; it then stays taken until the job ends.
    pub async fn release(mut self) -> Result<(), Error> {
        match self.host.take() {
            Some(host) => host.release(self.number).await,
            None => Ok(()),
        }
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        let Some(host) = self.host.take() else { return };
        let number = self.number;
        let giving_back = async move {
            if let Err(error) = host.release(number).await {
                tracing::debug!(number, %error, "a dropped claim is left to the end of the job");
            }
        };
        self.tasks.spawn_on(giving_back, &self.runtime);
    }
}

impl Host {
    /// `tasks`: who owns the task that gives a dropped claim back.
    pub(crate) async fn acquire(&self, claim: Claim, tasks: TaskTracker) -> Result<Grant, Error> {
        let answer = self.client()?.acquire(claim.wire).await;
        let answer = answer.map_err(|status| Error::from_status("Acquire", &status))?;
        let (number, host) = (answer.into_inner().grant, Some(self.clone()));
        Ok(Grant { number, host, tasks, runtime: Handle::current() })
    }

    async fn release(&self, grant: u64) -> Result<(), Error> {
        let mut client = self.client()?;
        let answer = client.release(v1::ReleaseRequest { grant });
        match tokio::time::timeout(GIVING_BACK, answer).await {
            Ok(Ok(_empty)) => Ok(()),
            Ok(Err(status)) => Err(Error::from_status("Release", &status)),
            Err(_elapsed) => {
                let message = format!("the host did not answer Release within {GIVING_BACK:?}");
                Err(Error::operation("internal.host", message).retryable())
            }
        }
    }
}
