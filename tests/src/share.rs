//! What tests do with every server of files: each has a folder `files` in its own.

use std::path::PathBuf;

use crate::daemon::Daemon;
use crate::tree;

/// A server over a folder of files.
pub trait Share {
    /// Its process.
    fn daemon(&self) -> &Daemon;

    /// Its process, to be ended and started.
    fn daemon_mut(&mut self) -> &mut Daemon;

    /// Its port on 127.0.0.1.
    fn port(&self) -> u16 {
        self.daemon().port()
    }

    /// Where its files lie.
    fn files(&self) -> PathBuf {
        self.daemon().folder().join("files")
    }

    /// Writes a file, with the folders that it needs.
    ///
    /// # Panics
    /// When that is not possible.
    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        tree::write(&self.files(), path, bytes.as_ref());
    }

    /// SIGKILL to the server and all its processes: their clients see broken connections.
    ///
    /// # Panics
    /// When it does not run.
    fn kill(&mut self) {
        self.daemon_mut().kill();
    }

    /// Starts it again after [`Share::kill`], on the same port.
    ///
    /// # Panics
    /// When it does not start.
    fn restart(&mut self) {
        self.daemon_mut().restart();
    }
}
