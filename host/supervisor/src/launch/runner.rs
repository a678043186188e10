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
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use wharf_peer::Address;

use super::folder::PluginFolder;
use crate::exit::End;

/// How long a runner may take to explain a failure.
const DIAGNOSE_GRACE: Duration = Duration::from_secs(1);

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
#[derive(Clone)]
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
    /// in `PLUGIN_UNIX_SOCKET_DIR`, and is removed when the process has ended. It stays if the host
    /// is killed, for the process may live on.
    pub folder: PathBuf,
}

/// Of the environment the names only: values are secrets.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, args, env, current_dir, folder } = self;
        let names: Vec<_> = env.keys().collect();
        f.debug_struct("Spec")
            .field("program", program)
            .field("args", args)
            .field("env", &names)
            .field("current_dir", current_dir)
            .field("folder", folder)
            .finish()
    }
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

/// A runner's own words about a failure, if it has any. Beside every deadline, or the failure itself
/// would never be told.
pub(super) async fn diagnosis(runner: &dyn Runner) -> Option<String> {
    let text = timeout(DIAGNOSE_GRACE, runner.diagnose()).await.ok()?;
    Some(text).filter(|text| !text.is_empty())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_never_shows_the_values_of_its_variables() {
        let spec = Spec {
            program: "p".into(),
            args: vec!["a".into()],
            env: BTreeMap::from([("NAME".into(), "hunter2".into())]),
            current_dir: None,
            folder: "/private".into(),
        };
        let text = format!("{spec:?}");
        assert!(text.contains("NAME") && text.contains("/private"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
