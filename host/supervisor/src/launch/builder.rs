//! What a caller wants: [`Launch`]. How both sides reach each other is in [`super::wire`], where the
//! plugin's streams lead in [`super::streams`].

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tonic::service::Routes;

use super::checksum::Checksum;
use super::environment::EnvPolicy;
use super::folder::HostFolder;
use super::guardian::Guardian;
use super::limits::Limits;
use super::parent::own_runtime_dir;
use super::runner::Runner;
use super::streams::Streams;
use super::tls::Tls;
use super::wire::Wire;
use super::{attach, conflicts, start};
use crate::connect::{Process, Reattach, SocketPolicy, StopTimes};
use crate::error::Error;

/// How to start one plugin process. [`Launch::start`] does it.
///
/// Unless told otherwise, a start uses mutual TLS with certificates made for it alone, gives the
/// plugin a private folder and an empty standard input, and drains what it writes.
#[must_use = "nothing is started before `start`"]
pub struct Launch {
    pub(super) origin: Origin,
    pub(super) name: String,
    pub(super) args: Vec<OsString>,
    pub(super) cookie: (String, String),
    pub(super) versions: Vec<u32>,
    pub(super) env: EnvPolicy,
    pub(super) set_env: Vec<(String, String)>,
    pub(super) current_dir: CurrentDir,
    pub(super) checksum: Option<Checksum>,
    pub(super) runner: Option<Arc<dyn Runner>>,
    pub(super) guardian: Guardian,
    pub(super) limits: Limits,
    pub(super) start_timeout: Duration,
    pub(super) stop_times: StopTimes,
    pub(super) heartbeat: Option<(Duration, Duration)>,
    pub(super) runtime_dir: PathBuf,
    pub(super) host_folder: Option<Arc<HostFolder>>,
    pub(super) host_services: Option<Routes>,
    pub(super) wire: Wire,
    pub(super) streams: Streams,
}

/// Where the process comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// It is started: a path, or a name in `PATH`.
    Program(PathBuf),
    /// It runs already.
    Running(Reattach),
}

#[derive(Debug)]
pub(super) enum CurrentDir {
    Hosts,
    Private,
    Folder(PathBuf),
}

/// Start timeout, as go-plugin's.
pub(crate) const START_TIMEOUT: Duration = Duration::from_mins(1);
/// Grace of the `Shutdown` call, as go-plugin's, and of `SIGTERM`.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

impl Launch {
    /// A start of `program`, a path or a name in `PATH`, with wharf's own cookie and protocol
    /// versions, a start timeout of 60 s, stop times of 2 s each, messages of up to 4 MiB and no
    /// heartbeat. Its private folder lies in `/run/user/UID`, else in `/run` for root, else in
    /// `/tmp/wharf-UID`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        let name =
            program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        Self::of(Origin::Program(program), name)
    }

    /// A handle on a process that runs already. Nothing is started, nothing is agreed on: TLS is off
    /// or [`Tls::Given`], and any address is dialled; but a Unix socket there must be listened at by
    /// the very process that is described, unless it is a test's. A process that cannot be reached is
    /// never killed; one that can is when [`Process::stop`] or [`Process::kill`] is called, and not when the
    /// handle is dropped.
    pub fn reattach(description: Reattach) -> Self {
        let name = format!("process-{}", description.pid);
        Self::of(Origin::Running(description), name).tls(Tls::Off).socket_policy(SocketPolicy::Any)
    }

    fn of(origin: Origin, name: String) -> Self {
        Self {
            origin,
            name,
            args: Vec::new(),
            cookie: (wharf_proto::COOKIE_KEY.to_owned(), wharf_proto::COOKIE_VALUE.to_owned()),
            versions: wharf_proto::APP_PROTOCOL_VERSIONS.to_vec(),
            env: EnvPolicy::default(),
            set_env: Vec::new(),
            current_dir: CurrentDir::Hosts,
            checksum: None,
            runner: None,
            guardian: Guardian::Beside,
            limits: Limits::default(),
            start_timeout: START_TIMEOUT,
            stop_times: StopTimes { grace: GRACE, term_grace: GRACE },
            heartbeat: None,
            runtime_dir: own_runtime_dir(),
            host_folder: None,
            host_services: None,
            wire: Wire::default(),
            streams: Streams::default(),
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

    /// The application protocol versions that the caller speaks. The plugin picks one:
    /// [`crate::Handshake::app_version`].
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

    /// Pins the executable: nothing is started unless it has this checksum, and what runs is exactly
    /// what was hashed, a copy in memory. The program must be given as a path. It finds itself
    /// (`/proc/self/exe`, a script's `$0`) at no path that it could look beside. Of a script the
    /// script is covered, and its interpreter is not.
    pub fn checksum(mut self, checksum: Checksum) -> Self {
        self.checksum = Some(checksum);
        self
    }

    /// Lets somebody else make the process. There is no guardian then, and no limits.
    pub fn runner(mut self, runner: Arc<dyn Runner>) -> Self {
        self.runner = Some(runner);
        self
    }

    /// Which program guards the plugin.
    pub fn guardian(mut self, guardian: Guardian) -> Self {
        self.guardian = guardian;
        self
    }

    /// What the plugin's processes may use of the machine. Default: what the host may.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// From the start to the first answer; the process is killed when it takes longer.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// How long [`Process::stop`] waits after the `Shutdown` call and after `SIGTERM`. Zero leaves
    /// a step out.
    pub fn stop_times(mut self, grace: Duration, term_grace: Duration) -> Self {
        self.stop_times = StopTimes { grace, term_grace };
        self
    }

    /// Asks for a sign of life `every` so often and kills the plugin if none comes within
    /// `patience`. A connection that fails is none.
    pub fn heartbeat(mut self, every: Duration, patience: Duration) -> Self {
        self.heartbeat = Some((every, patience));
        self
    }

    /// The folder in which the process' private folder is made; made too if it is missing. Its path
    /// is limited by what a socket's path may have. It must be ours or root's, and where other users
    /// may write into it, they must not be able to exchange what is ours (`/tmp`'s sticky bit).
    pub fn runtime_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.runtime_dir = folder.into();
        self
    }

    /// Services that this process alone may call, at [`Process::host_address`].
    pub fn host_services(mut self, routes: Routes) -> Self {
        self.host_services = Some(routes);
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
    /// time; `handshake` a wrong one; `policy` an address that is not dialled, or an executable that
    /// is not the pinned one; `config` wishes that contradict each other, or a runtime folder or a
    /// guardian that is unusable.
    ///
    /// # Cancel safety
    /// When dropped, everything that was started is killed and removed.
    pub async fn start(self) -> Result<Process, Error> {
        if let Some(problem) = conflicts::find(&self) {
            return Err(Error::config(format!("{}: {problem}", self.name), None));
        }
        self.wire.check()?;
        // Large, and not to be carried about in the futures of all callers.
        match self.origin.clone() {
            Origin::Program(program) => Box::pin(start::start(self, program)).await,
            Origin::Running(description) => Box::pin(attach::attach(self, description)).await,
        }
    }
}

/// A name that is looked up in `PATH`.
pub(in crate::launch) fn is_bare(program: &Path) -> bool {
    program.components().count() < 2
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .field("args", &self.args)
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}
