//! Starts plugin processes. Nothing else in the project does.
//!
//! [`Launch`] gathers what a caller wants; [`start`] makes the private folder, certificate and
//! environment, starts the guardian ([`guardian`], [`tree`]), reads the handshake and hands over to
//! [`crate::connect`]. What a plugin writes is drained by [`output`] from its first byte on.
//! [`diagnose`] finds words for what went wrong.
//!
//! A start that fails or is dropped leaves nothing behind.

mod diagnose;
mod environment;
pub(crate) mod folder;
pub(crate) mod guardian;
pub(crate) mod output;
mod start;
pub(crate) mod tree;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tonic::service::Routes;

pub use crate::connect::dial::SocketPolicy;
pub use environment::EnvPolicy;
pub(crate) use folder::MAX_SOCKET_PATH;
pub use folder::standard_runtime_dir;
pub use guardian::guardian_main;
pub use output::LogLine;

use crate::connect::Process;
use crate::error::Error;
use folder::HostFolder;

/// Which program guards the plugin: see [`guardian_main`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Guardian {
    /// `wharf-launch` beside the running executable. Cargo's folders for tests and examples count as the folder above
    /// them.
    #[default]
    Beside,
    /// The running executable, whose `main` begins with [`guardian_main`]. Any other program would
    /// start itself over and over.
    CurrentExe,
    /// This program, which is a `wharf-launch` of this version or begins with [`guardian_main`].
    Program(PathBuf),
}

/// How to start one plugin process. [`Launch::start`] does it.
///
/// Every start uses mutual TLS with certificates made for it alone, gives the plugin a private
/// folder and an empty standard input, and drains what it writes.
#[derive(Debug)]
#[must_use = "nothing is started before `start`"]
pub struct Launch {
    program: PathBuf,
    name: String,
    args: Vec<OsString>,
    cookie: (String, String),
    versions: Vec<u32>,
    env: EnvPolicy,
    set_env: Vec<(String, String)>,
    current_dir: CurrentDir,
    start_timeout: Duration,
    runtime_dir: PathBuf,
    host_folder: Option<Arc<HostFolder>>,
    socket_policy: SocketPolicy,
    host_services: Option<Routes>,
    guardian: Guardian,
    heartbeat: Option<(Duration, Duration)>,
    grace: Duration,
    term_grace: Duration,
    max_message_bytes: usize,
}

#[derive(Debug)]
enum CurrentDir {
    Hosts,
    Private,
    Folder(PathBuf),
}

/// Start timeout, as go-plugin's.
pub(crate) const START_TIMEOUT: Duration = Duration::from_mins(1);
/// Grace of the `Shutdown` call, as go-plugin's, and of `SIGTERM`.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// Four times what the contract allows.
pub(crate) const MAX_MESSAGE_BYTES: usize = 4 << 20;

impl Launch {
    /// A start of `program`, a path or a name in `PATH`, with wharf's own cookie and protocol
    /// versions, the standard runtime folder, a start timeout of 60 s, stop times of 2 s each,
    /// messages of up to 4 MiB and no heartbeat.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        let name =
            program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        Self {
            program,
            name,
            args: Vec::new(),
            cookie: (wharf_proto::COOKIE_KEY.to_owned(), wharf_proto::COOKIE_VALUE.to_owned()),
            versions: wharf_proto::APP_PROTOCOL_VERSIONS.to_vec(),
            env: EnvPolicy::default(),
            set_env: Vec::new(),
            current_dir: CurrentDir::Hosts,
            start_timeout: START_TIMEOUT,
            runtime_dir: standard_runtime_dir(&std::env::temp_dir()),
            host_folder: None,
            socket_policy: SocketPolicy::Private,
            host_services: None,
            guardian: Guardian::Beside,
            heartbeat: None,
            grace: GRACE,
            term_grace: GRACE,
            max_message_bytes: MAX_MESSAGE_BYTES,
        }
    }

    /// The name in logs and errors. Default: the program's base name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Further arguments for the program.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The application's magic cookie: a variable by which the plugin knows that a host started it.
    /// No secret.
    pub fn cookie(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.cookie = (key.into(), value.into());
        self
    }

    /// The application protocol versions that the caller speaks.
    pub fn versions(mut self, versions: &[u32]) -> Self {
        self.versions = versions.to_vec();
        self
    }

    /// Which of the host's variables the plugin sees. Default: [`EnvPolicy::Allow`] of nothing
    /// more.
    pub fn env(mut self, policy: EnvPolicy) -> Self {
        self.env = policy;
        self
    }

    /// Sets a variable for the plugin. It beats one of the host's, and is beaten by the protocol's
    /// own.
    pub fn set_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set_env.push((name.into(), value.into()));
        self
    }

    /// Where the plugin runs. Default: where the host runs.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.current_dir = CurrentDir::Folder(folder.into());
        self
    }

    /// From the start to the first answer; the process is killed when it takes longer.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// The folder in which the process' private folder is made; made too if it is missing. Its path
    /// is limited by what a socket's path may have.
    pub fn runtime_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.runtime_dir = folder.into();
        self
    }

    /// Which addresses of the plugin are dialled.
    pub fn socket_policy(mut self, policy: SocketPolicy) -> Self {
        self.socket_policy = policy;
        self
    }

    /// Services that this process alone may call, at [`Process::host_address`].
    pub fn host_services(mut self, routes: Routes) -> Self {
        self.host_services = Some(routes);
        self
    }

    /// Which program guards the plugin.
    pub fn guardian(mut self, guardian: Guardian) -> Self {
        self.guardian = guardian;
        self
    }

    /// Asks for a sign of life `every` so often and kills the plugin if none comes within
    /// `patience`.
    pub fn heartbeat(mut self, every: Duration, patience: Duration) -> Self {
        self.heartbeat = Some((every, patience));
        self
    }

    /// How long [`Process::stop`] waits after the `Shutdown` call and after `SIGTERM`. Zero leaves
    /// a step out.
    pub fn stop_times(mut self, grace: Duration, term_grace: Duration) -> Self {
        self.grace = grace;
        self.term_grace = term_grace;
        self
    }

    /// The largest message that is taken from the plugin by [`crate::calls`].
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// As [`Launch::runtime_dir`], inside a host's own folder, and the plugin runs in its private
    /// folder.
    pub(crate) fn in_host_folder(mut self, folder: Arc<HostFolder>) -> Self {
        folder.path().clone_into(&mut self.runtime_dir);
        self.host_folder = Some(folder);
        self.current_dir = CurrentDir::Private;
        self
    }

    /// Starts the process and waits until it has answered.
    ///
    /// # Errors
    /// By [`Error::code`]: `launch` it does not run or ended early; `unresponsive` no handshake in
    /// time; `handshake` a wrong one; `policy` an address that is not dialled; `config` the runtime
    /// folder or the guardian is unusable.
    ///
    /// # Cancel safety
    /// When dropped, everything that was started is killed and removed.
    pub async fn start(self) -> Result<Process, Error> {
        start::start(self).await
    }
}

impl Guardian {
    fn program(&self) -> Result<PathBuf, Error> {
        match self {
            Self::Program(program) => Ok(program.clone()),
            Self::CurrentExe => Ok(PathBuf::from("/proc/self/exe")),
            Self::Beside => {
                let exe = std::env::current_exe();
                let exe = exe.map_err(|error| {
                    Error::config("the path of the running executable cannot be read", error)
                })?;
                beside(&exe).ok_or_else(|| {
                    let problem = format!(
                        "wharf-launch is not beside {}; install it there, or call guardian_main and use Guardian::CurrentExe",
                        exe.display()
                    );
                    Error::config(problem, None)
                })
            }
        }
    }
}

fn beside(exe: &Path) -> Option<PathBuf> {
    let folder = exe.parent()?;
    let cargos = folder.file_name().is_some_and(|name| name == "deps" || name == "examples");
    let folder = if cargos { folder.parent()? } else { folder };
    Some(folder.join("wharf-launch")).filter(|program| program.is_file())
}
