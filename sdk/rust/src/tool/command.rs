//! What to run, and what to make of what it writes.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::Level;

use crate::Progress;

/// Time that a program may take if nobody says otherwise.
const LIMIT: Duration = Duration::from_hours(1);

/// A program with its arguments. Its environment is the plugin's own, with `TMPDIR` in the job's folder, messages in
/// English, and the folders of system programs in `PATH`.
#[derive(Clone, Debug)]
pub struct Command {
    pub(super) program: OsString,
    pub(super) args: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) dir: Option<PathBuf>,
    pub(super) stdin: Option<PathBuf>,
    pub(super) package: Option<String>,
}

impl Command {
    /// A program, by its name in `PATH` or by its path.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            stdin: None,
            package: None,
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// A variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The folder it runs in; without it, the job's.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// The file that is its standard input.
    #[must_use]
    pub fn stdin(mut self, path: impl Into<PathBuf>) -> Self {
        self.stdin = Some(path.into());
        self
    }

    /// The Debian package that brings it, named when the program is missing.
    #[must_use]
    pub fn package(mut self, package: impl Into<String>) -> Self {
        self.package = Some(package.into());
        self
    }

    /// The program's name without its folder.
    pub fn name(&self) -> String {
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        name.to_string_lossy().into_owned()
    }

    /// The arguments so far.
    pub fn arguments(&self) -> impl Iterator<Item = &OsStr> {
        self.args.iter().map(OsString::as_os_str)
    }
}

pub(super) type ReadProgress = dyn Fn(&str) -> Option<Progress> + Send + Sync;

/// How a program is run.
pub struct Options {
    pub(super) phase: String,
    pub(super) limit: Duration,
    pub(super) level: Level,
    pub(super) progress: Option<Box<ReadProgress>>,
    pub(super) capture: Option<usize>,
}

impl Options {
    /// An hour, lines of the log at level info. Phase: a word for what goes on, shown as progress: `converting`.
    pub fn new(phase: impl Into<String>) -> Self {
        let phase = phase.into();
        Self { phase, limit: LIMIT, level: Level::INFO, progress: None, capture: None }
    }

    /// The time after which it is ended.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The level of its lines in the job's log.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Looks at each line, which ends with a line feed or a carriage return, before it is logged: a line that is progress
    /// is shown as such and not logged.
    #[must_use]
    pub fn progress(
        mut self,
        read: impl Fn(&str) -> Option<Progress> + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Box::new(read));
        self
    }

    /// Keeps standard output, up to this many bytes, instead of logging it.
    #[must_use]
    pub fn capture(mut self, max_bytes: usize) -> Self {
        self.capture = Some(max_bytes);
        self
    }
}

/// What a program left when it succeeded.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// Its standard output, if [`Options::capture`] asked for it.
    pub stdout: Vec<u8>,
    /// The last lines that it wrote to the log, 20 at most.
    pub last_lines: Vec<String>,
}

impl Output {
    /// Its standard output as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}
