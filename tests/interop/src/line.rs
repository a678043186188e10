//! A plugin that is started by hand, so that its handshake line can be looked at as it is.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::processes::signal;
use crate::program::Program;
use crate::world::World;

/// How long its first line may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running plugin without a host. It is killed when this is dropped.
#[derive(Debug)]
pub struct Spoken {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    /// The first line as it was printed, without its end.
    pub line: String,
}

impl Spoken {
    /// Starts it with its cookie and these variables, and reads one line. Its temporary folder is the world's.
    pub fn start(world: &World, program: &Program, variables: &[(&str, &str)]) -> Self {
        let (mark, value) = world.mark();
        let mut child = Command::new(&program.path)
            .args(&program.args)
            .env(&program.cookie.0, &program.cookie.1)
            .env("PLUGIN_PROTOCOL_VERSIONS", "1")
            .env("TMPDIR", world.path())
            .env(mark, value)
            .envs(program.env.iter().map(|(name, value)| (name, value)))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the plugin starts");
        let stdout = child.stdout.take().expect("it was piped");
        let (found, first) = sync_channel(1);
        std::thread::spawn(move || {
            let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
            stdout.read_line(&mut line).expect("a line of text");
            // Nobody waits for a line that comes too late.
            found.send((stdout, line)).ok();
        });
        let (stdout, mut line) = first.recv_timeout(PATIENCE).expect("a line in time");
        assert_eq!(line.pop(), Some('\n'), "no line, or not a whole one");
        Self { child, stdout, line }
    }

    /// The fields of the line.
    pub fn fields(&self) -> Vec<&str> {
        self.line.split('|').collect()
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end by this signal, and reads what it still printed.
    ///
    /// # Panics
    /// When it does not end within ten seconds.
    pub fn end(mut self, by: Signal) -> (ExitStatus, String) {
        signal(self.pid(), by);
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("text");
        (status, rest)
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
