//! The private corner of one test: a folder and a mark, both gone at its end with everything that carries them.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use wharf_supervisor::Launch;

use crate::processes::{MARK, marked, signal, sockets, wait_none};
use crate::program::Program;

/// What may still be ending after a test.
const GRACE: Duration = Duration::from_secs(5);

/// A folder for sockets and files, and the mark of all processes of one test.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
    mark: String,
}

impl World {
    /// A new one.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("wi-").tempdir().expect("a folder");
        let mark = folder.path().to_string_lossy().into_owned();
        Self { folder, mark }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its mark, for the environment of processes that nothing here starts.
    pub fn mark(&self) -> (&'static str, &str) {
        (MARK, &self.mark)
    }

    /// A start of a plugin in here, by wharf's host.
    pub fn launch(&self, program: &Program) -> Launch {
        let mut launch = Launch::new(&program.path)
            .args(&program.args)
            .cookie(&program.cookie.0, &program.cookie.1)
            .versions(&[1])
            .start_timeout(Duration::from_secs(20))
            .runtime_dir(self.path().join("run"))
            .set_env(MARK, &self.mark);
        for (name, value) in &program.env {
            launch = launch.set_env(name, value);
        }
        launch
    }

    /// Ends the test's part: no process and no socket may be left.
    ///
    /// # Panics
    /// When something is.
    pub fn finish(self) {
        wait_none(&self.mark, GRACE);
        let left = sockets(self.path());
        assert!(left.is_empty(), "sockets left behind: {left:?}");
    }

    /// As [`World::finish`], beside Go programs, which leave brokered sockets in the temporary folder, and others
    /// that leave theirs where they were told to put them.
    ///
    /// # Panics
    /// When something of wharf's is left.
    pub fn finish_beside_others(self) {
        wait_none(&self.mark, GRACE);
        let others = |path: &String| Path::new(path).parent() == Some(self.path());
        let left: Vec<String> = sockets(self.path()).into_iter().filter(|it| !others(it)).collect();
        assert!(left.is_empty(), "sockets left behind: {left:?}");
    }

    /// As [`World::finish`], after a SIGKILL of a plugin that had no folder from its host.
    pub fn finish_killed(self) {
        wait_none(&self.mark, GRACE);
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for World {
    /// A test that failed leaves nothing behind either.
    fn drop(&mut self) {
        for pid in marked(&self.mark) {
            signal(pid, rustix::process::Signal::KILL);
        }
    }
}
