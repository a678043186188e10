//! How a plugin process ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use crate::launch::Limits;

/// The end of a plugin process, with what is needed to explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exit {
    /// Its exit status, if it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What the host did to end it. `None`: the plugin ended without being asked to.
    pub by_host: Option<ByHost>,
    /// What it had run out of, if that is known or very likely.
    pub reached: Option<Reached>,
    /// The last lines that it wrote to standard error, oldest first, at most 20, safe to be shown.
    pub stderr: Vec<String>,
}

/// Why a host ended a plugin process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByHost {
    /// It was asked to stop.
    Stopped,
    /// It was killed, because someone wanted it gone at once or because the last handle was
    /// dropped.
    Killed,
    /// It did not answer in time (F50).
    Unresponsive {
        /// How long the host waited.
        after: Duration,
    },
}

/// What a plugin process ran out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reached {
    /// The memory of the machine, or of the host's control group: the kernel killed it (F49).
    Memory,
    /// [`Limits::address_space`] (F56).
    AddressSpace,
    /// The largest file that it may write: [`Limits::file_bytes`] (F58).
    FileSize,
    /// The time that it may run on a processor.
    CpuTime,
    /// [`Limits::open_files`] (F57).
    OpenFiles,
    /// [`Limits::processes`] (F55).
    Processes,
}

/// How a process ended, as it is known before its last words are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct End {
    /// `None`: nobody who could tell it was there.
    pub(crate) status: Option<ExitStatus>,
    /// The kernel killed for lack of memory while it ran.
    pub(crate) memory_ran_out: bool,
    /// What it had been given.
    pub(crate) limits: Limits,
}

impl Exit {
    pub(crate) fn new(end: End, by_host: Option<ByHost>, stderr: Vec<String>) -> Self {
        let code = end.status.and_then(|status| status.code());
        let signal = end.status.and_then(|status| status.signal());
        let mut exit = Self { code, signal, by_host, reached: None, stderr };
        if exit.is_crash() && code != Some(0) {
            exit.reached = exit.reached(&end);
        }
        exit
    }

    /// Of a process whose end was not seen in time.
    pub(crate) fn unseen(by_host: ByHost, stderr: Vec<String>) -> Self {
        Self { code: None, signal: None, by_host: Some(by_host), reached: None, stderr }
    }

    /// Whether the plugin ended although nobody asked it to, whatever its status says.
    pub fn is_crash(&self) -> bool {
        !matches!(self.by_host, Some(ByHost::Stopped | ByHost::Killed))
    }

    /// The class word of the fault: `unresponsive` when the host ended it for that, `limit` when it
    /// reached a limit of its own, else `crashed`, also for lack of memory.
    pub fn fault(&self) -> &'static str {
        match (self.by_host, self.reached) {
            (Some(ByHost::Unresponsive { .. }), _) => "unresponsive",
            (_, None | Some(Reached::Memory | Reached::AddressSpace)) => "crashed",
            (_, Some(_)) => "limit",
        }
    }

    /// Signals tell; what a runtime merely reports before it gives up is looked for in its last
    /// words, and only if there was a limit to reach.
    fn reached(&self, end: &End) -> Option<Reached> {
        match self.signal {
            Some(SIGXFSZ) => return Some(Reached::FileSize),
            Some(SIGXCPU) => return Some(Reached::CpuTime),
            Some(SIGKILL) if self.by_host.is_none() && end.memory_ran_out => {
                return Some(Reached::Memory);
            }
            _ => {}
        }
        let Limits { processes, address_space, open_files, .. } = end.limits;
        let limits = [
            (open_files, Reached::OpenFiles, TOO_MANY_FILES),
            (address_space, Reached::AddressSpace, NO_MEMORY),
            (processes, Reached::Processes, NO_PROCESS),
        ];
        limits.into_iter().find_map(|(limit, reached, words)| {
            limit?;
            let said = |word: &&str| self.stderr.iter().any(|line| line.contains(*word));
            words.iter().any(said).then_some(reached)
        })
    }
}

const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;

/// What the C library, Rust, Go, C++, Python and Node say.
const NO_MEMORY: &[&str] = &[
    "Cannot allocate memory",
    "memory allocation of",
    "out of memory",
    "bad_alloc",
    "MemoryError",
    "heap out of memory",
];
const TOO_MANY_FILES: &[&str] = &["Too many open files", "too many open files", "EMFILE"];
const NO_PROCESS: &[&str] =
    &["Resource temporarily unavailable", "resource temporarily unavailable", "Cannot fork"];

/// `ended with status 7`, `was killed by signal 9 (SIGKILL)`, with the reason.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "ended with status {code}")?,
            (None, Some(signal)) => {
                write!(f, "was killed by signal {signal}")?;
                if let Some(name) = signal_name(signal) {
                    write!(f, " ({name})")?;
                }
            }
            (None, None) => f.write_str("ended in an unknown way")?,
        }
        if let Some(ByHost::Unresponsive { after }) = self.by_host {
            write!(f, " after it had not answered for {after:.1?}")?;
        }
        match self.reached {
            Some(reached) => write!(f, ": {reached}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => {
                "very likely for lack of memory, for the kernel killed a process for that meanwhile"
            }
            Self::AddressSpace => "it reached its limit of memory (address space)",
            Self::FileSize => "it wrote a file larger than its limit",
            Self::CpuTime => "it reached its limit of processor time",
            Self::OpenFiles => "it reached its limit of open files",
            Self::Processes => "it reached its user's limit of processes",
        })
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        SIGKILL => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        SIGXCPU => "SIGXCPU",
        SIGXFSZ => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(raw: i32) -> End {
        End { status: Some(ExitStatus::from_raw(raw)), ..End::default() }
    }

    // H6, F49
    #[test]
    fn the_words_name_status_signal_and_reason() {
        let exit = |raw, by_host| Exit::new(end(raw), by_host, Vec::new());
        assert_eq!(exit(7 << 8, None).to_string(), "ended with status 7");
        assert_eq!(exit(9, None).to_string(), "was killed by signal 9 (SIGKILL)");
        assert_eq!(exit(11, None).to_string(), "was killed by signal 11 (SIGSEGV)");
        let after = Duration::from_secs(3);
        let unresponsive = exit(9, Some(ByHost::Unresponsive { after }));
        assert!(unresponsive.to_string().ends_with("after it had not answered for 3.0s"));
        assert_eq!((unresponsive.is_crash(), unresponsive.fault()), (true, "unresponsive"));
        assert!(!exit(15, Some(ByHost::Stopped)).is_crash());
    }

    // F49
    #[test]
    fn lack_of_memory_is_recognised_and_never_blamed_for_our_own_kill() {
        let starved = End { memory_ran_out: true, ..end(9) };
        let exit = Exit::new(starved, None, Vec::new());
        assert_eq!((exit.reached, exit.fault()), (Some(Reached::Memory), "crashed"));
        assert!(exit.to_string().contains("lack of memory"), "{exit}");
        assert_eq!(Exit::new(starved, Some(ByHost::Killed), Vec::new()).reached, None);
        let after = Duration::ZERO;
        let late = Exit::new(starved, Some(ByHost::Unresponsive { after }), Vec::new());
        assert_eq!(late.reached, None);
    }

    // F55, F56, F57, F58
    #[test]
    fn a_limit_is_named_by_its_signal_or_by_last_words() {
        assert_eq!(Exit::new(end(25), None, Vec::new()).fault(), "limit");
        for (limits, words, reached, fault) in [
            (
                Limits::default().open_files(9),
                "x: Too many open files",
                Reached::OpenFiles,
                "limit",
            ),
            (Limits::default().processes(9), "sh: 0: Cannot fork", Reached::Processes, "limit"),
            (
                Limits::default().address_space(9),
                "memory allocation of 8 bytes failed",
                Reached::AddressSpace,
                "crashed",
            ),
        ] {
            let said = || vec![words.to_owned()];
            let exit = Exit::new(End { limits, ..end(1 << 8) }, None, said());
            assert_eq!((exit.reached, exit.fault()), (Some(reached), fault));
            // The same words mean nothing where there was no limit, or after a good end.
            assert_eq!(Exit::new(end(1 << 8), None, said()).reached, None);
            assert_eq!(Exit::new(End { limits, ..end(0) }, None, said()).reached, None);
        }
    }
}
