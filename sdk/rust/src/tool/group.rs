//! The processes of one run: a group of their own, that is ended as a whole.
//!
//! A program that leaves its group (a daemon) is out of reach here; the host's guardian ends it with the plugin.

use std::fs::File;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::time::{Instant, sleep, timeout};

use super::{Command, failure, find};
use crate::{Context, Error};

/// Time that the processes have to clean up after themselves.
const POLITE: Duration = Duration::from_secs(3);
/// Time after which what was killed is certainly gone, or hangs in the kernel.
const FIRM: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A started program and all that it started. Dropping it kills them.
pub(super) struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    pub(super) fn start(context: &Context, command: &Command) -> Result<Self, Error> {
        let Some(program) = find::find(&command.program) else {
            return Err(failure::missing(command));
        };
        let failed = |error: io::Error| failure::not_started(command, &error);
        let stdin = match &command.stdin {
            Some(path) => Stdio::from(File::open(path).map_err(failed)?),
            None => Stdio::null(),
        };
        #[expect(clippy::disallowed_methods, reason = "a plugin's tools start here, and only here")]
        let mut process = tokio::process::Command::new(program);
        process
            .args(&command.args)
            .env("PATH", find::search_path())
            .env("LC_ALL", "C.UTF-8")
            .env("TMPDIR", context.work_dir())
            .envs(command.env.iter().map(|(name, value)| (name, value)))
            .current_dir(command.dir.as_deref().unwrap_or(context.work_dir()))
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let child = process.spawn().map_err(failed)?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, id })
    }

    pub(super) fn pipes(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for the program itself. Dropping the future loses nothing.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Ends whatever is left: asks first, so that a tool removes its own temporary files, then kills.
    pub(super) async fn end(mut self) {
        self.signal(Signal::TERM);
        if !self.is_gone_within(POLITE).await {
            self.signal(Signal::KILL);
            self.is_gone_within(FIRM).await;
        }
        self.id = None;
    }

    async fn is_gone_within(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        // The program itself counts as a member until somebody asks how it ended.
        let reaped = timeout(patience, self.child.wait()).await.is_ok();
        while reaped && self.is_alive() && Instant::now() < deadline {
            sleep(LOOK_EVERY).await;
        }
        reaped && !self.is_alive()
    }

    fn is_alive(&self) -> bool {
        self.id.is_some_and(|id| test_kill_process_group(id).is_ok())
    }

    /// A group that is gone needs no signal.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(id) = self.id {
            kill_process_group(id, signal).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
