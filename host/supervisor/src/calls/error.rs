//! How a call can end badly.

use std::time::Duration;

use wharf_proto::v1;

use crate::error::Tail;
use crate::exit::Exit;
use crate::text::printable;

/// Why a call has no good end. `call` is `Service.Method`.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The plugin says what is wrong: as its last event, or by a gRPC status that means an expected
    /// error.
    #[error("{}", printable(&.0.message))]
    Plugin(Box<v1::Error>),
    /// It was called off.
    #[error("cancelled")]
    Cancelled,
    /// The process ended during the call, whatever its status says (F38, F48, F53).
    #[error("the plugin {exit} during {call}{}", Tail(&exit.stderr))]
    Crashed {
        /// Which call.
        call: &'static str,
        /// How it ended.
        exit: Exit,
    },
    /// Nothing came for too long, or the whole took too long. The process lives and is not used
    /// again.
    #[error("the plugin did not answer {call} within {after:.1?}")]
    Unresponsive {
        /// Which call.
        call: &'static str,
        /// The limit that was reached.
        after: Duration,
    },
    /// The plugin broke the contract.
    #[error("the plugin broke the contract of {call}: {detail}")]
    Protocol {
        /// Which call.
        call: &'static str,
        /// What it did, cut and safe to be shown.
        detail: String,
    },
    /// A message was larger than allowed (F29). The process stays usable.
    #[error("{call}: {detail}")]
    Limit {
        /// Which call.
        call: &'static str,
        /// The size and the limit.
        detail: String,
    },
    /// The plugin does not offer this call.
    #[error("the plugin does not offer {call}")]
    Unimplemented {
        /// Which call.
        call: &'static str,
    },
}

impl CallError {
    /// The class word of the fault: `cancelled`, `crashed`, `unresponsive`, `protocol`, `limit`, or
    /// `plugin` for an expected error, whose own code is in [`v1::Error`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Plugin(_) => "plugin",
            Self::Cancelled => "cancelled",
            // A missed heartbeat ends the process, and with it the call (F50).
            Self::Crashed { exit, .. } => exit.fault(),
            Self::Unresponsive { .. } => "unresponsive",
            Self::Protocol { .. } | Self::Unimplemented { .. } => "protocol",
            Self::Limit { .. } => "limit",
        }
    }

    /// How the process ended, if that ended the call.
    pub fn exit(&self) -> Option<&Exit> {
        match self {
            Self::Crashed { exit, .. } => Some(exit),
            _ => None,
        }
    }
}
