//! A process that somebody else started, held by a pidfd: a signal can never reach another process
//! that got its number.
//!
//! Whoever waits for its end looks again and again, as go-plugin's hosts do: to be woken by a pidfd
//! takes `unsafe` code in tokio, or a thread per process.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::sleep;

use crate::exit::End;
use crate::launch::folder::PluginFolder;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The host's hold on it. Dropping it lets go.
#[derive(Debug)]
pub(crate) struct Attached {
    handle: OwnedFd,
    pid: u32,
    test: bool,
    /// For the sockets of the host's own broker.
    _folder: PluginFolder,
}

impl Attached {
    /// # Errors
    /// There is no such process.
    pub(crate) fn find(pid: u32, test: bool, folder: PluginFolder) -> io::Result<Self> {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let handle = pidfd_open(number.ok_or(rustix::io::Errno::SRCH)?, PidfdFlags::empty())?;
        Ok(Self { handle, pid, test, _folder: folder })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the process belongs to somebody who debugs it, and is never touched.
    pub(crate) fn is_test(&self) -> bool {
        self.test
    }

    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// How it ended is known to its parent alone.
    pub(crate) fn status(&self) -> Option<End> {
        let mut handle = [PollFd::new(&self.handle, PollFlags::IN)];
        let ended = poll(&mut handle, Some(&Timespec::default())).is_ok_and(|count| count > 0);
        ended.then(End::default)
    }

    pub(crate) async fn ended(&self) -> End {
        loop {
            if let Some(end) = self.status() {
                return end;
            }
            sleep(PAUSE).await;
        }
    }

    /// It may be gone already.
    fn signal(&self, signal: Signal) {
        if !self.test {
            pidfd_send_signal(&self.handle, signal).ok();
        }
    }
}
