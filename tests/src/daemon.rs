//! A server that is a process of its own and listens on loopback, for as long as a test needs it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{processes, wait};

/// Ports that are tried: another program may take a free one first.
const TRIES: usize = 5;

/// A running server. Dropping it ends it with all that it started.
#[derive(Debug)]
pub struct Daemon {
    process: Option<Child>,
    command: Command,
    port: u16,
    folder: TempDir,
}

impl Daemon {
    /// Starts what `prepare` makes of its folder and a free port of 127.0.0.1. What it says goes to `output`, in that folder.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    pub fn start(folder: TempDir, prepare: impl Fn(&Path, u16) -> Command) -> Self {
        let mut told = String::new();
        for _try in 0..TRIES {
            let probe = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
            let port = probe.local_addr().expect("it is bound").port();
            let mut command = prepare(folder.path(), port);
            drop(probe);
            match begin(&mut command, folder.path(), port) {
                Ok(process) => return Self { process: Some(process), command, port, folder },
                Err(error) => told = error,
            }
        }
        panic!("{told}");
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// HOST:PORT
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where all that it has lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// SIGKILL to it and to all that it started.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        end(self.process.take().expect("it runs"));
    }

    /// Starts it again after [`Daemon::kill`], on the same port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        let begun = begin(&mut self.command, self.folder.path(), self.port);
        self.process = Some(begun.unwrap_or_else(|told| panic!("once more: {told}")));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            end(process);
        }
    }
}

/// A process that listens on this port, or why it ended.
fn begin(command: &mut Command, folder: &Path, port: u16) -> Result<Child, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let path = folder.join("output");
    let output = File::create(&path).expect("a file");
    let errors = output.try_clone().expect("a handle");
    let spawned = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn();
    let mut process =
        spawned.unwrap_or_else(|error| panic!("{name}: {error}; tests/run installs it"));
    let started = Instant::now();
    let ended = loop {
        let ended = process.try_wait().expect("our own child").is_some();
        // Another server may have taken the port meanwhile, and would answer too.
        if !ended && processes::listens(process.id(), port) {
            return Ok(process);
        }
        if ended || started.elapsed() > wait::PATIENCE {
            break ended;
        }
        thread::sleep(Duration::from_millis(5));
    };
    end(process);
    let told = fs::read_to_string(path).unwrap_or_default();
    assert!(ended, "{name} neither listens on port {port} nor ends: {told}");
    Err(format!("{name} does not start: {told}"))
}

/// Ends a server with its workers and sessions.
fn end(mut process: Child) {
    // A child that it makes meanwhile would be nobody's.
    if process.try_wait().is_ok_and(|ended| ended.is_none()) {
        processes::stop(process.id(), wait::PATIENCE);
    }
    let below = processes::descendants(process.id());
    drop(process.kill());
    drop(process.wait());
    for process in below {
        processes::kill(process.pid, Signal::KILL);
        processes::wait_gone(process.pid, wait::PATIENCE);
    }
}

/// Where a server's program is: not in the search path of ordinary users.
pub(crate) fn program(name: &str) -> PathBuf {
    ["/usr/sbin", "/usr/local/sbin"]
        .into_iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn folder() -> TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    #[should_panic(expected = "sh does not start: taken\n")]
    fn what_a_server_that_does_not_start_says_is_told() {
        Daemon::start(folder(), |_folder, _port| shell("echo taken; exit 1"));
    }

    #[test]
    fn a_server_that_ends_at_once_is_tried_on_another_port_and_comes_back_on_its_own() {
        let ports = RefCell::new(Vec::new());
        let mut daemon = Daemon::start(folder(), |_folder, port| {
            ports.borrow_mut().push(port);
            if ports.borrow().len() == 1 {
                return shell("exit 1");
            }
            // Its child ends with it.
            shell(&format!("sleep 60 & exec python3 -m http.server --bind 127.0.0.1 {port}"))
        });
        assert_eq!((ports.borrow().len(), ports.borrow()[1]), (2, daemon.port()));
        for _round in 0..2 {
            let process = daemon.process.as_ref().expect("it runs").id();
            let below = processes::descendants(process);
            assert!(processes::listens(process, daemon.port()) && below.len() == 1, "{below:?}");
            daemon.kill();
            processes::wait_gone(below[0].pid, Duration::ZERO);
            daemon.restart();
        }
    }
}
