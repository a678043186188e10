//! Stage two: asks for death at its parent's death, takes on its limits, then becomes the plugin.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd, pread};
use rustix::process::{self, Signal};

use super::frames::NOT_STARTED;
use super::grant::Grant;

/// How often, and how far apart, a program that is still being written is tried (F4): one second in
/// all.
const BUSY_TRIES: u32 = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(20);

pub(super) fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    // A duplicate, closed by a successful exec: its end tells the guardian that the plugin runs.
    let Ok(report) = io::stdin().as_fd().try_clone_to_owned() else {
        return ExitCode::from(NOT_STARTED);
    };
    let mut report = UnixStream::from(report);
    let guardian = args.next().unwrap_or_default();
    let error = Grant::receive(&report).map_or_else(
        |error| error,
        |grant| become_plugin(&guardian.to_string_lossy(), args, grant),
    );
    let errno = error.raw_os_error().unwrap_or_default();
    report.write_all(&errno.to_le_bytes()).ok();
    ExitCode::from(NOT_STARTED)
}

/// Returns only if it cannot.
fn become_plugin(
    guardian: &str,
    mut args: impl Iterator<Item = OsString>,
    grant: Grant,
) -> io::Error {
    if let Err(error) = process::set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // The guardian may have died before the wish was known to the kernel.
    let parent = process::getppid().map(|pid| pid.as_raw_nonzero().to_string());
    let (Some(program), true) = (args.next(), parent.as_deref() == Some(guardian)) else {
        return rustix::io::Errno::SRCH.into();
    };
    let path = match &grant.executable {
        Some(file) => match path_of(file) {
            Ok(path) => path,
            Err(error) => return error.into(),
        },
        None => program.clone(),
    };
    #[expect(clippy::disallowed_methods, reason = "this is the one place where plugins start")]
    let mut command = Command::new(path);
    command.arg0(program).args(args).stdin(grant.stdin.map_or_else(Stdio::null, Stdio::from));
    if let Err(error) = grant.limits.apply() {
        return error.into();
    }
    for _try in 1..BUSY_TRIES {
        let error = command.exec();
        if error.kind() != io::ErrorKind::ExecutableFileBusy {
            return error;
        }
        thread::sleep(BUSY_PAUSE);
    }
    command.exec()
}

/// A name for an open file. The interpreter of a script opens it by that name, so for scripts alone
/// it stays open in the plugin.
fn path_of(file: &OwnedFd) -> rustix::io::Result<OsString> {
    let mut start = [0; 2];
    if pread(file, &mut start, 0)? == 2 && start == *b"#!" {
        fcntl_setfd(file, FdFlags::empty())?;
    }
    Ok(format!("/proc/self/fd/{}", file.as_raw_fd()).into())
}
