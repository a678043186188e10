//! The spine, end to end: the program `wharf`, real plugin processes, real files over real HTTP.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on ends by a panic"
)]

mod asking;
mod builds;
mod callbacks;
mod commands;
mod conformance;
mod content;
mod dev;
mod discovery;
mod embedding;
mod folder;
mod guide;
mod history;
mod hooks;
mod imports;
mod instances;
mod jobs;
mod keyring;
mod kitovu;
mod migrations;
mod publishing;
mod pushes;
mod schedules;
mod secrets;
mod skipping;
mod styles;
mod syncing;
mod types;
mod units;
mod uploads;
mod verify;

use wharf_tests::{TestHost, Upstream};

/// The settings of an importer of this upstream's manifest.
fn url(upstream: &Upstream) -> String {
    format!("url={}", upstream.url("PULP_MANIFEST"))
}

/// A repository `tools` with importer and distributor, of this upstream.
fn mirror(host: &TestHost, upstream: &Upstream, further: &[&str]) {
    let url = url(upstream);
    let mut settings = vec![url.as_str()];
    settings.extend(further);
    host.repository("tools", &[("file.importer", &settings), ("file.distributor", &[])]);
}
