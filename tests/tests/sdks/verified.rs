//! `wharf plugin verify` at level robust for the hello plugin of every SDK.

use serde_json::json;
use wharf_tests::TestHost;

crate::in_every_language!(the_hello_plugin_reaches_robust);

fn the_hello_plugin_reaches_robust(language: &str) {
    let host = TestHost::new();
    host.install_example(language, "hello");
    let folder = host.plugins().join("hello");
    let run = host.wharf(&["plugin", "verify", folder.to_str().expect("a path of ours")]);
    let report = &run.json["verify"];
    assert_eq!((run.status, &report["reached"]), (0, &json!("robust")), "{language}: {report:#}");
    let missed = [&report["totals"]["failed"], &report["totals"]["skipped"]];
    assert_eq!(missed, [&json!(0), &json!(0)], "{language}: {report:#}");
    host.finish();
}
