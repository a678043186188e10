//! Processes that somebody else makes: in a container, on another machine, in a test.
//!
//! [`Runner`] is what a caller writes; [`Run`] is what the host then holds, as it holds a
//! [`super::tree::Tree`] of its own. The host prepares everything (environment, private folder) and
//! keeps every rule of the protocol; the runner only starts, ends and translates.
//!
//! Nobody guards such a process: what it leaves behind is the runner's affair.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Arc;

use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wharf_peer::Address;

use super::folder::PluginFolder;
use crate::exit::End;

/// A stream of bytes that a plugin writes.
pub type Pipe = Box<dyn AsyncRead + Send + Unpin>;

/// Makes one plugin process in a way of its own. One runner serves one start.
#[tonic::async_trait]
pub trait Runner: Send + Sync + 'static {
    /// Starts the process. It has the start timeout for that; when it is dropped or fails,
    /// [`Runner::kill`] follows.
    ///
    /// # Errors
    /// Why there is no process.
    async fn start(&self, spec: Spec) -> io::Result<Running>;

    /// Ends the process at once. May be called at any time and more than once; must not block.
    /// [`Running::ended`] tells when it is done.
    fn kill(&self);

    /// What may explain a start that failed, in words for people. Has a second for it.
    async fn diagnose(&self) -> String {
        String::new()
    }

    /// An address of the plugin's, from its handshake or announced by its broker, as the host must
    /// dial it. Must not block.
    ///
    /// # Errors
    /// Why it cannot be reached from here.
    fn to_host(&self, address: Address) -> Result<Address, String> {
        Ok(address)
    }

    /// An address of the host's broker as the plugin must dial it. Must not block.
    ///
    /// # Errors
    /// Why it cannot be reached from there.
    fn to_plugin(&self, address: Address) -> Result<Address, String> {
        Ok(address)
    }
}

/// What is to be started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Spec {
    /// The program, as it was given to [`crate::Launch::new`]; not looked at by the host.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: BTreeMap<OsString, OsString>,
    /// Where it is to run. `None`: where the host does.
    pub current_dir: Option<PathBuf>,
    /// The private folder of this process: 0700, or 0770 with the socket group's group. It is also
    /// in `PLUGIN_UNIX_SOCKET_DIR`, and is removed when the process has ended.
    pub folder: PathBuf,
}

/// A process that runs.
pub struct Running {
    /// A process id, or whatever else names it.
    pub id: String,
    /// Carries the handshake.
    pub stdout: Pipe,
    /// Carries the log.
    pub stderr: Pipe,
    /// Waits for its end.
    pub ended: Pin<Box<dyn Future<Output = io::Result<ExitStatus>> + Send>>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A process of a runner, as the host holds it. Dropping it kills.
pub(crate) struct Run {
    runner: Arc<dyn Runner>,
    id: String,
    /// `Some`: it has ended, and its folder is gone.
    end: watch::Receiver<Option<End>>,
}

impl Run {
    /// # Cancel safety
    /// When dropped, the process is killed and the folder removed.
    pub(super) async fn start(
        runner: Arc<dyn Runner>,
        spec: Spec,
        folder: PluginFolder,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<(Self, Pipe, Pipe)> {
        let (sender, end) = watch::channel(None);
        let mut run = Self { runner: Arc::clone(&runner), id: String::new(), end };
        let running = runner.start(spec).await?;
        run.id = running.id;
        let ended = running.ended;
        tasks.spawn(async move {
            // A runner that cannot tell how it ended can tell that it has.
            let status = ended.await.ok();
            drop(folder);
            sender.send_replace(Some(End { status, ..End::default() }));
        });
        Ok((run, running.stdout, running.stderr))
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn kill(&self) {
        self.runner.kill();
    }

    pub(crate) fn status(&self) -> Option<End> {
        // Without its keeper nobody will ever know more.
        self.end.borrow().or_else(|| self.end.has_changed().is_err().then(End::default))
    }

    pub(crate) async fn ended(&self) -> End {
        let mut end = self.end.clone();
        let ended = end.wait_for(Option::is_some).await;
        ended.ok().and_then(|end| *end).unwrap_or_default()
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.kill();
    }
}
