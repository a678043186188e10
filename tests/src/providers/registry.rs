//! Debian's container registry, with one user, and allowed to delete.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{PASSWORD, USER};
use crate::daemon::Daemon;

/// A running registry. Dropping it ends it.
#[derive(Debug)]
pub struct Registry {
    /// HOST:PORT
    pub address: String,
    daemon: Daemon,
}

impl Registry {
    /// Starts it.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    pub fn start() -> Self {
        let folder =
            tempfile::Builder::new().prefix("wharf-registry-").tempdir().expect("a folder");
        let users = Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]).output();
        let users = users.expect("htpasswd is installed: tests/run sees to it").stdout;
        fs::write(folder.path().join("users"), users).expect("a file");
        let daemon = Daemon::start(folder, |folder, port| {
            let place = folder.display();
            let configuration = format!(
                "version: 0.1\nlog: {{ level: info }}\n\
                 storage: {{ filesystem: {{ rootdirectory: {place}/data }}, delete: {{ enabled: true }} }}\n\
                 http: {{ addr: 127.0.0.1:{port} }}\n\
                 auth: {{ htpasswd: {{ realm: tests, path: {place}/users }} }}\n"
            );
            let path = folder.join("config.yml");
            fs::write(&path, configuration).expect("a file");
            let mut registry = Command::new("docker-registry");
            registry.arg("serve").arg(path).env("OTEL_TRACES_EXPORTER", "none");
            registry
        });
        Self { address: daemon.address(), daemon }
    }

    /// Where uploads that were begun lie.
    pub fn unfinished(&self) -> Vec<PathBuf> {
        let names = self.daemon.folder().join("data/docker/registry/v2/repositories");
        let mut found = Vec::new();
        for name in fs::read_dir(names).into_iter().flatten().flatten() {
            let uploads = fs::read_dir(name.path().join("_uploads")).into_iter().flatten();
            found.extend(uploads.flatten().map(|entry| entry.path()));
        }
        found
    }
}
