//! gpg with a home of its own, as a judge of signatures and as somebody who signs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A home with keys; its agent ends with it.
#[derive(Debug)]
pub struct Gpg {
    home: TempDir,
}

impl Gpg {
    /// One without keys.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn new() -> Self {
        // Sockets lie in it, so its path is short; and gpg wants it closed to others, as such folders are.
        let home = tempfile::Builder::new().prefix("gpg-").tempdir_in("/tmp").expect("a folder");
        Self { home }
    }

    /// Runs gpg.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn try_run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--yes", "--no-tty", "--homedir"]).arg(self.home.path());
        command.args(["--pinentry-mode", "loopback"]).args(arguments).env("LC_ALL", "C");
        command.output().expect("gpg starts; tests/run installs it")
    }

    /// Runs gpg, which must succeed; both outputs.
    ///
    /// # Panics
    /// When it does not.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.try_run(arguments);
        let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        assert!(output.status.success(), "gpg {arguments:?}: {out}{err}");
        format!("{out}{err}")
    }

    /// Makes a key that signs, with this passphrase.
    pub fn key(&self, user: &str, algorithm: &str, passphrase: &str) {
        let made =
            ["--passphrase", passphrase, "--quick-gen-key", user, algorithm, "sign", "never"];
        self.run(&made);
    }

    /// Writes a key to a file: `--export --armor`, `--export`, `--export-secret-keys --armor`.
    ///
    /// # Panics
    /// When gpg does not.
    pub fn export(&self, user: &str, name: &str, how: &[&str]) -> PathBuf {
        let path = self.home.path().join(name);
        let mut arguments = vec!["--output", path.to_str().expect("UTF-8"), "--passphrase", ""];
        arguments.extend(how);
        arguments.push(user);
        self.run(&arguments);
        path
    }

    /// Signs a file into another one: `--clear-sign` or `--detach-sign --armor`, and more options.
    ///
    /// # Panics
    /// When gpg does not.
    pub fn sign(&self, user: &str, from: &Path, to: &Path, how: &[&str]) {
        let mut arguments = vec!["--passphrase", "", "--local-user", user];
        arguments.extend(["--output", to.to_str().expect("UTF-8")]);
        arguments.extend(how);
        arguments.push(from.to_str().expect("UTF-8"));
        self.run(&arguments);
    }
}

impl Default for Gpg {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut end = Command::new("gpgconf");
        // What cannot be ended ends by itself once its folder is gone.
        let _ended = end.arg("--homedir").arg(self.home.path()).args(["--kill", "all"]).output();
    }
}
