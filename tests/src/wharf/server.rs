//! A server in the background.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use super::TestHost;
use super::install::program;
use super::run::{Background, Run};
use crate::wait;

/// How long the server waits for its plugins and for upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As `wharf serve` does.
    Usual,
    /// A second or two, so that tests of silence end soon: the same server, started by `wharf-impatient-host`.
    Short,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Background,
    content: String,
}

impl Server {
    pub(super) fn start(host: &TestHost, patience: Patience, more: &[&str]) -> Self {
        let listen = "127.0.0.1:0";
        let mut command = match patience {
            Patience::Usual => Command::new(program("wharf")),
            Patience::Short => Command::new(program("wharf-impatient-host")),
        };
        command.args(["serve", "--listen", listen]).args(more);
        let mut process = Background::spawn(host, command);
        let pid = process.pid();
        let record = wait::until("the server answers", wait::PATIENCE, || {
            assert!(!process.has_ended(), "the server ended: {}", process.stderr());
            let text = fs::read(host.data().join("server.json")).ok()?;
            let record: Value = serde_json::from_slice(&text).ok()?;
            (record["pid"].as_u64() == Some(u64::from(pid))).then_some(record)
        });
        let content = record["content"].as_str().expect("it serves content");
        Self { process, content: content.trim_start_matches("http://").to_owned() }
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// HOST:PORT of published content.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// The folder of plugin sockets, as the server's log names it; none before the first plugin was started.
    pub fn runtime(&self) -> Option<PathBuf> {
        let log = self.stderr();
        let line = log.lines().find(|line| line.contains("sockets of plugins"))?;
        let folder = line.split("folder=").nth(1)?.split_whitespace().next()?;
        Some(PathBuf::from(folder))
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// SIGTERM; it must end in good order and take its sockets along.
    pub(super) fn stop(self) -> Run {
        let runtime = self.runtime();
        self.process.signal(Signal::TERM);
        let run = self.process.wait();
        assert_eq!(run.status, 0, "the server ended badly: {run:#?}");
        if let Some(runtime) = runtime {
            assert!(!runtime.exists(), "{} is left behind", runtime.display());
        }
        run
    }

    /// SIGKILL.
    pub(super) fn kill(self) {
        self.process.signal(Signal::KILL);
        drop(self.process.wait());
    }
}
