//! The server about itself.

use super::table::labelled;
use super::text::plain;
use super::time::Clock;
use crate::api::Status;

/// A running server.
pub(crate) fn render(status: &Status, socket: &str, clock: &Clock) -> String {
    let started = clock.span(status.started_ms, None);
    let draining = if status.draining { ", leaving when its jobs are done" } else { "" };
    let content = status.content.as_deref().map(|content| format!("{}/content/", plain(content)));
    labelled(&[
        ("server", format!("wharf {}, pid {}", plain(&status.version), status.pid)),
        ("running for", format!("{started}{draining}")),
        ("data", plain(&status.data)),
        ("api", plain(socket)),
        ("content", content.unwrap_or_else(|| "not served over TCP".to_owned())),
        ("jobs", format!("{} running, {} waiting", status.running, status.queued)),
    ])
}
