//! Real programs on both sides. `tests/run` installs what they need; a program that is missing fails its test.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on ends by a panic, and runs the programs that users run"
)]

mod apt;
mod apt_shapes;
mod files;
mod images;
mod listing;
mod moodle;
mod moodle_sync;
mod moodle_tls;
mod openapi;
mod push;
mod push_faults;
mod push_registry;
mod python;
mod python_pages;
mod registries;
mod shares;
mod signed;
mod smb;
mod smb_sync;
mod smb_trouble;
mod uploads;
mod uploads_source;
mod verified;
mod weak;
mod webdav;
mod webdav_sync;
mod webdav_trouble;

use std::path::Path;
use std::process::Command;

/// Runs a program in a folder; it must succeed.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}{errors}");
    told
}
