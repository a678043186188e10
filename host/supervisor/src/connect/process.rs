//! The handle on one running plugin process. It owns the tasks that run beside the process; with the
//! last handle a process of our own dies.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, broadcast};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tonic::transport::Channel;
use wharf_peer::{Address, Broker};
use wharf_proto::handshake::{CORE_PROTOCOL, Network};

use super::health::{self, Health};
use super::reattach::Reattach;
use super::shared::{Shared, Taint};
use super::stop::{StopTimes, Stopped};
use crate::error::Error;
use crate::exit::{ByHost, Exit};
use crate::launch::hold::Hold;
use crate::launch::output::LogLine;

/// How long the end of a process may lag behind the end of its connection.
const END_GRACE: Duration = Duration::from_secs(1);

/// What was agreed on at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake {
    /// The version of go-plugin's own protocol: 1.
    pub core: u32,
    /// The application protocol version that the plugin chose.
    pub app_version: u32,
    /// The kind of socket that it listens on.
    pub network: Network,
    /// Where it listens, as it is dialled from here: a path, or `host:port`.
    pub address: String,
    /// Whether connections are encrypted, and both sides authenticated as far as the TLS settings
    /// demand it.
    pub tls: bool,
    /// Whether all connections share one socket.
    pub multiplexing: bool,
    /// The certificate of its handshake line, DER. `None`: it showed none.
    pub certificate: Option<Vec<u8>>,
    /// From the wish to start to its handshake line.
    pub line_after: Duration,
    /// From the wish to start to the first answer.
    pub took: Duration,
}

impl Handshake {
    pub(crate) fn new(app_version: u32, address: Address, tls: bool, took: Duration) -> Self {
        let Address { network, text } = address;
        Self {
            core: CORE_PROTOCOL,
            app_version,
            network,
            address: text,
            tls,
            multiplexing: false,
            certificate: None,
            line_after: took,
            took,
        }
    }
}

/// A running plugin process. Clones are handles on the same process; with the last one the whole
/// process tree is killed. One that was reattached to lives on.
#[derive(Clone, Debug)]
pub struct Process(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) channel: Channel,
    pub(super) handshake: Handshake,
    pub(super) folder: PathBuf,
    pub(super) host_address: Option<String>,
    pub(super) broker: Broker,
    pub(super) broker_task: AbortHandle,
    pub(super) max_message_bytes: usize,
    pub(super) stop_times: StopTimes,
    pub(super) stopped: OnceCell<Stopped>,
    pub(super) tasks: Mutex<JoinSet<()>>,
}

impl Process {
    /// The plugin's name, as it was given at the start.
    pub fn name(&self) -> &str {
        &self.0.shared.name
    }

    /// A number that no other process has whose private folder lies in the same runtime folder:
    /// [`crate::PeerProcess::instance`].
    pub fn id(&self) -> u64 {
        self.0.shared.id
    }

    /// The plugin's process id. For people; processes are ended through this handle only. 0 for a
    /// runner's process that has none: [`Process::runner_id`].
    pub fn pid(&self) -> u32 {
        self.0.shared.hold.pid()
    }

    /// What a runner calls its process.
    pub fn runner_id(&self) -> Option<&str> {
        match &self.0.shared.hold {
            Hold::Run(run) => Some(run.id()),
            Hold::Tree(_) | Hold::Attached(_) => None,
        }
    }

    /// The gRPC connection, to be given to generated clients: what go-plugin calls "dispense" is to
    /// make one. Cloning it is cheap. A client takes messages of up to 4 MiB unless it is told
    /// otherwise (`max_decoding_message_size`).
    pub fn channel(&self) -> Channel {
        self.0.channel.clone()
    }

    /// Further connections with this plugin, in either direction. It is closed when the process is
    /// being stopped, and when the plugin offers no broker.
    pub fn broker(&self) -> &Broker {
        &self.0.broker
    }

    /// How another host finds this plugin. Without TLS or with [`crate::Tls::Given`] it can use it;
    /// with certificates made for this start, or a multiplexed socket, it cannot.
    pub fn reattach(&self) -> Reattach {
        let Handshake { app_version, network, address, .. } = &self.0.handshake;
        Reattach {
            protocol: "grpc".to_owned(),
            protocol_version: *app_version,
            pid: self.pid(),
            test: !self.0.shared.hold.may_end(),
            network: *network,
            address: address.clone(),
        }
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
        self.0.shared.hold.status().map(|end| self.0.shared.exit(end))
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
        match timeout(deadline, health::check(self.channel())).await {
            Ok(Health::Serving | Health::Missing) => Ok(()),
            Ok(Health::NotServing(status)) => Err(Error::Handshake {
                plugin,
                problem: format!("its health service says {status}"),
                exit: None,
                stderr: self.stderr_tail(),
            }),
            Ok(Health::Failed(problem)) => match timeout(END_GRACE, self.wait()).await {
                Ok(exit) => Err(Error::Crashed { plugin, exit }),
                Err(_lives) => Err(Error::Handshake {
                    plugin,
                    problem: format!("its health service failed: {problem}"),
                    exit: None,
                    stderr: self.stderr_tail(),
                }),
            },
            Err(_elapsed) => {
                Err(Error::Unresponsive { plugin, after: deadline, stderr: self.stderr_tail() })
            }
        }
    }

    /// Ends the process in order: the `Shutdown` call and its grace, `SIGTERM` and its grace,
    /// `SIGKILL` of the tree. Returns when nothing is left of it. A second call returns what the
    /// first one found. A process of a test or a debugger ([`Reattach::test`]) is left alone.
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

    /// The broker's peers learn first that this is the end.
    pub(super) fn close_broker(&self) {
        self.0.broker_task.abort();
    }

    pub(crate) fn taint(&self) -> Taint {
        self.0.shared.taint()
    }

    /// A worse taint is never washed off by a lesser one.
    pub(crate) fn set_taint(&self, taint: Taint) {
        self.0.shared.set_taint(taint);
    }

    /// The process' end as a future that does not borrow the handle.
    pub(crate) fn end(&self) -> impl Future<Output = Exit> + Send + use<> {
        let shared = Arc::clone(&self.0.shared);
        async move { shared.wait().await }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.shared.hold.is_ours() {
            self.shared.kill(ByHost::Killed);
        }
    }
}
