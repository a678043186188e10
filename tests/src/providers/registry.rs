//! Debian's container registry, with one user, and allowed to delete.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{PASSWORD, USER};
use crate::wait;

/// A running registry. Dropping it ends it.
#[derive(Debug)]
pub struct Registry {
    process: Child,
    /// HOST:PORT
    pub address: String,
    folder: TempDir,
}

impl Registry {
    /// Starts it.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    pub fn start() -> Self {
        let folder =
            tempfile::Builder::new().prefix("wharf-registry-").tempdir().expect("a folder");
        let place = folder.path().display();
        let users = Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]).output();
        let users = users.expect("htpasswd is installed: tests/run sees to it").stdout;
        fs::write(folder.path().join("users"), users).expect("a file");
        let configuration = format!(
            "version: 0.1\nlog: {{ level: info }}\n\
             storage: {{ filesystem: {{ rootdirectory: {place}/data }}, delete: {{ enabled: true }} }}\n\
             http: {{ addr: 127.0.0.1:0 }}\n\
             auth: {{ htpasswd: {{ realm: tests, path: {place}/users }} }}\n"
        );
        let path = folder.path().join("config.yml");
        fs::write(&path, configuration).expect("a file");
        let log = folder.path().join("log");
        let output =
            || Stdio::from(File::options().append(true).create(true).open(&log).expect("a file"));
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&path)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn()
            .expect("docker-registry is installed: tests/run sees to it");
        let address = wait::until("the registry listens", wait::PATIENCE, || {
            let told = fs::read_to_string(&log).unwrap_or_default();
            let ended = process.try_wait().expect("our own child");
            assert!(ended.is_none(), "the registry does not start: {told}");
            let address = told.split("listening on ").nth(1)?.split(['"', ' ', '\n']).next()?;
            Some(address.to_owned())
        });
        Self { process, address, folder }
    }

    /// Where uploads that were begun lie.
    pub fn unfinished(&self) -> Vec<PathBuf> {
        let names = self.folder.path().join("data/docker/registry/v2/repositories");
        let mut found = Vec::new();
        for name in fs::read_dir(names).into_iter().flatten().flatten() {
            let uploads = fs::read_dir(name.path().join("_uploads")).into_iter().flatten();
            found.extend(uploads.flatten().map(|entry| entry.path()));
        }
        found
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
