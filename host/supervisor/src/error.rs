//! What can go wrong before a call: finding, starting and reaching a plugin. Calls have
//! [`crate::CallError`].

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::calls::CallError;
use crate::exit::Exit;

/// Why there is no plugin to call.
///
/// Texts that come from the plugin are cut and safe to be shown. [`Error::code`] is the fault's
/// class word.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program could not be started at all.
    #[error("plugin {plugin} cannot be started: {}: {reason}", program.display())]
    NotStarted {
        /// The plugin's name.
        plugin: String,
        /// The program that was to run.
        program: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
        /// The system's own words.
        #[source]
        source: Option<io::Error>,
    },
    /// A process that was to be reattached to is not there, or does not answer. It is left alone.
    #[error("reattachment process not found: plugin {plugin}, process {pid}: {reason}")]
    NotAttached {
        /// The plugin's name.
        plugin: String,
        /// Its process id, as it was described.
        pid: u32,
        /// What is wrong.
        reason: String,
    },
    /// The guardian that every plugin runs under could not do its work.
    #[error("the guardian {} failed: {reason}", program.display())]
    Guardian {
        /// The guardian's program.
        program: PathBuf,
        /// What it needs.
        reason: String,
        /// The system's own words.
        #[source]
        source: Option<io::Error>,
    },
    /// The process ended before it printed a handshake.
    #[error("plugin {plugin} ended before the handshake: it {exit}{}{}", Hint(hint.as_deref()), Tail(&exit.stderr))]
    Ended {
        /// The plugin's name.
        plugin: String,
        /// How it ended.
        exit: Exit,
        /// What is probably wrong.
        hint: Option<String>,
    },
    /// There was no process, or no handshake, in time; what there was was killed.
    #[error(
        "plugin {plugin} {what} within {after:.1?} and was killed; if it needs longer, raise the start timeout{}",
        Tail(stderr)
    )]
    StartTimeout {
        /// The plugin's name.
        plugin: String,
        /// What did not happen: `printed no handshake`.
        what: &'static str,
        /// The start timeout.
        after: Duration,
        /// Its last lines on standard error.
        stderr: Vec<String>,
    },
    /// The handshake line is wrong, or what follows from it does not work; the process was killed.
    #[error("plugin {plugin}: {problem}{}{}", Ending(exit.as_deref()), Tail(stderr))]
    Handshake {
        /// The plugin's name.
        plugin: String,
        /// What is wrong, and what to do.
        problem: String,
        /// How the process ended, if it had ended by itself.
        exit: Option<Box<Exit>>,
        /// Its last lines on standard error.
        stderr: Vec<String>,
    },
    /// The plugin wants something that it may not have, or is not what its manifest says. Nothing
    /// was dialled.
    #[error("plugin {plugin} was refused: {problem}")]
    Policy {
        /// The plugin's name.
        plugin: String,
        /// Which rule, and what broke it.
        problem: String,
    },
    /// Something on this machine or in a manifest must be set right first.
    #[error("{problem}")]
    Config {
        /// What, where, and how.
        problem: String,
        /// The system's own words.
        #[source]
        source: Option<io::Error>,
    },
    /// The plugin's manifest or bundle is not usable.
    #[error("plugin {plugin} is broken: {reason}")]
    Broken {
        /// The plugin's name.
        plugin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It did not answer a health check in time.
    #[error("plugin {plugin} did not answer within {after:.1?}{}", Tail(stderr))]
    Unresponsive {
        /// The plugin's name.
        plugin: String,
        /// How long the host waited.
        after: Duration,
        /// Its last lines on standard error.
        stderr: Vec<String>,
    },
    /// It ended while the host was about to use it.
    #[error("plugin {plugin} {exit}{}", Tail(&exit.stderr))]
    Crashed {
        /// The plugin's name.
        plugin: String,
        /// How it ended.
        exit: Exit,
    },
    /// It failed so often in a row that it is left alone for a while (F75).
    #[error(
        "plugin {plugin} failed {failures} times in a row and is tried again in {retry_in:.0?}; the last time: {reason}"
    )]
    CrashLoop {
        /// The plugin's name.
        plugin: String,
        /// How often in a row.
        failures: u32,
        /// Until the next try.
        retry_in: Duration,
        /// What happened the last time.
        reason: String,
    },
    /// The first call after the start failed.
    #[error("plugin {plugin}: {source}")]
    FirstCall {
        /// The plugin's name.
        plugin: String,
        /// What happened.
        #[source]
        source: CallError,
    },
    /// The supervisor is shutting down and lends nothing any more.
    #[error("plugin {plugin} is not started: the host is shutting down")]
    Closed {
        /// The plugin's name.
        plugin: String,
    },
}

impl Error {
    /// The class word of the fault: `launch`, `handshake`, `policy`, `config`, `unresponsive`,
    /// `crashed`, `limit`, `cancelled`, or a call's own.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ended { exit, .. } if exit.fault() == "limit" => "limit",
            Self::NotStarted { .. }
            | Self::NotAttached { .. }
            | Self::Ended { .. }
            | Self::CrashLoop { .. } => "launch",
            Self::StartTimeout { .. } | Self::Unresponsive { .. } => "unresponsive",
            Self::Handshake { .. } => "handshake",
            Self::Policy { .. } => "policy",
            // No plugin is to blame, and no pause makes it better.
            Self::Guardian { .. } | Self::Config { .. } | Self::Broken { .. } => "config",
            Self::Crashed { exit, .. } => exit.fault(),
            Self::FirstCall { source, .. } => source.code(),
            Self::Closed { .. } => "cancelled",
        }
    }

    /// How the process ended, where that is known.
    pub fn exit(&self) -> Option<&Exit> {
        match self {
            Self::Ended { exit, .. } | Self::Crashed { exit, .. } => Some(exit),
            Self::Handshake { exit, .. } => exit.as_deref(),
            Self::FirstCall { source, .. } => source.exit(),
            _ => None,
        }
    }

    /// The plugin's last lines on standard error, oldest first.
    pub fn stderr(&self) -> &[String] {
        match self {
            Self::StartTimeout { stderr, .. }
            | Self::Unresponsive { stderr, .. }
            | Self::Handshake { stderr, .. } => stderr,
            _ => self.exit().map_or(&[], |exit| exit.stderr.as_slice()),
        }
    }

    pub(crate) fn config(problem: impl Into<String>, source: impl Into<Option<io::Error>>) -> Self {
        Self::Config { problem: problem.into(), source: source.into() }
    }
}

/// The last lines of standard error, as the end of a message.
pub(crate) struct Tail<'a>(pub(crate) &'a [String]);

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("; its last words on standard error:")?;
        self.0.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

struct Hint<'a>(Option<&'a str>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

struct Ending<'a>(Option<&'a Exit>);

impl fmt::Display for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |exit| write!(f, "; the process {exit}"))
    }
}
