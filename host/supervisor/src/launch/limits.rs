//! What one process of a plugin may use of the machine: the kernel's own limits, set before the
//! plugin's program runs and handed down to everything that it starts.
//!
//! Off unless asked for: no number is right for every plugin. Nothing here watches or counts; the
//! kernel refuses or ends what goes too far, and [`crate::Exit::reached`] says so where it shows.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Resource limits of a plugin's processes (`setrlimit(2)`). `None`: what the host itself has. A limit above the host's
/// own is lowered to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Processes and threads. The kernel counts all of the user's, the host's too, and does not
    /// hold root to it (F55).
    pub processes: Option<u64>,
    /// Bytes of address space of one process. It stops a plugin that allocates without end, and
    /// runtimes that reserve much and use little, as Java's, need several GiB (F56).
    pub address_space: Option<u64>,
    /// Open files of one process (F57).
    pub open_files: Option<u64>,
    /// Bytes of one file that a process writes; `SIGXFSZ` beyond (F58).
    pub file_bytes: Option<u64>,
}

impl Limits {
    /// As [`Limits::processes`].
    #[must_use]
    pub fn processes(mut self, most: u64) -> Self {
        self.processes = Some(most);
        self
    }

    /// As [`Limits::address_space`].
    #[must_use]
    pub fn address_space(mut self, bytes: u64) -> Self {
        self.address_space = Some(bytes);
        self
    }

    /// As [`Limits::open_files`].
    #[must_use]
    pub fn open_files(mut self, most: u64) -> Self {
        self.open_files = Some(most);
        self
    }

    /// As [`Limits::file_bytes`].
    #[must_use]
    pub fn file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = Some(bytes);
        self
    }

    /// The stricter of both, limit by limit.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        let stricter = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        Self {
            processes: stricter(self.processes, other.processes),
            address_space: stricter(self.address_space, other.address_space),
            open_files: stricter(self.open_files, other.open_files),
            file_bytes: stricter(self.file_bytes, other.file_bytes),
        }
    }

    /// Sets them for this process and all that it will start.
    pub(super) fn apply(self) -> rustix::io::Result<()> {
        for (resource, most) in [
            (Resource::Nofile, self.open_files),
            (Resource::Fsize, self.file_bytes),
            (Resource::Nproc, self.processes),
            (Resource::As, self.address_space),
        ] {
            let Some(most) = most else { continue };
            let own = getrlimit(resource).maximum;
            let most = Some(own.map_or(most, |own| own.min(most)));
            setrlimit(resource, Rlimit { current: most, maximum: most })?;
        }
        Ok(())
    }
}
