//! Group A: launch and handshake. The script plugin in `tests/plugins/handshake` gets it wrong in the way that its
//! argument names.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use base64::Engine as _;
use serde_json::json;
use wharf_proto::tls::Identity;
use wharf_tests::wharf::Patience;
use wharf_tests::{Run, TestHost, processes};

/// Attaches the script plugin, which starts it.
fn attach(arguments: &[&str]) -> (TestHost, Run) {
    let mut host = TestHost::new();
    host.install_handshake(arguments);
    host.serve_with(Patience::Short);
    let run = try_attach(&host);
    (host, run)
}

fn try_attach(host: &TestHost) -> Run {
    host.ok(&["repo", "create", "odd"]);
    host.wharf(&["attach", "odd", "handshake.importer"])
}

/// The attach must end so and say these words; nothing may be left of the plugin while the server lives on.
fn check(arguments: &[&str], status: i32, code: &str, words: &[&str]) {
    let (host, run) = attach(arguments);
    run.ended(status, code).says(words);
    settled(host);
}

/// I3 while the server lives: nothing of the plugin is left. I4: the host answers.
fn settled(host: TestHost) {
    let plugins = host.plugins().join("handshake").display().to_string();
    processes::wait_none(&plugins_only(&plugins), Duration::from_secs(5));
    assert_eq!(host.get("/health").status, 200);
    host.finish();
}

/// What only the script's own processes have in their command lines.
fn plugins_only(folder: &str) -> String {
    format!("{folder}/run.sh")
}

#[test]
fn f1_a_missing_executable_is_named() {
    let mut host = TestHost::new();
    host.install_handshake(&["silent"]);
    host.serve();
    let program = host.plugins().join("handshake/run.sh");
    fs::remove_file(&program).expect("it is there");
    let run = try_attach(&host);
    run.ended(4, "launch").says(&[&program.display().to_string()]);
    assert!(run.took < Duration::from_secs(5), "at once: {:?}", run.took);
    host.finish();
}

#[test]
fn f1_an_executable_that_was_never_there_is_told_at_discovery() {
    let host = TestHost::new();
    host.install_with("handshake", |manifest| manifest["executable"]["any"] = json!("gone.sh"));
    host.ok(&["repo", "create", "odd"]);
    let run = host.wharf(&["attach", "odd", "handshake.importer"]);
    run.ended(2, "config").says(&["gone.sh"]);
    host.finish();
}

#[test]
fn f2_an_executable_without_its_bit_or_of_another_machine_is_told_with_the_systems_reason() {
    let host = TestHost::new();
    host.install_handshake(&["silent"]);
    let program = host.plugins().join("handshake/run.sh");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).expect("our own file");
    try_attach(&host).ended(4, "launch").says(&["handshake", "ermission"]);
    // An ELF header for a machine that nobody has: EM_PDP11.
    let mut elf = vec![0; 64];
    elf[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x41\0");
    fs::write(&program, elf).expect("our own file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("our own file");
    host.wharf(&["attach", "odd", "handshake.importer"]).ended(4, "launch").says(&["handshake"]);
    host.finish();
}

#[test]
fn f3_a_missing_interpreter_is_named() {
    let host = TestHost::new();
    host.install_handshake(&["silent"]);
    let program = host.plugins().join("handshake/run.sh");
    fs::write(&program, "#!/usr/bin/env no-such-interpreter\n").expect("our own file");
    try_attach(&host).ended(4, "launch").says(&["no-such-interpreter"]);
    fs::write(&program, "#!/opt/no/such/interpreter\n").expect("our own file");
    let run = host.wharf(&["attach", "odd", "handshake.importer"]);
    run.ended(4, "launch").says(&["/opt/no/such/interpreter"]);
    host.finish();
}

#[test]
fn f8_a_plugin_that_ends_before_the_handshake_is_told_with_its_status() {
    check(&["silent"], 4, "launch", &["handshake", "before", "0"]);
}

#[test]
fn f9_the_last_lines_of_a_trace_come_along() {
    check(&["trace"], 4, "launch", &["1", "ModuleNotFoundError: No module named 'grpc'"]);
}

#[test]
fn f10_a_plugin_that_says_nothing_is_ended_after_the_start_timeout() {
    let (host, run) = attach(&["mute"]);
    run.ended(4, "unresponsive").says(&["2.5", "timeout"]);
    assert!(run.took < Duration::from_secs(15), "{:?}", run.took);
    settled(host);
}

#[test]
fn f11_a_banner_is_shown_escaped_with_what_standard_output_is_for() {
    let (host, run) = attach(&["banner"]);
    run.ended(4, "handshake")
        .says(&["Welcome to", "standard output is reserved for the handshake"]);
    assert!(!run.stderr.contains('\x1b'), "{:?}", run.stderr);
    settled(host);
}

#[test]
fn f12_handshakes_with_wrong_fields_are_told() {
    for fault in ["few", "empty", "words", "negative", "huge"] {
        check(&[fault], 4, "handshake", &[]);
    }
}

#[test]
fn f13_versions_that_are_not_shared_are_listed() {
    check(&["core"], 4, "handshake", &["core protocol version 2", "1"]);
    check(&["app"], 4, "handshake", &["99", "1"]);
}

#[test]
fn f15_a_line_without_end_is_cut_off() {
    check(&["endless"], 4, "handshake", &["65535"]);
}

#[test]
fn f17_another_transport_than_grpc_is_refused() {
    check(&["netrpc"], 4, "handshake", &["netrpc", "grpc"]);
}

#[test]
fn f18_an_address_outside_of_what_was_handed_out_is_never_dialled() {
    let certificate = certificate();
    for fault in ["elsewhere", "outside", "climb", "link"] {
        check(&[fault, &certificate], 2, "policy", &["handshake"]);
    }
}

#[test]
fn f19_a_socket_that_is_a_plain_file_is_told() {
    let (host, run) = attach(&["file", &certificate()]);
    assert_eq!(run.status, 4, "{run:#?}");
    assert!(["handshake", "policy", "unresponsive"].contains(&run.code()), "{run:#?}");
    settled(host);
}

#[test]
fn f21_there_is_no_way_around_tls() {
    for fault in ["plain", "base64", "x509"] {
        check(&[fault], 4, "handshake", &["certificate"]);
    }
}

#[test]
fn f21_a_certificate_for_another_key_is_refused() {
    mode("other-key", "handshake", &["misbehave"]);
}

#[test]
fn f23_a_plugin_that_is_not_serving_is_not_used() {
    mode("not-serving", "handshake", &["NOT_SERVING"]);
}

/// The misbehaving plugin in a mode of the whole process.
fn mode(name: &str, code: &str, words: &[&str]) {
    let mut host = TestHost::new();
    host.install_with("misbehave", |manifest| manifest["env"]["MISBEHAVE"] = json!(name));
    host.serve_with(Patience::Short);
    host.ok(&["repo", "create", "odd"]);
    host.wharf(&["attach", "odd", "misbehave.importer"]).ended(4, code).says(words);
    host.finish();
}

#[test]
fn f25_a_plugin_that_says_to_be_another_one_is_not_used() {
    let mut host = TestHost::new();
    host.install_with("misbehave", |manifest| {
        manifest["env"]["MISBEHAVE"] = json!("other-version");
    });
    host.serve_with(Patience::Short);
    host.ok(&["repo", "create", "odd"]);
    let run = host.wharf(&["attach", "odd", "misbehave.importer"]);
    assert!(run.status != 0, "{run:#?}");
    run.says(&["9.9.9", "0.1.0"]);
    host.finish();
}

fn certificate() -> String {
    let identity = Identity::generate().expect("a key pair");
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(identity.der())
}
