//! Which plugins are there, and how a checkout works without an install step.

use std::fs;
use std::path::Path;

use serde_json::json;
use wharf_tests::{TestHost, wharf};

#[test]
fn installed_plugins_are_listed_with_what_they_can_do() {
    let host = TestHost::with_misbehave();
    let list = host.ok(&["plugin", "list"]);
    let plugins = list["plugins"].as_array().expect("a list");
    let names: Vec<&str> = plugins.iter().filter_map(|plugin| plugin["name"].as_str()).collect();
    assert!(names.contains(&"file") && names.contains(&"misbehave"), "{list:#}");
    let file = plugins.iter().find(|plugin| plugin["name"] == "file").expect("it is listed");
    let ids: Vec<&str> = file["components"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|component| component["id"].as_str())
        .collect();
    assert_eq!(ids, ["importer", "folder", "distributor"], "{file:#}");
    host.finish();
}

#[test]
fn a_broken_plugin_is_listed_with_its_reason_and_stops_no_other() {
    let host = TestHost::new();
    host.install_with("misbehave", |manifest| manifest["manifest_version"] = json!(7));
    let list = host.ok(&["plugin", "list"]);
    let plugins = list["plugins"].as_array().expect("a list");
    let broken = plugins.iter().find(|plugin| plugin["name"] == "misbehave").expect("it is listed");
    assert_eq!(broken["state"], "broken", "F128: {broken:#}");
    assert!(
        broken["reason"].as_str().is_some_and(|reason| reason.contains("manifest_version")),
        "{broken:#}"
    );
    host.repository("tools", &[("file.distributor", &[])]);
    host.finish();
}

#[test]
fn a_checkout_works_without_an_install_step() {
    let host = TestHost::new();
    let checkout = host.folder().join("checkout");
    let programs = checkout.join("target/debug");
    fs::create_dir_all(&programs).expect("a folder");
    fs::write(checkout.join("Cargo.toml"), "").expect("a file");
    for name in ["wharf", "wharf-launch", "wharf-plugin-file"] {
        wharf::link(&wharf::program(name), &programs.join(name));
    }
    let sources = checkout.join("plugins/file");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("plugins").join("file"), &sources);
    fs::remove_dir_all(host.plugins()).expect("it is there");
    let run =
        host.start_program(&programs.join("wharf"), &["--output", "json", "plugin", "list"]).wait();
    let found = &run.json["plugins"][0];
    assert_eq!((&found["name"], &found["reason"]), (&json!("file"), &json!(null)), "{run:#?}");
    let attach = ["--output", "json", "repo", "create", "tools"];
    assert_eq!(host.start_program(&programs.join("wharf"), &attach).wait().status, 0);
    let attach = ["--output", "json", "attach", "tools", "file.distributor"];
    let run = host.start_program(&programs.join("wharf"), &attach).wait();
    assert_eq!(run.status, 0, "it runs: {run:#?}");
    host.finish();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the plugin's folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
