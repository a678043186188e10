//! `wharf plugin dev`: what is changed is used by the next job, and a process under a debugger is used and left alone.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};
use wharf_tests::wharf::Background;
use wharf_tests::{TestHost, wait};

/// A server with the plugin of this folder.
struct Dev(Background);

impl Dev {
    fn start(host: &TestHost, folder: &Path, more: &[&str]) -> Self {
        let folder = folder.to_str().expect("a path of ours");
        Self(host.start(&[&["--output", "json", "plugin", "dev", folder], more].concat()))
    }

    /// Waits for the message of this number, without the greeting.
    fn message(&self, number: usize) -> (String, String) {
        let told = wait::until("a message", wait::PATIENCE, || {
            let lines = self.0.stdout();
            let mut told =
                lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            told.nth(number).filter(|_| lines.ends_with('\n'))
        });
        let text = |key: &str| told["dev"][key].as_str().unwrap_or_default().to_owned();
        (text("event"), text("message"))
    }

    fn stop(self) {
        self.0.signal(Signal::TERM);
        let run = self.0.wait();
        assert_eq!(run.status, 0, "{run:#?}");
    }
}

/// The process that a message names.
fn pid(message: &str) -> u32 {
    let words = message.split_once("process ").expect("a process").1;
    words.split(',').next().and_then(|pid| pid.parse().ok()).expect("a number")
}

#[test]
fn the_next_job_uses_what_was_changed_and_what_is_wrong_is_told() {
    let host = TestHost::new();
    host.install("notes");
    let folder = host.folder().join("source");
    fs::rename(host.plugins().join("notes"), &folder).expect("it was installed");
    let dev = Dev::start(&host, &folder, &[]);
    let (event, ready) = dev.message(1);
    assert!(event == "reloaded" && ready.contains("mutual TLS"), "{event}: {ready}");
    host.repository("notes", &[("notes.importer", &["count=3"])]);
    assert_eq!(host.ok(&["sync", "notes"])["plugin"]["pid"], pid(&ready));

    fs::write(folder.join("source.rs"), "// changed").expect("a file");
    let (event, reloaded) = dev.message(2);
    assert!(event == "reloaded" && reloaded.starts_with("source.rs changed"), "{reloaded}");
    assert_ne!(pid(&reloaded), pid(&ready));
    assert_eq!(host.ok(&["sync", "notes"])["plugin"]["pid"], pid(&reloaded));

    let manifest = folder.join("plugin.json");
    let good = fs::read_to_string(&manifest).expect("a manifest");
    fs::write(&manifest, "{").expect("a file");
    let (event, kept) = dev.message(3);
    assert!(event == "kept" && kept.contains("plugin.json"), "{event}: {kept}");
    fs::write(&manifest, good.replace("Made-up notes", "Notes")).expect("a file");
    let (_event, anew) = dev.message(4);
    assert!(anew.contains("the server was started anew"), "{anew}");
    let list = host.ok(&["plugin", "list"]);
    let plugins = list["plugins"].as_array().expect("a list").iter();
    let found = plugins.clone().find(|plugin| plugin["name"] == "notes").expect("it is listed");
    assert!(
        found["description"].as_str().is_some_and(|text| text.starts_with("Notes")),
        "{found:#}"
    );
    dev.stop();
    host.finish();
}

#[test]
fn a_process_under_a_debugger_is_used_unencrypted_and_left_alone() {
    let host = TestHost::new();
    host.install("notes");
    let folder = host.plugins().join("notes");
    let debugged = host.start_program(&folder.join("bin/wharf-plugin-notes"), &["debug"]);
    let description = wait::until("its description", wait::PATIENCE, || {
        let said = debugged.stdout();
        said.ends_with('\n').then(|| said.trim().to_owned())
    });
    let dev = Dev::start(&host, &folder, &["--reattach", &description]);
    let (event, attached) = dev.message(1);
    assert!(event == "reloaded" && attached.contains("unencrypted (dev)"), "{event}: {attached}");
    assert_eq!(pid(&attached), debugged.pid());
    host.repository("notes", &[("notes.importer", &["count=3"])]);
    let job = host.ok(&["sync", "notes"]);
    assert_eq!((&job["added"], &job["plugin"]["tls"]), (&json!(3), &json!(false)), "{job:#}");
    assert_eq!(job["plugin"]["pid"], debugged.pid());
    dev.stop();
    debugged.signal(Signal::INT);
    assert_eq!(debugged.wait().status, 0, "it lived on until its own Ctrl-C");
    host.finish();
}

#[test]
fn an_address_that_others_can_reach_is_not_attached_to() {
    let host = TestHost::new();
    host.install("notes");
    let folder = host.plugins().join("notes");
    let description = json!({ "Protocol": "grpc", "ProtocolVersion": 1, "Pid": std::process::id(), "Test": true,
        "Addr": { "Network": "tcp", "String": "127.0.0.1:1" } });
    let dev = Dev::start(&host, &folder, &["--reattach", &description.to_string()]);
    let (event, told) = dev.message(1);
    assert!(event == "failed" && told.contains("private folder"), "{event}: {told}");
    dev.stop();
    let wrong = host.wharf(&["plugin", "dev", folder.to_str().expect("ours"), "--reattach", "{}"]);
    assert_eq!(wrong.status, 2, "{wrong:#?}");
    host.finish();
}
