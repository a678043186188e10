//! The handle on one running plugin process.
//!
//! [`Shared`] is what the process' tasks need; [`Process`] is what callers hold, and owns those
//! tasks. With the last handle the tree dies.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::{OnceCell, broadcast};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use wharf_proto::handshake::Network;

use super::health::{self, Health};
use super::host_services::{self, HostServices, PeerProcess};
use super::stop::{StopTimes, Stopped};
use super::{heartbeat, stdio};
use crate::error::Error;
use crate::exit::{ByHost, Exit};
use crate::launch::output::{LogLine, Logs};
use crate::launch::tree::Tree;

/// How long the last lines of standard error may lag behind the end of the process.
const STDERR_GRACE: Duration = Duration::from_millis(500);

/// What was agreed on at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake {
    /// The application protocol version that the plugin chose.
    pub app_version: u32,
    /// The kind of socket that it listens on.
    pub network: Network,
    /// Whether the connection is encrypted and both sides are authenticated.
    pub tls: bool,
    /// From the wish to start to the first answer.
    pub took: Duration,
}

/// Whether a process may be given to somebody else when its user is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Taint {
    None = 0,
    /// A call was called off; the plugin may still be busy with it.
    Cancelled = 1,
    /// It broke the contract or does not answer.
    Fault = 2,
}

/// What the tasks of a process share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) tree: Tree,
    pub(crate) logs: Arc<Logs>,
    /// Cancelled when standard error has been read to its end.
    pub(crate) stderr_read: CancellationToken,
    by_host: Mutex<Option<ByHost>>,
    taint: AtomicU8,
}

impl Shared {
    pub(crate) fn new(name: String, id: u64, tree: Tree, logs: Arc<Logs>) -> Self {
        Self {
            name,
            id,
            tree,
            logs,
            stderr_read: CancellationToken::new(),
            by_host: Mutex::new(None),
            taint: AtomicU8::new(Taint::None as u8),
        }
    }

    /// Kills the tree and remembers why, unless the process had ended or was being ended already.
    pub(crate) fn kill(&self, why: ByHost) {
        self.blame(why);
        self.tree.kill();
    }

    /// Remembers why the host ends the process. The first reason stays.
    pub(crate) fn blame(&self, why: ByHost) {
        if self.tree.status().is_none() {
            self.by_host.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        }
    }

    pub(crate) async fn wait(&self) -> Exit {
        let status = self.tree.ended().await;
        tokio::time::timeout(STDERR_GRACE, self.stderr_read.cancelled()).await.ok();
        self.exit(status)
    }

    pub(crate) fn exit(&self, status: ExitStatus) -> Exit {
        let by_host = *self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        Exit::new(status, by_host, self.logs.tail())
    }
}

/// What a start hands over to the handle.
pub(crate) struct Parts {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) channel: Channel,
    pub(crate) handshake: Handshake,
    pub(crate) folder: PathBuf,
    pub(crate) stop_times: StopTimes,
    pub(crate) heartbeat: Option<(Duration, Duration)>,
    pub(crate) max_message_bytes: usize,
    pub(crate) host_services: Option<HostServices>,
}

/// A running plugin process. Clones are handles on the same process; with the last one the whole
/// process tree is killed.
#[derive(Clone, Debug)]
pub struct Process(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    channel: Channel,
    handshake: Handshake,
    folder: PathBuf,
    host_address: Option<String>,
    max_message_bytes: usize,
    stop_times: StopTimes,
    stopped: OnceCell<Stopped>,
    tasks: Mutex<JoinSet<()>>,
}

impl Process {
    /// Takes over a process that answers, and starts what runs beside it.
    ///
    /// # Errors
    /// `config`: the socket of the host's services cannot be made.
    pub(crate) fn assemble(parts: Parts) -> Result<Self, Error> {
        let Parts { shared, mut tasks, channel, folder, .. } = parts;
        let mut host_address = None;
        if let Some(services) = parts.host_services {
            let path = folder.join(host_services::SOCKET);
            let listener = UnixListener::bind(&path).map_err(|source| {
                Error::config(format!("the socket {} cannot be made", path.display()), source)
            })?;
            host_address = Some(format!("unix://{}", path.display()));
            let peer = PeerProcess { plugin: shared.name.clone(), instance: shared.id };
            tasks.spawn(host_services::serve(listener, services, peer));
        }
        tasks.spawn(stdio::drain(channel.clone(), Arc::clone(&shared.logs)));
        if let Some((every, patience)) = parts.heartbeat {
            let beat = heartbeat::beat(Arc::clone(&shared), channel.clone(), every, patience);
            tasks.spawn(beat);
        }
        Ok(Self(Arc::new(Inner {
            shared,
            channel,
            handshake: parts.handshake,
            folder,
            host_address,
            max_message_bytes: parts.max_message_bytes,
            stop_times: parts.stop_times,
            stopped: OnceCell::new(),
            tasks: Mutex::new(tasks),
        })))
    }

    /// The plugin's name, as it was given at the start.
    pub fn name(&self) -> &str {
        &self.0.shared.name
    }

    /// A number that no other process of this host has: [`PeerProcess::instance`].
    pub fn id(&self) -> u64 {
        self.0.shared.id
    }

    /// The plugin's process id. For people; processes are ended through this handle only.
    pub fn pid(&self) -> u32 {
        self.0.shared.tree.pid()
    }

    /// The gRPC connection, to be given to generated clients. Cloning it is cheap.
    pub fn channel(&self) -> Channel {
        self.0.channel.clone()
    }

    /// The largest message that the plugin may send in answer to a call of [`crate::calls`].
    pub fn max_message_bytes(&self) -> usize {
        self.0.max_message_bytes
    }

    /// What was agreed on at the start.
    pub fn handshake(&self) -> &Handshake {
        &self.0.handshake
    }

    /// Where the plugin reaches the host's services: `unix:///...` in its private folder. `None`:
    /// the host offers none.
    pub fn host_address(&self) -> Option<&str> {
        self.0.host_address.as_deref()
    }

    /// The plugin's private folder, gone when the process is.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// How the process ended, if it has.
    pub fn exited(&self) -> Option<Exit> {
        self.0.shared.tree.status().map(|status| self.0.shared.exit(status))
    }

    /// Waits for the end of the process. It is noticed at once, whoever still holds its pipes.
    pub async fn wait(&self) -> Exit {
        self.0.shared.wait().await
    }

    /// The last lines of standard error, oldest first, at most 20.
    pub fn stderr_tail(&self) -> Vec<String> {
        self.0.shared.logs.tail()
    }

    /// All lines from now on that the plugin logs. A listener that falls 1,024 lines behind loses
    /// some and is told how many.
    pub fn logs(&self) -> broadcast::Receiver<LogLine> {
        self.0.shared.logs.listen()
    }

    /// Asks for a sign of life. A plugin without a health service is alive if it answers at all.
    ///
    /// # Errors
    /// `unresponsive`: no answer within `deadline`. `crashed`: it has ended. `handshake`: it says that it does not
    /// serve.
    pub async fn ping(&self, deadline: Duration) -> Result<(), Error> {
        let plugin = self.name().to_owned();
        match tokio::time::timeout(deadline, health::check(self.channel())).await {
            Ok(Health::Serving | Health::Missing) => Ok(()),
            Ok(Health::NotServing(status)) => Err(Error::Handshake {
                plugin,
                problem: format!("its health service says {status}"),
                exit: None,
                stderr: self.stderr_tail(),
            }),
            Ok(Health::Failed(problem)) => match self.exited() {
                Some(exit) => Err(Error::Crashed { plugin, exit }),
                None => Err(Error::Handshake {
                    plugin,
                    problem: format!("its health service failed: {problem}"),
                    exit: None,
                    stderr: self.stderr_tail(),
                }),
            },
            Err(_elapsed) => Err(Error::Unresponsive { plugin, after: deadline }),
        }
    }

    /// Ends the process in order: the `Shutdown` call and its grace, `SIGTERM` and its grace,
    /// `SIGKILL` of the tree. Returns when nothing is left of it. A second call returns what the
    /// first one found.
    ///
    /// # Cancel safety
    /// A dropped call leaves off where it is; the next one begins anew.
    pub async fn stop(&self) -> Stopped {
        self.0.stopped.get_or_init(|| super::stop::ladder(self)).await.clone()
    }

    /// Kills the whole tree at once. [`Process::wait`] tells when it is done.
    pub fn kill(&self) {
        self.0.shared.kill(ByHost::Killed);
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(super) fn stop_times(&self) -> StopTimes {
        self.0.stop_times
    }

    /// Ends and joins what runs beside the process.
    pub(super) async fn join_tasks(&self) {
        let mut tasks =
            std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }

    pub(crate) fn taint(&self) -> Taint {
        match self.0.shared.taint.load(Ordering::Relaxed) {
            0 => Taint::None,
            1 => Taint::Cancelled,
            _ => Taint::Fault,
        }
    }

    /// A worse taint is never washed off by a lesser one.
    pub(crate) fn set_taint(&self, taint: Taint) {
        self.0.shared.taint.fetch_max(taint as u8, Ordering::Relaxed);
    }

    /// The process' end as a future that does not borrow the handle.
    pub(crate) fn end(&self) -> impl Future<Output = Exit> + Send + use<> {
        let shared = Arc::clone(&self.0.shared);
        async move { shared.wait().await }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.kill(ByHost::Killed);
    }
}
