//! One plugin's process tree as the host holds it: the guardian, the line to it, and the thread
//! that keeps both.
//!
//! The thread starts the guardian, passes on what it reports, reaps it and then removes the
//! plugin's folder. It depends on no runtime, so a tree that is dropped, even together with its
//! runtime, is still killed, reaped and cleaned up. Nothing here ever signals a process by number:
//! all it does is to speak to the guardian.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use tokio::sync::{oneshot, watch};
use tracing::warn;

use super::folder::PluginFolder;
use super::guardian::frames::{FRAME_BYTES, KILL, Report, Step, TERMINATE};
use super::guardian::grant::Grant;
use super::guardian::{GUARD, TOKEN};
use super::limits::Limits;
use super::memory::OutOfMemory;
use crate::exit::End;

/// The thread reads frames and removes a folder.
const STACK_BYTES: usize = 256 << 10;

/// What to start, and how.
pub(super) struct Plan {
    pub(super) guardian: PathBuf,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    pub(super) env: BTreeMap<OsString, OsString>,
    pub(super) current_dir: Option<PathBuf>,
    /// The plugin's limits, its standard input, and its executable if it is to be run from an open
    /// file.
    pub(super) grant: Grant,
}

/// The read ends of what the plugin writes.
pub(super) struct Pipes {
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// Why there is no process.
#[derive(Debug)]
pub(super) enum StartError {
    /// The guardian, or its preparation, failed.
    Guardian(io::Error),
    /// The guardian runs, and the plugin's program could not be executed.
    Execute(io::Error),
}

/// Where a tree is in its life.
#[derive(Clone, Copy, Debug)]
enum Life {
    Running,
    /// The plugin ended; what it left behind is being killed.
    Ended(End),
    /// Nothing is left, not even the folder.
    Gone(End),
}

/// A running plugin with all its descendants. Dropping it kills them.
#[derive(Debug)]
pub(crate) struct Tree {
    control: UnixStream,
    life: watch::Receiver<Life>,
    pid: u32,
}

impl Tree {
    /// Starts the guardian and waits until the plugin's program runs.
    ///
    /// # Cancel safety
    /// When dropped, the tree is killed and the folder removed.
    pub(super) async fn start(
        plan: Plan,
        folder: PluginFolder,
    ) -> Result<(Self, Pipes), StartError> {
        let (control, theirs) = UnixStream::pair().map_err(StartError::Guardian)?;
        let keeper = control.try_clone().map_err(StartError::Guardian)?;
        let (sender, life) = watch::channel(Life::Running);
        let (started, start) = oneshot::channel();
        // Held from here on, so that giving up at any moment ends the guardian.
        let mut tree = Self { control, life, pid: 0 };
        let name = "wharf-keeper".to_owned();
        let limits = plan.grant.limits;
        let keep = move || {
            let guardian = match spawn(plan, &folder, &keeper, theirs) {
                Ok(guardian) => guardian,
                Err(error) => {
                    // Nobody may be waiting any more; there is nothing to clean up but the folder.
                    started.send(Err(StartError::Guardian(error))).ok();
                    return;
                }
            };
            keep(guardian, keeper, started, &Witness { life: sender, limits }, folder);
        };
        thread::Builder::new()
            .name(name)
            .stack_size(STACK_BYTES)
            .spawn(keep)
            .map_err(StartError::Guardian)?;
        let (pid, pipes) = start.await.unwrap_or_else(|_gone| Err(lost()))?;
        tree.pid = pid;
        Ok((tree, pipes))
    }

    /// The plugin's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends `SIGTERM` to the plugin itself.
    pub(crate) fn terminate(&self) {
        self.say(TERMINATE);
    }

    /// Kills the plugin and everything it started.
    pub(crate) fn kill(&self) {
        self.say(KILL);
    }

    /// How the plugin ended, if it has.
    pub(crate) fn status(&self) -> Option<End> {
        match *self.life.borrow() {
            Life::Running => None,
            Life::Ended(end) | Life::Gone(end) => Some(end),
        }
    }

    /// Waits for the end of the plugin.
    pub(crate) async fn ended(&self) -> End {
        let mut life = self.life.clone();
        let ended = life.wait_for(|life| !matches!(life, Life::Running)).await;
        match ended.as_deref() {
            Ok(Life::Ended(end) | Life::Gone(end)) => *end,
            // The keeper always says how it ended before it leaves.
            Ok(Life::Running) | Err(_) => End::default(),
        }
    }

    /// Waits until nothing is left of the tree and its folder.
    pub(crate) async fn gone(&self) {
        let mut life = self.life.clone();
        // An error means that the keeper has left, which it does last.
        life.wait_for(|life| matches!(life, Life::Gone(_))).await.map(drop).ok();
    }

    /// A guardian that has left needs no words.
    fn say(&self, word: u8) {
        (&self.control).write_all(&[word]).ok();
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // The guardian takes the end of our words for a wish to kill.
        self.control.shutdown(Shutdown::Write).ok();
    }
}

/// Clippy's list forbids this everywhere else.
#[expect(clippy::disallowed_methods, reason = "this is the one place where guardians start")]
fn spawn(
    plan: Plan,
    folder: &PluginFolder,
    ours: &UnixStream,
    theirs: UnixStream,
) -> io::Result<Child> {
    // It waits in the socket until the guardian is ready to read it.
    plan.grant.send(ours)?;
    let mut command = Command::new(&plan.guardian);
    command
        .arg0("wharf-launch")
        .args([TOKEN, GUARD])
        .arg(folder.path())
        .arg(plan.program)
        .args(plan.args)
        .env_clear()
        .envs(plan.env)
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(folder) = plan.current_dir {
        command.current_dir(folder);
    }
    command.spawn()
}

/// What the keeper needs to tell how a plugin ended.
struct Witness {
    life: watch::Sender<Life>,
    limits: Limits,
}

/// Follows one guardian from its start to its end.
fn keep(
    mut guardian: Child,
    mut control: UnixStream,
    started: oneshot::Sender<Result<(u32, Pipes), StartError>>,
    witness: &Witness,
    folder: PluginFolder,
) {
    let memory = OutOfMemory::watch();
    let end = |status| End {
        status: Some(status),
        memory_ran_out: memory.killed(status),
        limits: witness.limits,
    };
    let pipes = guardian.stdout.take().zip(guardian.stderr.take());
    let start = match read_report(&mut control) {
        Some(Report::Started { pid }) => pipes
            .map(|(out, err)| Pipes { stdout: out.into(), stderr: err.into() })
            .zip(u32::try_from(pid).ok())
            .map_or_else(|| Err(lost()), |(pipes, pid)| Ok((pid, pipes))),
        Some(Report::Failed { errno, step: Step::Execute }) => {
            Err(StartError::Execute(io::Error::from_raw_os_error(errno)))
        }
        Some(Report::Failed { errno, step: Step::Prepare }) => {
            Err(StartError::Guardian(io::Error::from_raw_os_error(errno)))
        }
        Some(Report::Ended { .. }) | None => Err(lost()),
    };
    // If nobody waits any more, the tree was dropped, and the guardian is on its way out.
    started.send(start).ok();

    let mut ended = None;
    while let Some(report) = read_report(&mut control) {
        if let Report::Ended { status: raw } = report {
            let now = end(ExitStatus::from_raw(raw));
            ended = Some(now);
            witness.life.send_replace(Life::Ended(now));
        }
    }
    // A guardian that was killed takes the plugin along and leaves its own status as the only one.
    let own = guardian.wait().unwrap_or_else(|error| {
        warn!(%error, "a plugin's guardian could not be reaped");
        ExitStatus::from_raw(0)
    });
    drop(folder);
    witness.life.send_replace(Life::Gone(ended.unwrap_or_else(|| end(own))));
}

/// `None`: the guardian is gone, or speaks another language.
fn read_report(control: &mut UnixStream) -> Option<Report> {
    let mut frame = [0; FRAME_BYTES];
    control.read_exact(&mut frame).ok()?;
    Report::decode(frame)
}

fn lost() -> StartError {
    StartError::Guardian(io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "it ended without a report; is it a wharf-launch of this version?",
    ))
}
