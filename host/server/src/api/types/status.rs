//! The server about itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The server's version.
    pub version: String,
    /// The server's process.
    pub pid: u32,
    /// When it started.
    pub started_ms: i64,
    /// The data folder.
    pub data: String,
    /// Where published content is served, such as `http://127.0.0.1:8080`; none: not over TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Jobs that run now.
    pub running: u64,
    /// Jobs that wait.
    pub queued: u64,
    /// Uploads that were begun and not imported, of all repositories.
    #[serde(default)]
    pub unfinished_uploads: u64,
    /// No new jobs are taken; the server leaves when it is idle.
    pub draining: bool,
}

/// `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
}
