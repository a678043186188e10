//! Errors as people and programs see them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Who has to act, and with that the exit status of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Class {
    /// The caller can put it right: a bad value, an unknown name, a missing right.
    Usage,
    /// The outside world failed: unreachable, vanished, full, a wrong checksum.
    Operation,
    /// Somebody asked for the stop.
    Cancelled,
    /// A plugin or the host itself broke: a crash, a hang, a breach of protocol, a bug.
    #[serde(other)]
    Fault,
}

impl Class {
    /// The exit status of a command that ended with this class: 1, 2, 4 or 130.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Operation => 1,
            Self::Usage => 2,
            Self::Fault => 4,
            Self::Cancelled => 130,
        }
    }
}

/// What went wrong, where, and what to do next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Who has to act.
    pub class: Class,
    /// Stable word for programs, such as `source.unreachable`; the part before the first dot is
    /// the kind.
    pub code: String,
    /// What happened, in one sentence for people.
    pub message: String,
    /// The field, object, address or plugin at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Evidence for programs; its shape depends on the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// The body of every refused request, `application/problem+json`: a [`Problem`] and the HTTP
/// status it came with. Source: RFC 9457.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDocument {
    /// The HTTP status, repeated for those who see only the body.
    pub status: u16,
    /// The status in words, such as `Not Found`.
    pub title: String,
    /// The problem itself; its fields stand beside `status` and `title`.
    #[serde(flatten)]
    pub problem: Problem,
}
