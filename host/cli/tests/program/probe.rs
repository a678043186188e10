//! `wharf plugin probe`: plugins of this repository, and programs that are none.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{DEADLINE, code, data, err, last_object, out, send, wharf};

/// A program of this workspace; `name` may stand in a folder beside `wharf`.
pub(crate) fn built(name: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_wharf")).with_file_name(name);
    assert!(program.exists(), "{} is built by `tests/run`", program.display());
    program.display().to_string()
}

async fn probe(arguments: &[&str]) -> Output {
    let data = data();
    let mut command = wharf(data.path(), "plugin probe");
    let output = tokio::time::timeout(DEADLINE, command.args(arguments).output());
    let output = output.await.expect("a probe ends").unwrap();
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "a probe keeps no data");
    output
}

async fn probed(arguments: &[&str]) -> Value {
    let output = probe(&[&["--output", "json"], arguments].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    last_object(&output)["probe"].take()
}

async fn refused(arguments: &[&str]) -> String {
    let output = probe(arguments).await;
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(4), ""), "{}", err(&output));
    err(&output)
}

/// A shell script that can be executed.
fn script(folder: &Path, text: &str) -> String {
    let path = folder.join("script");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// What differs from run to run, made the same.
fn settled() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.add_filter(r#""[^" ]*/(examples|debug|release)/"#, r#""BUILT/"#);
    settings.add_filter(r"(plugin +)/[^ ]*/", "${1}BUILT/");
    settings.add_filter(r"[^ \x22]*/probe-\w+/[\w-]+/[\w.-]+", "SOCKET");
    settings.add_filter(r#"(_ms": )[0-9.]+"#, "${1}N");
    settings.add_filter(r"[0-9.]+ (ms|s)\b|under 1 ms", "SPAN");
    settings.add_filter(r#"(?s)"stderr": \[.*?\]"#, r#""stderr": []"#);
    settings
}

// H53, P22
#[tokio::test]
async fn everything_about_a_plugin_is_told_to_people_and_to_programs() {
    let plugin = built("examples/kv");
    let wishes = [plugin.as_str(), "--cookie", "KV_PLUGIN=hello", "--protocol", "1", "--multiplex"];
    let output = probe(&wishes).await;
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
    let object = probed(&wishes).await;
    let settings = settled();
    settings.bind(|| insta::assert_snapshot!("a_probe_for_people", out(&output)));
    let text = serde_json::to_string_pretty(&object).unwrap();
    settings.bind(|| insta::assert_snapshot!("a_probe_for_programs", text));
}

#[tokio::test]
async fn times_are_in_order_and_nothing_is_left() {
    for plugin in ["wharf-plugin-file", "examples/hello"] {
        let object = probed(&[&built(plugin)]).await;
        assert_eq!((&object["app_protocol"], &object["offered"]), (&json!(1), &json!("0-99")));
        assert_eq!((&object["tls"]["on"], &object["health"]), (&json!(true), &json!("SERVING")));
        assert_eq!(object["stop"]["step"], "shutdown");
        let [line, answer] = ["handshake_ms", "first_call_ms"].map(|key| object[key].as_f64());
        assert!(line > Some(0.0) && line <= answer, "{object}");
        let socket = PathBuf::from(object["address"].as_str().unwrap());
        let folder = socket.ancestors().nth(2).unwrap();
        assert!(!folder.exists(), "{object}");
    }
}

#[tokio::test]
async fn a_plugins_folder_is_as_good_as_its_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/file");
    let object = probed(&[folder.to_str().unwrap()]).await;
    assert_eq!(object["program"], built("wharf-plugin-file"));
    assert_eq!(object["offered"], "1");
    assert!(object["manifest"].as_str().unwrap().ends_with("plugins/file/plugin.json"));
    let nothing = data();
    let told = refused(&[nothing.path().to_str().unwrap()]).await;
    assert!(told.contains("a folder without a plugin.json"), "{told}");
}

#[tokio::test]
async fn what_a_plugin_does_not_do_is_told_and_is_no_error() {
    let folder = data();
    let kv = built("examples/kv");
    let old = script(
        folder.path(),
        &format!("unset PLUGIN_CLIENT_CERT PLUGIN_MULTIPLEX_GRPC\nexec '{kv}' \"$@\""),
    );
    let object = probed(&[&old, "--cookie", "KV_PLUGIN=hello", "--multiplex"]).await;
    assert_eq!(object["tls"], json!({ "asked": true, "key": null, "on": false }));
    assert_eq!(object["multiplexing"], json!({ "asked": true, "answered": false }));
    assert_eq!(object["notes"].as_array().unwrap().len(), 2, "{object}");

    let object = probed(&[&kv, "--cookie", "KV_PLUGIN=hello", "--no-tls"]).await;
    assert_eq!(object["tls"], json!({ "asked": false, "key": null, "on": false }));
    assert_eq!(object["notes"], json!([]));
}

// H51
#[tokio::test]
async fn services_are_asked_for_where_reflection_does_not_list_them() {
    let plugin = built("examples/supervised-plugin");
    let object = probed(&[&plugin, "--", "unhealthy"]).await;
    assert_eq!((&object["reflection"], &object["services"]), (&Value::Null, &json!([])));
    assert_eq!((&object["stdio"], &object["broker"]), (&json!(true), &json!(false)));
    assert_eq!((&object["controller"], &object["health"]), (&json!(true), &json!("missing")));
}

#[tokio::test]
async fn a_plugin_that_does_not_go_is_ended_and_the_step_is_told() {
    let output = probe(&[&built("examples/supervised-plugin"), "--", "deaf"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let text = out(&output);
    assert!(text.contains("ignored Shutdown, went on SIGTERM"), "{text}");
    assert!(text.contains("controller unknown"), "{text}");
}

// H5, H6, F8, F9
#[tokio::test]
async fn a_program_that_ends_is_no_plugin() {
    for program in ["/bin/true", "/bin/cat", "true"] {
        let told = refused(&[program]).await;
        assert!(told.contains("ended before the handshake: it ended with status 0"), "{told}");
        assert!(told.contains("probably no plugin") && told.contains(program), "{told}");
    }
    let told = refused(&["/bin/sh", "--", "-c", "echo boom >&2; exit 7"]).await;
    assert!(told.contains("status 7") && told.contains("boom"), "{told}");
}

// H3, H4, F1, F2
#[tokio::test]
async fn a_file_that_cannot_be_run_is_named_with_the_reason() {
    let folder = data();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "hello").unwrap();
    for (path, says) in [(folder.path().join("none"), "no such file"), (text, "chmod +x")] {
        let path = path.display().to_string();
        let told = refused(&[&path]).await;
        assert!(told.contains(says) && told.contains(&path) && told.contains("help:"), "{told}");
    }
}

// H7, H26, F10, F11
#[tokio::test]
async fn a_program_that_says_something_else_or_nothing_is_no_plugin() {
    let told = refused(&["/bin/echo", "--", "Welcome"]).await;
    assert!(told.contains("no handshake") && told.contains("\"Welcome\""), "{told}");
    let told = refused(&["/bin/sleep", "--timeout", "300ms", "--", "600"]).await;
    assert!(told.contains("within 300.0ms") && told.contains("--timeout"), "{told}");
}

// P1
#[tokio::test]
async fn a_plugin_that_misses_its_cookie_is_recognised_as_one() {
    let kv = built("examples/kv");
    let told = refused(&[&kv]).await;
    assert!(told.contains("magic cookie") && told.contains("--cookie KEY=VALUE"), "{told}");
    let told = refused(&[&kv, "--cookie", "KV_PLUGIN=wrong"]).await;
    assert!(told.contains("KV_PLUGIN is not its cookie"), "{told}");
    assert!(!told.contains("wrong"), "a cookie's value is not told: {told}");
}

// H13
#[tokio::test]
async fn versions_that_do_not_meet_are_told_on_both_sides() {
    let told = refused(&[&built("wharf-plugin-file"), "--protocol", "7", "--protocol", "8"]).await;
    assert!(told.contains("version 1, this host speaks 7, 8"), "{told}");
    assert!(told.contains("--protocol"), "{told}");
}

#[tokio::test]
async fn a_failure_is_an_object_for_programs() {
    let output = probe(&["/bin/true", "--output", "json"]).await;
    assert_eq!(output.status.code(), Some(4));
    let object = last_object(&output);
    assert_eq!((&object["exit"], &object["problem"]["code"]), (&json!(4), &json!("launch")));
    assert_eq!(object["problem"]["at"], "/bin/true");
}

#[tokio::test]
async fn an_interrupted_probe_ends_its_plugin() {
    let folder = data();
    let pid = folder.path().join("pid");
    let slow = script(folder.path(), &format!("echo $$ >'{}'\nexec sleep 600", pid.display()));
    let probe = wharf(folder.path(), "plugin probe").arg(&slow).spawn().unwrap();
    let started = async {
        loop {
            match std::fs::read_to_string(&pid) {
                Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let pid = tokio::time::timeout(DEADLINE, started).await.unwrap();
    send(&probe, Signal::INT);
    assert_eq!(code(probe).await, Some(130));
    let gone = async {
        while Path::new("/proc").join(&pid).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.unwrap();
}
