//! The moment at which a process comes to be: under a guardian, or by a runner.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::builder::{CurrentDir, is_bare};
use super::checksum::{Checksum, sealed_copy};
use super::folder::PluginFolder;
use super::guardian::grant::Grant;
use super::hold::Hold;
use super::runner::{Pipe, Run, Runner, Spec, diagnosis};
use super::streams::Stdin;
use super::tree::{Plan, StartError, Tree};
use super::{Launch, diagnose};
use crate::error::Error;
use crate::text::excerpt;

/// A plugin's environment.
pub(super) type Variables = BTreeMap<OsString, OsString>;

/// The kernel's limit for one argument or variable with its end. Source: execve(2), `MAX_ARG_STRLEN`.
const LONGEST_WORD: usize = 131_072;
/// `E2BIG`.
const TOO_BIG: i32 = 7;

/// A process that runs.
pub(super) struct Begun {
    pub(super) hold: Hold,
    pub(super) stdout: Pipe,
    pub(super) stderr: Pipe,
}

/// What can be said without starting anything (F1, F2). A name without a slash is looked up by the
/// system.
pub(super) fn check_program(launch: &Launch, program: &Path) -> Result<(), Error> {
    if is_bare(program) {
        return Ok(());
    }
    match fs::metadata(program) {
        Err(error) => {
            let reason = diagnose::execution(program, &error, None);
            Err(not_started(launch, program, reason, Some(error)))
        }
        Ok(found) if !found.is_file() => {
            Err(not_started(launch, program, "it is not a file".to_owned(), None))
        }
        Ok(found) if found.permissions().mode() & 0o111 == 0 => {
            let reason = "permission denied: its executable bit is not set; run chmod +x";
            Err(not_started(launch, program, reason.to_owned(), None))
        }
        Ok(_) => Ok(()),
    }
}

/// What no program can be given. The guardian would fail over it, and be blamed.
fn check_words(launch: &Launch, program: &Path, env: &Variables) -> Result<(), Error> {
    let check = |what: &dyn Fn() -> String, word: &OsStr| {
        let why = if word.as_bytes().contains(&0) {
            "contains a NUL"
        } else if word.len() >= LONGEST_WORD {
            "is longer than the system takes"
        } else {
            return Ok(());
        };
        Err(Error::config(format!("{}: {} {why}", launch.name, what()), None))
    };
    check(&|| "the program's path".to_owned(), program.as_os_str())?;
    for (number, argument) in (1..).zip(&launch.args) {
        check(&|| format!("argument {number}"), argument)?;
    }
    env.iter().try_for_each(|(name, value)| {
        let variable = || format!("the variable {}", excerpt(&name.to_string_lossy(), 100));
        check(&variable, &[name.as_os_str(), value].join(OsStr::new("=")))
    })
}

/// The point asks for the right to go there, too.
fn check_current_dir(folder: &Path) -> Result<(), Error> {
    fs::metadata(folder.join(".")).map(drop).map_err(|error| {
        let problem = format!("the folder {} for the plugin to run in: {error}", folder.display());
        Error::config(problem, error)
    })
}

fn not_started(
    launch: &Launch,
    program: &Path,
    reason: String,
    source: Option<io::Error>,
) -> Error {
    Error::NotStarted { plugin: launch.name.clone(), program: program.to_owned(), reason, source }
}

fn current_dir(launch: &Launch, folder: &PluginFolder) -> Option<PathBuf> {
    match &launch.current_dir {
        CurrentDir::Hosts => None,
        CurrentDir::Private => Some(folder.path().to_owned()),
        CurrentDir::Folder(folder) => Some(folder.clone()),
    }
}

pub(super) async fn start_tree(
    launch: &Launch,
    program: &Path,
    env: Variables,
    folder: PluginFolder,
    deadline: Instant,
) -> Result<Begun, Error> {
    let starting = begin_tree(launch, program, env, folder);
    let too_late = |_elapsed| Err(too_late(launch, "was not copied and started"));
    timeout_at(deadline, starting).await.unwrap_or_else(too_late)
}

fn too_late(launch: &Launch, what: &'static str) -> Error {
    let (plugin, after) = (launch.name.clone(), launch.start_timeout);
    Error::StartTimeout { plugin, what, after, stderr: Vec::new() }
}

async fn begin_tree(
    launch: &Launch,
    program: &Path,
    env: Variables,
    folder: PluginFolder,
) -> Result<Begun, Error> {
    check_words(launch, program, &env)?;
    let current_dir = current_dir(launch, &folder);
    if let Some(folder) = &current_dir {
        check_current_dir(folder)?;
    }
    let executable = match launch.checksum {
        Some(checksum) => Some(pinned(launch, program, checksum).await?),
        None => None,
    };
    // A path must stay good in another working directory; a bare name must stay one.
    let absolute = if is_bare(program) {
        program.to_owned()
    } else {
        let failed = |error| Error::config("the working directory cannot be read", error);
        std::path::absolute(program).map_err(failed)?
    };
    let path = env.get(OsStr::new("PATH")).cloned();
    let guardian = launch.guardian.program()?;
    let plan = Plan {
        guardian: guardian.clone(),
        program: absolute,
        args: launch.args.clone(),
        env,
        current_dir,
        grant: Grant { limits: launch.limits, stdin: stdin(launch)?, executable },
    };
    match Tree::start(plan, folder).await {
        Ok((tree, pipes)) => Ok(Begun {
            hold: Hold::Tree(tree),
            stdout: pipe(pipes.stdout)?,
            stderr: pipe(pipes.stderr)?,
        }),
        Err(StartError::Guardian(source)) if source.raw_os_error() == Some(TOO_BIG) => {
            let problem = format!(
                "{}: its arguments and its environment are too large together for this system",
                launch.name
            );
            Err(Error::config(problem, source))
        }
        Err(StartError::Guardian(source)) => {
            let reason = source.to_string();
            Err(Error::Guardian { program: guardian, reason, source: Some(source) })
        }
        Err(StartError::Execute(source)) => {
            let reason = diagnose::execution(program, &source, path.as_deref());
            Err(not_started(launch, program, reason, Some(source)))
        }
    }
}

/// A copy of the executable that nobody can change, if it is the right one (F5, F6).
async fn pinned(launch: &Launch, program: &Path, checksum: Checksum) -> Result<OwnedFd, Error> {
    let path = program.to_owned();
    let copied = tokio::task::spawn_blocking(move || sealed_copy(&path)).await;
    let (copy, found) =
        copied.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| {
            let reason = format!("its checksum cannot be verified: {error}");
            not_started(launch, program, reason, Some(error))
        })?;
    if found != checksum {
        let problem = format!(
            "{} has the checksum {found}, pinned is {checksum}; it was not started",
            program.display()
        );
        return Err(Error::Policy { plugin: launch.name.clone(), problem });
    }
    Ok(copy)
}

fn stdin(launch: &Launch) -> Result<Option<OwnedFd>, Error> {
    match launch.streams.stdin {
        Stdin::Null => Ok(None),
        Stdin::Inherit => {
            io::stdin().as_fd().try_clone_to_owned().map(Some).map_err(|error| {
                Error::config("the host's standard input cannot be handed on", error)
            })
        }
    }
}

fn pipe(pipe: OwnedFd) -> Result<Pipe, Error> {
    let receiver = Receiver::from_owned_fd(pipe);
    let receiver = receiver.map_err(|error| Error::config("a pipe cannot be read", error))?;
    Ok(Box::new(receiver))
}

pub(super) async fn start_run(
    launch: &Launch,
    program: &Path,
    env: Variables,
    folder: PluginFolder,
    runner: Arc<dyn Runner>,
    tasks: &mut JoinSet<()>,
    deadline: Instant,
) -> Result<Begun, Error> {
    let spec = Spec {
        program: program.to_owned(),
        args: launch.args.clone(),
        env,
        current_dir: current_dir(launch, &folder),
        folder: folder.path().to_owned(),
    };
    let starting = Run::start(Arc::clone(&runner), spec, folder, tasks);
    let Ok(started) = timeout_at(deadline, starting).await else {
        return Err(too_late(launch, "was not started by its runner"));
    };
    match started {
        Ok((run, stdout, stderr)) => Ok(Begun { hold: Hold::Run(run), stdout, stderr }),
        Err(error) => {
            let mut reason = error.to_string();
            if let Some(diagnosis) = diagnosis(&*runner).await {
                reason = format!("{reason}; {diagnosis}");
            }
            Err(not_started(launch, program, reason, Some(error)))
        }
    }
}
