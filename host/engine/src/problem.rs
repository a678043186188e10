//! What people and programs are told when something did not work: a class, a stable code, and words.
//!
//! Every error of the crates below ends here before it leaves the engine. Never formats for a terminal and never
//! knows an HTTP status: those are the edges' business.
//!
//! # Codes
//!
//! The first word names the kind, what follows makes it exact.
//!
//! | code | class | meaning |
//! | --- | --- | --- |
//! | `usage.*` | usage | wrong arguments or settings; `usage.settings` lists the fields |
//! | `config.*` | usage | a plugin's manifest or type definition is not usable |
//! | `not_found.*`, `conflict.*` | usage | no such repository, job, plugin, version; exists already, path taken, busy |
//! | `policy.*` | usage | refused by a rule |
//! | `limit.*` | operation | something sent more than allowed |
//! | `source.*` | operation | upstream unreachable, 5xx, truncated, stalled |
//! | `content.*` | operation | upstream's content is malformed or contradicts itself |
//! | `integrity.*` | operation | digest or size mismatch |
//! | `signature.*` | operation | upstream's signature does not count, or the host's key cannot sign |
//! | `storage.*` | operation | disk full, I/O error, database locked |
//! | `cancelled` | cancelled | someone asked |
//! | `launch`, `handshake` | fault | the plugin did not start |
//! | `protocol.*` | fault | the plugin broke the contract |
//! | `crashed` | fault | the plugin's process ended during a call |
//! | `unresponsive` | fault | a deadline or heartbeat was missed |
//! | `internal` | fault | our bug |

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a problem is treated, and who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Class {
    /// The user can fix it.
    Usage,
    /// The outside world failed.
    Operation,
    /// A stop was asked for.
    Cancelled,
    /// A bug, in a plugin or in the host.
    Fault,
}

impl Class {
    /// The exit status of a command that ends with a problem of this class.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Operation => 1,
            Self::Cancelled => 130,
            Self::Fault => 4,
        }
    }
}

/// How far a plugin's error reaches: what else need not be tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// One item; the others go on.
    #[default]
    Item,
    /// Everything that comes by this attachment.
    Attachment,
    /// The whole run.
    Run,
}

/// One problem, complete enough to be shown, stored with a job and sent over the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// How it is treated.
    pub class: Class,
    /// What happened, for programs; see the module's table.
    pub code: String,
    /// What happened and where, for people.
    pub message: String,
    /// The thing it is about: a setting, an item, a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Evidence: fields at fault, the plugin's last lines, its exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<serde_json::Value>>,
    /// How far it reaches. Of use while the job runs; not kept.
    #[serde(skip)]
    pub scope: Scope,
    /// After so many milliseconds another try may succeed, says the plugin. Of use while the job runs; not kept.
    #[serde(skip)]
    pub retry_ms: Option<u32>,
}

impl Problem {
    /// A problem of this class.
    pub fn new(class: Class, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            code: code.into(),
            message: message.into(),
            at: None,
            help: None,
            details: None,
            scope: Scope::Item,
            retry_ms: None,
        }
    }

    /// The user can fix it.
    pub fn usage(code: &str, message: impl Into<String>) -> Self {
        Self::new(Class::Usage, code, message)
    }

    /// The outside world failed.
    pub fn operation(code: &str, message: impl Into<String>) -> Self {
        Self::new(Class::Operation, code, message)
    }

    /// The plugin or the host is at fault.
    pub fn fault(code: &str, message: impl Into<String>) -> Self {
        Self::new(Class::Fault, code, message)
    }

    /// The plugin broke the contract.
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(Class::Fault, "protocol", message)
    }

    /// A stop was asked for.
    pub fn cancelled() -> Self {
        Self::new(Class::Cancelled, "cancelled", "a stop was asked for")
    }

    /// The same problem, about this thing.
    #[must_use]
    pub fn at(mut self, at: impl Into<String>) -> Self {
        self.at = Some(at.into());
        self
    }

    /// The same problem, with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same problem, with evidence.
    #[must_use]
    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// How long to wait before another try, if one may succeed.
    pub fn pause(&self) -> Option<Duration> {
        self.retry_ms.map(|ms| Duration::from_millis(ms.into()))
    }

    /// Whether the bytes were not what was promised, so that reading the index again may help.
    pub fn is_integrity(&self) -> bool {
        self.code.starts_with("integrity")
    }
}
