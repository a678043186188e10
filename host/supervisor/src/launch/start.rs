//! One start, step by step: prepare, run, read the handshake, connect, ask for health, hand over.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tonic::transport::Channel;
use tracing::{info, warn};
use wharf_proto::handshake::{Environment, Line};
use wharf_proto::tls::{self, Identity};

use super::environment::{Wishes, environment};
use super::folder::PluginFolder;
use super::output::{self, Logs};
use super::tree::{Plan, StartError, Tree};
use super::{CurrentDir, Launch, diagnose};
use crate::connect::dial::{Address, DialError};
use crate::connect::health::{self, Health};
use crate::connect::{Handshake, HostServices, Parts, Process, Shared, StopTimes, channel};
use crate::error::Error;
use crate::exit::ByHost;

/// The range that go-plugin's hosts name when they are not told otherwise.
const MIN_PORT: u16 = 10_000;
const MAX_PORT: u16 = 25_000;
/// How long a process may take to end after its output has, and a killed one to be gone.
const END_GRACE: Duration = Duration::from_secs(1);
/// How long a process that printed nonsense may take to end by itself, which then explains the
/// nonsense.
const EXPLAIN_GRACE: Duration = Duration::from_millis(100);

/// The next process' number: unique in this host, and nothing else.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

pub(super) async fn start(mut launch: Launch) -> Result<Process, Error> {
    let begun = Instant::now();
    let deadline = begun + launch.start_timeout;
    check_program(&launch)?;
    let identity = Identity::generate()
        .map_err(|error| Error::config(format!("no key for TLS: {error}"), None))?;
    let folder = PluginFolder::create(&launch.runtime_dir, launch.host_folder.clone())?;
    let folder_path = folder.path().to_owned();
    let plan = plan(&launch, &identity, &folder_path)?;
    let search_path = plan.env.get(OsStr::new("PATH")).cloned();
    let guardian = plan.guardian.clone();

    let started = timeout_at(deadline, Tree::start(plan, folder)).await;
    let (tree, pipes) = match started {
        Ok(started) => {
            let path = search_path.as_deref();
            started.map_err(|error| not_started(&launch, path, guardian, error))?
        }
        Err(_elapsed) => return Err(start_timeout(&launch, Vec::new())),
    };
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let logs = Arc::new(Logs::new(launch.name.clone(), id));
    let shared = Arc::new(Shared::new(launch.name.clone(), id, tree, logs));
    let mut tasks = JoinSet::new();
    read_stderr(&mut tasks, &shared, pipes.stderr)?;
    let host_services = launch.host_services.take();
    let trial = Trial { launch: &launch, shared: &shared, deadline, search_path };
    let proof = match trial.prove(pipes.stdout, &mut tasks, &identity, &folder_path).await {
        Ok(proof) => proof,
        Err(error) => {
            shared.kill(ByHost::Killed);
            timeout(END_GRACE, shared.tree.gone()).await.ok();
            return Err(error);
        }
    };
    let took = begun.elapsed();
    let Proof { line, certificate, channel } = proof;
    info!(plugin = launch.name, pid = shared.tree.pid(), app = line.app, ?took, "plugin started");
    let host_services = host_services
        .map(|routes| {
            tls::server_config(&identity, &certificate).map(|tls| HostServices { routes, tls })
        })
        .transpose()
        .map_err(|error| Error::config(format!("no TLS for the host's services: {error}"), None))?;
    Process::assemble(Parts {
        shared,
        tasks,
        channel,
        handshake: Handshake { app_version: line.app, network: line.network, tls: true, took },
        folder: folder_path,
        stop_times: StopTimes { grace: launch.grace, term_grace: launch.term_grace },
        heartbeat: launch.heartbeat,
        max_message_bytes: launch.max_message_bytes,
        host_services,
    })
}

/// What can be said without starting anything (F1, F2). A name without a slash is looked up by the
/// system.
fn check_program(launch: &Launch) -> Result<(), Error> {
    if launch.program.components().count() < 2 {
        return Ok(());
    }
    let refuse = |reason: &str, source| Error::NotStarted {
        plugin: launch.name.clone(),
        program: launch.program.clone(),
        reason: reason.to_owned(),
        source,
    };
    match fs::metadata(&launch.program) {
        Err(error) => Err(refuse(&diagnose::execution(&launch.program, &error, None), Some(error))),
        Ok(found) if !found.is_file() => Err(refuse("it is not a file", None)),
        Ok(found) if found.permissions().mode() & 0o111 == 0 => {
            Err(refuse("permission denied: its executable bit is not set; run chmod +x", None))
        }
        Ok(_) => Ok(()),
    }
}

fn plan(launch: &Launch, identity: &Identity, folder: &Path) -> Result<Plan, Error> {
    let protocol = Environment {
        versions: launch.versions.clone(),
        min_port: MIN_PORT,
        max_port: MAX_PORT,
        client_certificate: Some(identity.pem().to_owned()),
        socket_dir: Some(folder.to_owned()),
        ..Environment::default()
    };
    let wishes = Wishes {
        policy: &launch.env,
        set: &launch.set_env,
        folder,
        cookie: (&launch.cookie.0, &launch.cookie.1),
        protocol: &protocol,
    };
    // A path must stay good in another working directory; a bare name must stay one.
    let program = if launch.program.components().count() < 2 {
        launch.program.clone()
    } else {
        let failed = |error| Error::config("the working directory cannot be read", error);
        std::path::absolute(&launch.program).map_err(failed)?
    };
    Ok(Plan {
        guardian: launch.guardian.program()?,
        program,
        args: launch.args.clone(),
        env: environment(std::env::vars_os(), &wishes),
        current_dir: match &launch.current_dir {
            CurrentDir::Hosts => None,
            CurrentDir::Private => Some(folder.to_owned()),
            CurrentDir::Folder(folder) => Some(folder.clone()),
        },
    })
}

fn not_started(
    launch: &Launch,
    path: Option<&OsStr>,
    guardian: PathBuf,
    error: StartError,
) -> Error {
    match error {
        StartError::Guardian(source) => {
            let reason = source.to_string();
            Error::Guardian { program: guardian, reason, source: Some(source) }
        }
        StartError::Execute(source) => Error::NotStarted {
            plugin: launch.name.clone(),
            program: launch.program.clone(),
            reason: diagnose::execution(&launch.program, &source, path),
            source: Some(source),
        },
    }
}

fn start_timeout(launch: &Launch, stderr: Vec<String>) -> Error {
    Error::StartTimeout { plugin: launch.name.clone(), after: launch.start_timeout, stderr }
}

fn read_stderr(tasks: &mut JoinSet<()>, shared: &Arc<Shared>, pipe: OwnedFd) -> Result<(), Error> {
    let stderr = receiver(pipe)?;
    let logs = Arc::clone(&shared.logs);
    let done = shared.stderr_read.clone().drop_guard();
    tasks.spawn(async move {
        output::read_stderr(stderr, logs).await;
        drop(done);
    });
    Ok(())
}

fn receiver(pipe: OwnedFd) -> Result<Receiver, Error> {
    Receiver::from_owned_fd(pipe).map_err(|error| Error::config("a pipe cannot be read", error))
}

/// A process that runs and has not proven anything yet.
struct Trial<'a> {
    launch: &'a Launch,
    shared: &'a Shared,
    deadline: Instant,
    search_path: Option<OsString>,
}

/// That it is a plugin of ours.
struct Proof {
    line: Line,
    certificate: Vec<u8>,
    channel: Channel,
}

impl Trial<'_> {
    async fn prove(
        &self,
        stdout: OwnedFd,
        tasks: &mut JoinSet<()>,
        identity: &Identity,
        folder: &Path,
    ) -> Result<Proof, Error> {
        let mut line = self.read_line(receiver(stdout)?, tasks).await?;
        if !self.launch.versions.contains(&line.app) {
            return Err(self.handshake(self.version_problem(line.app)).await);
        }
        let Some(certificate) = line.certificate.take() else {
            let problem = "its handshake line has no certificate, and without TLS it is not used; \
                           it must honour PLUGIN_CLIENT_CERT (AutoMTLS)";
            return Err(self.handshake(problem.to_owned()).await);
        };
        let config = match tls::client_config(identity, &certificate) {
            Ok(config) => config,
            Err(error) => {
                return Err(self.handshake(format!("its handshake line: {error}")).await);
            }
        };
        let address = Address {
            network: line.network,
            text: line.address.clone(),
            policy: self.launch.socket_policy,
            folder: folder.to_owned(),
        };
        let channel = match channel::open(address, config, self.deadline).await {
            Ok(channel) => channel,
            Err(DialError::Policy(problem)) => {
                let plugin = self.launch.name.clone();
                return Err(Error::Policy { plugin, problem });
            }
            Err(DialError::Failed(problem)) => return Err(self.handshake(problem).await),
        };
        self.ask_for_health(channel.clone()).await?;
        Ok(Proof { line, certificate, channel })
    }

    async fn read_line(
        &self,
        mut stdout: Receiver,
        tasks: &mut JoinSet<()>,
    ) -> Result<Line, Error> {
        let first = match timeout_at(self.deadline, output::first_line(&mut stdout)).await {
            Ok(Ok(first)) => first,
            Ok(Err(error)) => {
                return Err(self.handshake(format!("cannot read its output: {error}")).await);
            }
            Err(_elapsed) => return Err(start_timeout(self.launch, self.shared.logs.tail())),
        };
        if first.ended && first.line.is_empty() {
            return Err(self.no_line().await);
        }
        tasks.spawn(output::drain_stdout(stdout, first.rest, Arc::clone(&self.shared.logs)));
        match Line::parse(&first.line) {
            Ok(line) => Ok(line),
            Err(error) => Err(self.handshake(error.to_string()).await),
        }
    }

    async fn ask_for_health(&self, channel: Channel) -> Result<(), Error> {
        let plugin = || self.launch.name.clone();
        match timeout_at(self.deadline, health::check(channel)).await {
            Ok(Health::Serving) => Ok(()),
            Ok(Health::Missing) => {
                warn!(plugin = plugin(), "the plugin has no health service named \"plugin\"");
                Ok(())
            }
            Ok(Health::NotServing(status)) => {
                let problem = format!("its health service says {status} instead of SERVING");
                Err(self.handshake(problem).await)
            }
            Ok(Health::Failed(problem)) => {
                let problem = format!("the first call after the handshake failed: {problem}");
                Err(self.handshake(problem).await)
            }
            Err(_elapsed) => {
                Err(Error::Unresponsive { plugin: plugin(), after: self.launch.start_timeout })
            }
        }
    }

    /// The output ended without a line: most often the process has too (F8, F9).
    async fn no_line(&self) -> Error {
        let Ok(exit) = timeout(END_GRACE, self.shared.wait()).await else {
            return self.handshake("it closed standard output without a handshake".into()).await;
        };
        let program = &self.launch.program;
        let hint = diagnose::early_end(program, &exit, self.search_path.as_deref());
        Error::Ended { plugin: self.launch.name.clone(), exit, hint }
    }

    /// With the process' own end, if it is ending, because that is the better explanation.
    async fn handshake(&self, problem: String) -> Error {
        let exit = timeout(EXPLAIN_GRACE, self.shared.wait()).await.ok().map(Box::new);
        let plugin = self.launch.name.clone();
        Error::Handshake { plugin, problem, exit, stderr: self.shared.logs.tail() }
    }

    fn version_problem(&self, app: u32) -> String {
        let own: Vec<_> = self.launch.versions.iter().map(u32::to_string).collect();
        let newer = self.launch.versions.iter().all(|&own| own < app);
        format!(
            "it speaks application protocol version {app}, this host speaks {}; upgrade the {}",
            own.join(", "),
            if newer { "host" } else { "plugin" }
        )
    }
}
