//! Hosts on the real Go library, and what they say about a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::places::{has, peers};
use crate::processes::output;
use crate::program::Program;
use crate::world::World;

/// A version of the Go library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// The current release.
    Current,
    /// 1.0.1 of 2019, with the gRPC of its time.
    Old,
}

impl Library {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Current, Self::Old];

    /// Where its programs are.
    pub(crate) fn folder(self) -> PathBuf {
        peers().join("bin").join(match self {
            Self::Current => "current",
            Self::Old => "old",
        })
    }
}

/// A run of a Go host, to be.
#[derive(Debug)]
#[must_use = "nothing runs before `run`"]
pub struct GoHost {
    command: Command,
}

impl GoHost {
    /// A host on this library.
    pub fn new(library: Library) -> Option<Self> {
        has("go").then(|| Self { command: Command::new(library.folder().join("go-host")) })
    }

    /// One more argument.
    pub fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    /// With `AutoMTLS`.
    pub fn mtls(self, mtls: bool) -> Self {
        if mtls { self.arg("-mtls") } else { self }
    }

    /// With multiplexing.
    pub fn mux(self, mux: bool) -> Self {
        if mux { self.arg("-mux") } else { self }
    }

    /// What to do once the plugin runs, joined by commas.
    pub fn steps(self, steps: &str) -> Self {
        self.arg("-steps").arg(steps)
    }

    /// A variable of the host, which its plugin inherits.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it on a plugin, with the world's folder for temporary files, and waits for its end.
    ///
    /// # Panics
    /// When it does not say what came of it.
    pub fn run(self, world: &World, plugin: &Program) -> HostRun {
        self.on(plugin).finish(world)
    }

    /// Whether it comes to an end of its own.
    pub fn succeeds(self, world: &World, plugin: &Program) -> bool {
        self.on(plugin).output(world).status.success()
    }

    fn on(mut self, plugin: &Program) -> Self {
        let (key, value) = &plugin.cookie;
        self.command.arg("-cookie").arg(format!("{key}={value}"));
        self.command.arg("--").arg(&plugin.path).args(&plugin.args);
        self.command.envs(plugin.env.iter().map(|(name, value)| (name, value)));
        self
    }

    /// Runs it on a plugin that runs already.
    ///
    /// # Panics
    /// As [`GoHost::run`].
    pub fn attach(mut self, world: &World, network: &str, address: &str, pid: u32) -> HostRun {
        self.command.arg("-reattach").arg(format!("{network},{address},{pid}"));
        self.finish(world)
    }

    fn output(mut self, world: &World) -> Output {
        let (mark, value) = world.mark();
        output(self.command.env("TMPDIR", world.path()).env(mark, value))
    }

    fn finish(self, world: &World) -> HostRun {
        let output = self.output(world);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the Go host: {} {said}", output.status);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{error} in {}\n{said}", String::from_utf8_lossy(&output.stdout))
        })
    }
}

/// What a Go host says at its end.
#[derive(Debug, Deserialize)]
pub struct HostRun {
    /// Whether the handshake succeeded.
    pub started: bool,
    /// Why not.
    #[serde(default)]
    pub error: String,
    /// The negotiated application version.
    pub version: u32,
    steps: Option<Vec<StepResult>>,
    /// How long `Kill` took, in milliseconds.
    pub stop_ms: u64,
    /// Whether the library believes that the plugin has ended.
    pub exited: bool,
    /// The plugin's exit status; negative when a signal ended it.
    pub status: i32,
    /// Whether the library had to kill it.
    pub killed: bool,
    logs: Option<Vec<Map<String, Value>>>,
    stdout: Option<String>,
    stderr: Option<String>,
    raw_stderr: Option<String>,
}

/// What came of one step.
#[derive(Debug, Deserialize)]
pub struct StepResult {
    /// As it was asked for.
    pub name: String,
    /// Why it failed; empty if it did not.
    #[serde(default)]
    pub error: String,
    /// The gRPC status of the failure, as Go names it.
    #[serde(default)]
    pub code: String,
    /// How long it took.
    pub ms: u64,
    /// What it found.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

impl HostRun {
    /// All steps, in order.
    pub fn steps(&self) -> &[StepResult] {
        self.steps.as_deref().unwrap_or_default()
    }

    /// One step by its name.
    ///
    /// # Panics
    /// When it was not taken.
    pub fn step(&self, name: &str) -> &StepResult {
        let found = self.steps().iter().find(|step| step.name == name);
        found.unwrap_or_else(|| panic!("no step {name}: {self:#?}"))
    }

    /// Checks that everything succeeded and the plugin went when it was asked to.
    ///
    /// # Panics
    /// When it did not.
    pub fn check(&self) {
        assert!(self.started, "not started: {}", self.error);
        for step in self.steps() {
            assert!(step.error.is_empty(), "{}: {}", step.name, step.error);
        }
        assert!(!self.killed, "killed after {} ms: {:#?}", self.stop_ms, self.logs);
        assert!(self.exited && self.status == 0, "status {}", self.status);
        assert!(self.stop_ms < 1_900, "the stop took {} ms", self.stop_ms);
    }

    /// What the host logged, its own lines and the plugin's.
    pub fn logs(&self) -> &[Map<String, Value>] {
        self.logs.as_deref().unwrap_or_default()
    }

    /// The logged lines with this text, or that begin with it.
    pub fn logged(&self, text: &str) -> Vec<&Map<String, Value>> {
        let message = |line: &Map<String, Value>| {
            line.get("@message").and_then(Value::as_str).is_some_and(|it| it.starts_with(text))
        };
        self.logs().iter().filter(|line| message(line)).collect()
    }

    /// What came through the stdio service as standard output.
    pub fn stdout(&self) -> Vec<u8> {
        bytes(self.stdout.as_deref())
    }

    /// What came through the stdio service as standard error.
    pub fn stderr(&self) -> Vec<u8> {
        bytes(self.stderr.as_deref())
    }

    /// The plugin's real standard error.
    pub fn raw_stderr(&self) -> String {
        String::from_utf8_lossy(&bytes(self.raw_stderr.as_deref())).into_owned()
    }
}

fn bytes(text: Option<&str>) -> Vec<u8> {
    BASE64_STANDARD.decode(text.unwrap_or_default()).expect("Go encodes bytes as base64")
}
