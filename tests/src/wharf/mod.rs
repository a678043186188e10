//! A host to test: the program `wharf` of this build, with a data folder, plugins and processes of its own.
//!
//! Commands run as a user runs them, with `--output json`. A server runs in the background when a test asks for one;
//! its address is read from `server.json`. `finish` stops it and checks that nothing is left behind.

mod install;
mod run;
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub use install::{link, program};
pub use run::{Background, Run};
pub use server::{Patience, Server};

use crate::http::{self, Answer, Request};
use crate::{invariants, processes};

/// How long processes may take to be gone: the promise is two seconds (F156), the rest is for a busy machine.
pub const GONE: Duration = Duration::from_secs(10);

/// A data folder, plugins, and whatever runs on them.
#[derive(Debug)]
pub struct TestHost {
    folder: TempDir,
    server: Option<Server>,
    /// Further variables of its programs.
    variables: BTreeMap<String, String>,
}

impl TestHost {
    /// A host with the file plugin.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-test-").tempdir().expect("a folder");
        let host = Self { folder, server: None, variables: BTreeMap::new() };
        std::fs::create_dir(host.temporary()).expect("a folder");
        host.install("file");
        host
    }

    /// A host with the file plugin and the misbehaving one.
    pub fn with_misbehave() -> Self {
        let host = Self::new();
        host.install("misbehave");
        host
    }

    /// Everything of this host is below this folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Where the host's programs put temporary files.
    pub fn temporary(&self) -> PathBuf {
        self.folder().join("tmp")
    }

    /// Where the host's folder for sockets is made. No other host has its own there.
    pub fn runtime(&self) -> PathBuf {
        self.folder().join("run")
    }

    /// What all processes of this host and its plugins carry.
    pub fn mark(&self) -> String {
        self.folder().file_name().expect("a folder has a name").to_string_lossy().into_owned()
    }

    /// From now on its programs find this variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Runs a command to its end.
    pub fn wharf(&self, arguments: &[&str]) -> Run {
        self.start(arguments).wait()
    }

    /// Runs a command to its end that finds this at its standard input.
    pub fn given(&self, input: &[u8], arguments: &[&str]) -> Run {
        Background::start_given(self, arguments, input).wait()
    }

    /// Runs a command that must succeed, and returns its JSON.
    ///
    /// # Panics
    /// When it does not.
    pub fn ok(&self, arguments: &[&str]) -> Value {
        self.ok_within(run::PATIENCE, arguments)
    }

    /// The same for a command that takes long.
    ///
    /// # Panics
    /// When it fails, or takes longer.
    pub fn ok_within(&self, patience: Duration, arguments: &[&str]) -> Value {
        let run = self.start(arguments).wait_within(patience);
        assert_eq!(run.status, 0, "wharf {}: {run:#?}", arguments.join(" "));
        run.json
    }

    /// Creates a repository and attaches components with settings: `("file.importer", &["url=..."])`.
    pub fn repository(&self, name: &str, attachments: &[(&str, &[&str])]) {
        self.ok(&["repo", "create", name]);
        for (component, settings) in attachments {
            self.attach(name, component, settings);
        }
    }

    /// Attaches a component with settings.
    pub fn attach(&self, name: &str, component: &str, settings: &[&str]) {
        let mut arguments = vec!["attach", name, component];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        self.ok(&arguments);
    }

    /// Starts a command and leaves it running.
    pub fn start(&self, arguments: &[&str]) -> Background {
        Background::start(self, arguments)
    }

    /// Starts another program than this build's `wharf`, in the same surroundings.
    pub fn start_program(&self, program: &Path, arguments: &[&str]) -> Background {
        Background::start_program(self, program, arguments)
    }

    /// Starts `wharf serve`.
    pub fn serve(&mut self) {
        self.serve_with(Patience::Usual);
    }

    /// Starts a server with this patience.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn serve_with(&mut self, patience: Patience) {
        assert!(self.server.is_none(), "a server runs already");
        self.server = Some(Server::start(self, patience, &[]));
    }

    /// Starts `wharf serve` with further arguments.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn serve_asked(&mut self, more: &[&str]) {
        assert!(self.server.is_none(), "a server runs already");
        self.server = Some(Server::start(self, Patience::Usual, more));
    }

    /// The running server.
    ///
    /// # Panics
    /// When none runs.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("a server was started")
    }

    /// SIGKILL to the server, and it is gone.
    ///
    /// # Panics
    /// When none runs.
    pub fn kill_server(&mut self) {
        self.server.take().expect("a server was started").kill();
    }

    /// SIGTERM to the server; it must end in good order.
    ///
    /// # Panics
    /// When none runs, or it does not end with status 0.
    pub fn stop_server(&mut self) {
        self.server.take().expect("a server was started").stop();
    }

    /// GET from the server's content address.
    ///
    /// # Panics
    /// When no server runs or it gives no answer.
    pub fn get(&self, path: &str) -> Answer {
        http::get(self.server().content(), path, &[]).expect("the server answers")
    }

    /// A request to the API on the private socket.
    ///
    /// # Panics
    /// When no server runs or it gives no answer.
    pub fn api(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let headers = [("Content-Type", "application/json")];
        let request = Request { method, path, headers: &headers, body };
        http::request_unix(&self.data().join("api.sock"), &request).expect("the API answers")
    }

    /// Stops the server if one runs, and checks the invariants and that no process is left.
    pub fn finish(mut self) {
        if self.server.is_some() {
            self.stop_server();
        }
        processes::wait_none(&self.mark(), GONE);
        invariants::check(&self);
    }
}

impl Default for TestHost {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestHost {
    /// A failed test leaves no process either.
    fn drop(&mut self) {
        drop(self.server.take());
        if std::thread::panicking() {
            for process in processes::marked(&self.mark()) {
                processes::kill(process.pid, rustix::process::Signal::KILL);
            }
        }
    }
}
