//! One command, from its start to its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::TestHost;
use super::install::program;
use crate::{processes, wait};

/// How long a command may take.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// Numbers the files that output goes to.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// A command that has ended.
#[derive(Debug)]
pub struct Run {
    /// The exit status; 128 and the signal when it was killed.
    pub status: i32,
    /// The last line of standard output; null when it is no JSON.
    pub json: Value,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// From its start to its end.
    pub took: Duration,
}

impl Run {
    /// The problem's code; empty without a problem.
    pub fn code(&self) -> &str {
        self.json["problem"]["code"].as_str().unwrap_or_default()
    }

    /// The problem's class; empty without a problem.
    pub fn class(&self) -> &str {
        self.json["problem"]["class"].as_str().unwrap_or_default()
    }

    /// The problem's message and whatever else people are shown.
    pub fn words(&self) -> String {
        format!("{} {}", self.json["problem"], self.stderr)
    }

    /// Checks how it ended: the exit status and the first word of the problem's code.
    ///
    /// # Panics
    /// When it ended otherwise.
    pub fn ended(&self, status: i32, code: &str) -> &Self {
        let first = self.code().split('.').next().unwrap_or_default();
        assert_eq!((self.status, first), (status, code), "{self:#?}");
        self
    }

    /// Checks that people are told all of this.
    ///
    /// # Panics
    /// When they are not.
    pub fn says(&self, words: &[&str]) -> &Self {
        let told = self.words();
        for word in words {
            assert!(told.contains(word), "\"{word}\" is missing in: {told}");
        }
        self
    }
}

/// A command that runs.
#[derive(Debug)]
pub struct Background {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    started: Instant,
}

impl Background {
    pub(super) fn start(host: &TestHost, arguments: &[&str]) -> Self {
        let mut command = Command::new(program("wharf"));
        if !arguments.contains(&"--output") {
            command.args(["--output", "json"]);
        }
        command.args(arguments);
        Self::spawn(host, command)
    }

    pub(super) fn start_program(host: &TestHost, program: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments);
        Self::spawn(host, command)
    }

    /// Starts a program in the surroundings of this host.
    pub(super) fn spawn(host: &TestHost, command: Command) -> Self {
        Self::spawn_reading(host, command, Stdio::null())
    }

    fn spawn_reading(host: &TestHost, mut command: Command, stdin: Stdio) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let stdout = host.folder().join(format!("out-{number}"));
        let stderr = host.folder().join(format!("err-{number}"));
        let file = |path: &PathBuf| Stdio::from(File::create(path).expect("a file"));
        command
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _value)| name == "PATH"))
            .env("HOME", host.folder())
            .env("TMPDIR", host.temporary())
            .env("WHARF_DATA", host.data())
            .env("WHARF_PLUGIN_PATH", host.plugins())
            .env("WHARF_RUNTIME_DIR", host.runtime())
            .env("WHARF_LOG", "info")
            // F26: no plugin may see it.
            .env("WHARF_TEST_SECRET", "hunter2")
            .envs(&host.variables)
            .stdin(stdin)
            .stdout(file(&stdout))
            .stderr(file(&stderr));
        let child = command.spawn().expect("the program can be started");
        Self { child, stdout, stderr, started: Instant::now() }
    }

    /// Starts a command that finds this at its standard input.
    pub(super) fn start_given(host: &TestHost, arguments: &[&str], input: &[u8]) -> Self {
        use std::io::Write as _;
        let mut command = Command::new(program("wharf"));
        command.args(["--output", "json"]).args(arguments);
        let mut started = Self::spawn_reading(host, command, Stdio::piped());
        let mut stdin = started.child.stdin.take().expect("it is piped");
        stdin.write_all(input).expect("the command reads");
        started
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).unwrap_or_default()).into_owned()
    }

    /// What it wrote to standard output so far.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stdout).unwrap_or_default()).into_owned()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        processes::kill(self.pid(), signal);
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// When it cannot be asked.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_some()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it takes too long.
    pub fn wait(self) -> Run {
        self.wait_within(PATIENCE)
    }

    /// The same for what takes long.
    ///
    /// # Panics
    /// When it takes longer.
    pub fn wait_within(mut self, patience: Duration) -> Run {
        use std::os::unix::process::ExitStatusExt as _;
        let end = wait::until("the command ends", patience, || {
            self.child.try_wait().expect("our own child").map(|status| (status, Instant::now()))
        });
        let (status, ended) = end;
        let read = |path: &PathBuf| {
            String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
        };
        let (stdout, stderr) = (read(&self.stdout), read(&self.stderr));
        let json = stdout.lines().last().and_then(|line| serde_json::from_str(line).ok());
        Run {
            status: status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
            json: json.unwrap_or_default(),
            stdout,
            stderr,
            took: ended - self.started,
        }
    }
}

impl Drop for Background {
    /// Ends it if a test forgot it, or failed.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
