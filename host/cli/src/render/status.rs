//! The server about itself.

use super::table::labelled;
use super::text::plain;
use super::time::Clock;
use crate::api::Status;

/// A server that has just begun.
pub(crate) fn serving(status: &Status, socket: &str) -> String {
    labelled(&[
        ("server", server(status)),
        ("data", plain(&status.data)),
        ("api", plain(socket)),
        ("content", content(status)),
    ])
}

/// A running server.
pub(crate) fn render(status: &Status, socket: &str, clock: &Clock) -> String {
    let started = clock.span(status.started_ms, None);
    let draining = if status.draining { ", leaving when its jobs are done" } else { "" };
    let mut lines = vec![
        ("server", server(status)),
        ("running for", format!("{started}{draining}")),
        ("data", plain(&status.data)),
        ("api", plain(socket)),
        ("content", content(status)),
        ("jobs", format!("{} running, {} waiting", status.running, status.queued)),
    ];
    if status.unfinished_uploads > 0 {
        lines.push(("uploads", format!("{} unfinished", status.unfinished_uploads)));
    }
    labelled(&lines)
}

fn server(status: &Status) -> String {
    format!("wharf {}, pid {}", plain(&status.version), status.pid)
}

fn content(status: &Status) -> String {
    let address = status.content.as_deref().map(|content| format!("{}/content/", plain(content)));
    address.unwrap_or_else(|| "not served over TCP".to_owned())
}
