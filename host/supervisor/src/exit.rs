//! How a plugin process ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

/// The end of a plugin process, with what is needed to explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit status, if it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What the host did to end it. `None`: the plugin ended without being asked to.
    pub by_host: Option<ByHost>,
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

impl Exit {
    pub(crate) fn new(status: ExitStatus, by_host: Option<ByHost>, stderr: Vec<String>) -> Self {
        Self { code: status.code(), signal: status.signal(), by_host, stderr }
    }

    /// Whether the plugin ended although nobody asked it to, whatever its status says.
    pub fn is_crash(&self) -> bool {
        !matches!(self.by_host, Some(ByHost::Stopped | ByHost::Killed))
    }
}

/// `ended with status 7`, `was killed by signal 9 (SIGKILL)`, with the host's reason.
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
        match self.by_host {
            Some(ByHost::Unresponsive { after }) => {
                write!(f, " after it had not answered for {after:.1?}")
            }
            _ => Ok(()),
        }
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
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_name_status_signal_and_reason() {
        let exit = |raw, by_host| Exit::new(ExitStatus::from_raw(raw), by_host, Vec::new());
        assert_eq!(exit(7 << 8, None).to_string(), "ended with status 7");
        assert_eq!(exit(9, None).to_string(), "was killed by signal 9 (SIGKILL)");
        let after = Duration::from_secs(3);
        let unresponsive = exit(9, Some(ByHost::Unresponsive { after }));
        assert!(unresponsive.to_string().ends_with("after it had not answered for 3.0s"));
        assert!(unresponsive.is_crash());
        assert!(!exit(15, Some(ByHost::Stopped)).is_crash());
    }
}
