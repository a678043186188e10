//! Group C: what a plugin writes where, and what it can see of its host.

use serde_json::json;

use crate::misbehaving;

#[test]
fn f61_a_flood_on_standard_error_is_drained_cut_and_harmless() {
    let host = misbehaving(&["fault=stderr-flood"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!((run.status, &run.json["added"]), (0, &json!(20)), "{run:#?}");
    let id = run.json["job"].to_string();
    let logs = host.wharf(&["--output", "text", "job", "logs", &id]);
    assert_eq!(logs.status, 0, "{}", logs.stderr);
    let told = logs.stdout + &host.server().stderr();
    for evil in ['\x1b', '\x07', '\u{9b}', '\u{202e}'] {
        let kind = evil.escape_unicode();
        // The log of the server itself may be coloured by ourselves, never by a plugin.
        assert!(!told.contains(evil), "{kind} reaches the terminal");
    }
    let longest = told.lines().map(str::len).max().unwrap_or_default();
    assert!(longest < 128 * 1024, "a line of {longest} bytes");
    host.finish();
}

#[test]
fn f62_a_flood_on_standard_output_blocks_nothing_and_is_told() {
    let host = misbehaving(&["fault=stdout-flood"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!((run.status, &run.json["added"]), (0, &json!(20)), "{run:#?}");
    let told = host.server().stderr();
    assert!(told.contains("a stray print"), "drained and logged: {told}");
    host.finish();
}

#[test]
fn f63_standard_input_is_empty() {
    let host = misbehaving(&["fault=stdin"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!((run.status, &run.json["summary"]["stdin_bytes"]), (0, &json!(0)), "{run:#?}");
    host.finish();
}

#[test]
fn f26_f27_a_plugin_sees_no_secret_and_no_descriptor_of_its_host() {
    let host = misbehaving(&["fault=surroundings"]);
    let run = host.wharf(&["sync", "odd"]);
    assert_eq!(run.status, 0, "{run:#?}");
    let texts = |name: &str| -> Vec<String> {
        let list = run.json["summary"][name].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let variables = texts("variables");
    assert!(variables.contains(&"PATH".to_owned()), "{variables:?}");
    for secret in ["WHARF_TEST_SECRET", "WHARF_DATA", "WHARF_PLUGIN_PATH", "WHARF_LOG"] {
        assert!(!variables.contains(&secret.to_owned()), "{secret} is seen");
    }
    let data = host.data().display().to_string();
    for descriptor in texts("descriptors") {
        assert!(!descriptor.starts_with(&data), "{descriptor} is open in the plugin");
    }
    host.finish();
}
