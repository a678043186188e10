//! What goes wrong, and what must happen then, through the real host. Each test names its F-number; what the numbers
//! promise is in `tests/faults/README.md`. Every test ends with the invariants (`TestHost::finish`).
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on ends by a panic"
)]

mod calls;
mod content;
mod crash;
mod launch;
mod outputs;
mod places;
mod reports;
mod requests;
mod states;

use serde_json::Value;
use wharf_tests::wharf::Patience;
use wharf_tests::{Run, TestHost, Upstream, wait};

/// A host with a server of short patience, and a repository `odd` of the misbehaving importer with these settings.
fn misbehaving(settings: &[&str]) -> TestHost {
    let mut host = TestHost::with_misbehave();
    host.serve_with(Patience::Short);
    host.repository("odd", &[("misbehave.importer", settings)]);
    host
}

/// A repository `tools` with importer and distributor, of this upstream.
fn mirror(host: &TestHost, upstream: &Upstream, further: &[&str]) {
    let url = format!("url={}", upstream.url("PULP_MANIFEST"));
    let mut settings = vec![url.as_str()];
    settings.extend(further);
    host.repository("tools", &[("file.importer", &settings), ("file.distributor", &[])]);
}

/// After a fault of its plugin the repository works again, and is as it was before.
fn works_again(host: &TestHost, before: u64) {
    let shown = host.ok(&["repo", "show", "odd"]);
    assert_eq!(shown["version"], before, "a fault makes no version");
    host.attach("odd", "misbehave.importer", &["units=20", "seed=77"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!((run.status, &run.json["version"]), (0, &Value::from(before + 1)), "{run:#?}");
}

/// The process that works on the running job.
fn plugin_pid(host: &TestHost) -> u32 {
    wait::until("a plugin works on a job", wait::PATIENCE, || {
        let jobs = host.api("GET", "/api/v1/jobs?state=running", b"").json();
        let pid = jobs.as_array()?.first()?.get("plugin")?.get("pid")?.as_u64()?;
        u32::try_from(pid).ok()
    })
}

/// A failed job: its state, and the plugin and job named (I10).
fn failed(run: &Run) {
    assert_eq!(run.json["state"], "failed", "{run:#?}");
    run.says(&["misbehave"]);
}
