//! Stage one: the process that stays.
//!
//! Two threads. The main one starts stage two and then only reaps, because the parent-death signal
//! follows the thread that forked, and because whoever reaps last knows that nothing is left. The
//! other one listens to the host.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use close_fds::CloseFdsBuilder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{self, Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, WaitStatus};

use super::frames::{KILL, NOT_STARTED, Report, Step, TERMINATE};
use super::grant::Grant;
use super::{STAGE, TOKEN, descendants};
use crate::launch::folder::remove_orphaned;

/// The listener reads single bytes.
const STACK_BYTES: usize = 64 << 10;

/// Why the plugin's program does not run.
struct Failure {
    step: Step,
    source: io::Error,
}

fn prepare(source: impl Into<io::Error>) -> Failure {
    Failure { step: Step::Prepare, source: source.into() }
}

/// `args`: the plugin's folder, its program and that one's arguments.
pub(super) fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(folder) = args.next() else { return ExitCode::from(NOT_STARTED) };
    let Ok(control) = io::stdin().as_fd().try_clone_to_owned() else {
        return ExitCode::from(NOT_STARTED);
    };
    let control = Arc::new(UnixStream::from(control));
    let end = start(&control, args).and_then(|plugin| watch(&control, plugin));
    if host_is_gone(&control) {
        remove_orphaned(folder.as_ref());
    }
    match end {
        Ok(status) => end_like(status),
        Err(failure) => {
            let errno = failure.source.raw_os_error().unwrap_or_default();
            tell(&control, Report::Failed { errno, step: failure.step });
            ExitCode::from(NOT_STARTED)
        }
    }
}

/// Starts stage two and waits until it has become the plugin.
fn start(control: &UnixStream, program: impl Iterator<Item = OsString>) -> Result<Pid, Failure> {
    let grant = Grant::receive(control).map_err(prepare)?;
    // Fails only for a process that leads a group already, as one started by hand in a shell does.
    process::setsid().ok();
    process::set_child_subreaper(Some(process::getpid())).map_err(prepare)?;
    // A plugin's memory holds secrets, and this process is to die by the plugin's signal without a
    // dump.
    let no_core = Rlimit { current: Some(0), ..process::getrlimit(Resource::Core) };
    process::setrlimit(Resource::Core, no_core).map_err(prepare)?;
    CloseFdsBuilder::new().cloexecfrom(3);

    let (mut report, theirs) = UnixStream::pair().map_err(prepare)?;
    let mut stage = spawn_stage(program, theirs.into()).map_err(prepare)?;
    release_output().map_err(prepare)?;
    grant.send(&report).map_err(prepare)?;
    drop(grant);
    let mut errno = [0; 4];
    if report.read_exact(&mut errno).is_ok() {
        stage.wait().map_err(prepare)?;
        let source = io::Error::from_raw_os_error(i32::from_le_bytes(errno));
        return Err(Failure { step: Step::Execute, source });
    }
    Ok(Pid::from_child(&stage))
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where plugins start")]
fn spawn_stage(program: impl Iterator<Item = OsString>, report: OwnedFd) -> io::Result<Child> {
    Command::new("/proc/self/exe")
        .arg0("wharf-launch")
        .args([TOKEN, STAGE])
        .arg(process::getpid().as_raw_nonzero().to_string())
        .args(program)
        .stdin(report)
        .spawn()
}

/// Lets go of the plugin's pipes, so that their end is seen when the plugin's last process is gone.
fn release_output() -> io::Result<()> {
    let null = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// Stays until the plugin and all it started are gone.
fn watch(control: &Arc<UnixStream>, plugin: Pid) -> Result<Option<WaitStatus>, Failure> {
    let killing = Arc::new(AtomicBool::new(false));
    if let Err(failure) = listen(Arc::clone(control), plugin, Arc::clone(&killing)) {
        killing.store(true, Ordering::SeqCst);
        descendants::kill_all(process::getpid());
        reap(None, plugin, &killing);
        return Err(failure);
    }
    tell(control, Report::Started { pid: plugin.as_raw_nonzero().get() });
    Ok(reap(Some(control), plugin, &killing))
}

/// Starts the thread that does what the host says.
fn listen(control: Arc<UnixStream>, plugin: Pid, killing: Arc<AtomicBool>) -> Result<(), Failure> {
    let handle = process::pidfd_open(plugin, PidfdFlags::empty()).map_err(prepare)?;
    let obey = move || {
        let mut word = [0];
        loop {
            match (&*control).read(&mut word) {
                Ok(1) if word == [TERMINATE] => {
                    // It may be gone already.
                    process::pidfd_send_signal(&handle, Signal::TERM).ok();
                }
                Ok(1) if word != [KILL] => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                end => {
                    killing.store(true, Ordering::SeqCst);
                    descendants::kill_all(process::getpid());
                    if !matches!(end, Ok(1)) {
                        return;
                    }
                }
            }
        }
    };
    let thread = thread::Builder::new().name("listen".into()).stack_size(STACK_BYTES);
    thread.spawn(obey).map(drop).map_err(prepare)
}

/// Collects dead descendants until there is none, neither dead nor alive. Every process that
/// survives a round of killing was born of one that died in it, and has become this process's child
/// before that one could be collected. So a new round after each harvest misses nothing, and
/// nothing has to be polled.
fn reap(control: Option<&UnixStream>, plugin: Pid, killing: &AtomicBool) -> Option<WaitStatus> {
    let mut ended = None;
    let mut options = WaitOptions::empty();
    loop {
        match process::wait(options) {
            Ok(Some((pid, status))) => {
                if pid == plugin {
                    ended = Some(status);
                    killing.store(true, Ordering::SeqCst);
                    if let Some(control) = control {
                        tell(control, Report::Ended { status: status.as_raw() });
                    }
                }
                if killing.load(Ordering::SeqCst) {
                    options = WaitOptions::NOHANG;
                }
            }
            Ok(None) => {
                descendants::kill_all(process::getpid());
                options = WaitOptions::empty();
            }
            Err(Errno::INTR) => {}
            Err(_nothing_left) => return ended,
        }
    }
}

/// Nobody holds the other end, neither to speak nor to listen.
fn host_is_gone(control: &UnixStream) -> bool {
    let mut ends = [PollFd::new(control, PollFlags::empty())];
    poll(&mut ends, Some(&Timespec::default())).is_ok()
        && ends.iter().any(|end| end.revents().contains(PollFlags::HUP))
}

/// A host that is gone needs no report.
fn tell(mut control: &UnixStream, report: Report) {
    control.write_all(&report.encode()).ok();
}

/// Ends this process as the plugin ended.
fn end_like(status: Option<WaitStatus>) -> ExitCode {
    let Some(status) = status else { return ExitCode::from(NOT_STARTED) };
    if let Some(code) = status.exit_status() {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    let number = status.terminating_signal().unwrap_or_default();
    if let Some(signal) = Signal::from_named_raw(number) {
        // The runtime's own handler for memory faults takes the first one and steps aside for the
        // second.
        for _round in 0..2 {
            process::kill_process(process::getpid(), signal).ok();
        }
    }
    ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX))
}
