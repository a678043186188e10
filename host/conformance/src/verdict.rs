//! How one case ends.

use wharf_supervisor::{CallError, Error as Fault};

/// Nothing, or why not.
pub(crate) type Verdict<T = ()> = Result<T, Finding>;

/// Why a case did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The plugin does what it must not, or does not what it must.
    Failed {
        /// What happened.
        reason: String,
        /// What to change.
        hint: String,
    },
    /// It could not be tried.
    Skipped {
        /// Why not.
        reason: String,
        /// How it can be.
        hint: String,
    },
    /// The case is not about such a plugin: no row.
    Beside,
}

/// Failed: what happened, and what to change.
pub(crate) fn failed<T>(reason: impl Into<String>, hint: impl Into<String>) -> Verdict<T> {
    Err(Finding::Failed { reason: reason.into(), hint: hint.into() })
}

/// Not tried: why, and how it can be.
pub(crate) fn skipped<T>(reason: impl Into<String>, hint: impl Into<String>) -> Verdict<T> {
    Err(Finding::Skipped { reason: reason.into(), hint: hint.into() })
}

/// The plugin does not start. Told once, in full, by the case about the handshake line.
impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        Self::Failed {
            reason: format!("it does not start: {fault}"),
            hint: "see case handshake.line, and proto/README.md, sections 1 to 3".to_owned(),
        }
    }
}

/// Words for a call that ended as none may.
pub(crate) fn ended_badly(error: &CallError) -> Finding {
    let hint = match error {
        CallError::Crashed { .. } => {
            "the process must survive whatever a call meets; its last words say where it broke"
        }
        CallError::Unresponsive { .. } => {
            "every wait of the plugin needs an end; send progress while work goes on"
        }
        CallError::Unimplemented { .. } => {
            "serve the call, or take the operation out of plugin.json"
        }
        CallError::Limit { .. } => {
            "send lists in batches: at most 1,000 entries and 1 MiB a message"
        }
        _ => {
            "an expected failure is the event `error` with a class; see proto/README.md, section 10"
        }
    };
    Finding::Failed { reason: error.to_string(), hint: hint.to_owned() }
}
