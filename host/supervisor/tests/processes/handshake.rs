//! From the wish to start to the first answer.

use std::fs;
use std::time::Duration;

use tokio::time::Instant;
use wharf_supervisor::{EnvPolicy, Error, Guardian, SocketPolicy};

use crate::support::{Home, plugin, says};

// F1, H3
#[tokio::test]
async fn a_missing_executable_is_named_at_once() {
    let home = Home::new();
    let begun = Instant::now();
    let missing = home.path().join("no-such-plugin");
    let error = home.fail_with(home.launch(&missing)).await;
    says(&error, "launch", &["no-such-plugin", "no such file"]);
    assert!(begun.elapsed() < Duration::from_secs(1));
    let error = home.fail_with(home.launch("no-such-plugin-in-path")).await;
    says(&error, "launch", &["no-such-plugin-in-path", "no such file"]);
}

// F2, H4, H122
#[tokio::test]
async fn a_file_that_cannot_be_executed_says_why() {
    let home = Home::new();
    let script = home.script("exit 0");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let error = home.fail_with(home.launch(&script)).await;
    says(&error, "launch", &["permission denied", "chmod"]);

    let mut foreign = b"\x7fELF\x02\x01\x01".to_vec();
    foreign.resize(18, 0);
    foreign.extend([243, 0]);
    foreign.resize(4096, 0);
    let error = home.fail_with(home.launch(home.file("foreign", &foreign))).await;
    says(&error, "launch", &["wrong architecture", "ELF", "RISC-V"]);
    let windows = [b"MZ".as_slice(), &[0; 4096]].concat();
    let error = home.fail_with(home.launch(home.file("windows.exe", windows))).await;
    says(&error, "launch", &["wrong architecture", "PE (Windows)"]);

    // What a loader says about a missing library.
    let loader = "echo 'error while loading shared libraries: libnope.so.1' >&2; exit 127";
    says(&home.fail(loader).await, "launch", &["libnope.so.1", "status 127"]);

    let error = home.fail_with(home.launch(home.path())).await;
    says(&error, "launch", &["not a file"]);
}

// F3
#[tokio::test]
async fn a_missing_interpreter_is_named() {
    let home = Home::new();
    for script in ["#!/usr/bin/env nope-interpreter\n", "#!/nowhere/nope-interpreter -x\n"] {
        let error = home.fail_with(home.launch(home.file("s", script))).await;
        says(&error, "launch", &["nope-interpreter", "install it"]);
    }
}

// F4
#[tokio::test]
async fn an_executable_that_is_still_written_is_waited_for() {
    let home = Home::new();
    let script = home.script("echo ran >&2; exit 3");
    let writer = fs::OpenOptions::new().append(true).open(&script).unwrap();
    let done = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(writer);
    };
    let (error, ()) = tokio::join!(home.fail_with(home.launch(&script)), done);
    says(&error, "launch", &["ran", "status 3"]);

    let _writer = fs::OpenOptions::new().append(true).open(&script).unwrap();
    let error = home.fail_with(home.launch(&script)).await;
    says(&error, "launch", &["still being written"]);
}

// F8, H5, H30
#[tokio::test]
async fn an_early_end_without_a_word_says_so() {
    let home = Home::new();
    says(&home.fail("exit 0").await, "launch", &["ended before the handshake", "status 0"]);
    let killed = home.fail("kill -9 $$").await;
    says(&killed, "launch", &["signal 9 (SIGKILL)"]);
}

// F9, H6
#[tokio::test]
async fn an_early_end_brings_the_last_words_of_standard_error() {
    let home = Home::new();
    let body =
        "for n in $(seq 40); do echo \"frame $n\" >&2; done; printf 'boom \\033[31m' >&2; exit 7";
    let error = home.fail(body).await;
    says(&error, "launch", &["status 7", "frame 40", "boom \\u{1b}[31m"]);
    assert_eq!(error.exit().unwrap().code, Some(7));
    assert_eq!(error.stderr().len(), 20);
}

// F10, H26
#[tokio::test]
async fn silence_ends_with_the_start_timeout() {
    let home = Home::new();
    let script = home.script("echo starting >&2; exec sleep 600");
    let launch = home.launch(script).start_timeout(Duration::from_millis(400));
    let begun = Instant::now();
    let error = home.fail_with(launch).await;
    says(&error, "unresponsive", &["400.0ms", "start timeout", "starting"]);
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(3), "{took:?}");
}

// F11, H7, H8
#[tokio::test]
async fn a_banner_is_shown_and_standard_output_is_explained() {
    let home = Home::new();
    let error = home.fail("printf 'Welcome! \\033[1m\\n'; exec sleep 600").await;
    says(&error, "handshake", &["Welcome! \\u{1b}[1m", "reserved for the handshake"]);
    says(&home.fail("echo; exec sleep 600").await, "handshake", &["fields"]);
    let traceback = "echo warning; echo 'the reason' >&2; exit 5";
    says(&home.fail(traceback).await, "handshake", &["warning", "status 5", "the reason"]);
}

// F12, F16, F17, H9, H11, H12, H14-H18
#[tokio::test]
async fn malformed_lines_are_refused_with_their_fault() {
    let home = Home::new();
    for (line, words) in [
        ("1|1|unix", "fields"),
        ("x|1|unix|/s|grpc", "core protocol version"),
        ("1| 1|unix|/s|grpc", "application protocol version"),
        ("1|x|unix|/s|grpc", "application protocol version"),
        ("1|-1|unix|/s|grpc", "application protocol version"),
        ("1|99999999999999999999|unix|/s|grpc", "application protocol version"),
        ("1|1|unix||grpc", "no address"),
        ("1|1|udp|/s|grpc", "udp"),
        ("1|1|tcp|nonsense|grpc", "nonsense"),
        ("1|1|unix|/s", "netrpc"),
        ("1|1|unix|/s|netrpc", "netrpc"),
        ("\\357\\273\\2771|1|unix|/s|grpc", "byte order mark"),
        ("1|1|unix|/s\\000|grpc", "NUL"),
        ("1|1|unix|/s\\377|grpc", "UTF-8"),
    ] {
        let error = home.fail(&format!("printf '{line}\\n'; exec sleep 600")).await;
        says(&error, "handshake", &[words]);
    }
}

// F13, H12, H13
#[tokio::test]
async fn other_versions_name_both_sides_and_who_is_older() {
    let home = Home::new();
    let core = home.fail("echo '2|1|unix|/s|grpc'; exec sleep 600").await;
    says(&core, "handshake", &["core protocol version 2", "rebuild"]);
    let newer = home.fail("echo '1|9|unix|/s|grpc'; exec sleep 600").await;
    says(&newer, "handshake", &["version 9", "speaks 1", "upgrade the host"]);
    let older = home.launch(home.script("echo '1|1|unix|/s|grpc'; exec sleep 600"));
    let error = home.fail_with(older.versions(&[3, 2])).await;
    says(&error, "handshake", &["version 1", "speaks 3, 2", "upgrade the plugin"]);
}

// F14, F16, H10, H24, H28
#[tokio::test]
async fn extra_fields_blanks_and_carriage_returns_are_accepted() {
    let home = Home::new();
    let body = format!(
        "\"{}\" | while read -r line; do printf '  %s' \"$line\"; sleep 0.1; printf '|x|y|z \\r\\n'; done",
        plugin().display()
    );
    let process = home.launch(home.script(&body)).start().await.unwrap();
    process.ping(Duration::from_secs(5)).await.unwrap();
    drop(process);
    home.nothing_is_left().await;
}

// F15, H25
#[tokio::test]
async fn a_line_without_an_end_is_given_up_at_the_limit() {
    let home = Home::new();
    let error = home.fail("head -c 100000000 /dev/zero | tr '\\0' x; exec sleep 600").await;
    says(&error, "handshake", &["65535"]);
}

// F18
#[tokio::test]
async fn addresses_outside_the_private_folder_are_never_dialled() {
    let home = Home::new();
    let launch = home.launch(plugin()).args(["other-socket"]);
    says(&home.fail_with(launch).await, "policy", &["private folder"]);
    let launch = home.launch(plugin()).args(["other-socket"]).socket_policy(SocketPolicy::Any);
    let process = launch.start().await.unwrap();
    process.stop().await;
    home.nothing_is_left().await;
}

// F19, H104
#[tokio::test]
async fn an_address_where_nobody_listens_is_tried_for_a_short_time() {
    let home = Home::new();
    for (address, words) in [
        ("$PLUGIN_UNIX_SOCKET_DIR/none", "No such file"),
        ("$PLUGIN_UNIX_SOCKET_DIR/file", "not a socket"),
    ] {
        // The certificate must be a real one to come so far: the host's own will do.
        let body = format!(
            "touch \"$PLUGIN_UNIX_SOCKET_DIR/file\"; cert=$(echo \"$PLUGIN_CLIENT_CERT\" | grep -v -- - | tr -d '\\n='); echo \"1|1|unix|{address}|grpc|$cert\"; exec sleep 600"
        );
        says(&home.fail(&body).await, "handshake", &[words, "cannot be reached"]);
    }
}

// F21, H20, H21, H23
#[tokio::test]
async fn a_missing_or_bad_certificate_is_an_error_at_start() {
    let home = Home::new();
    let garbage = "QUFB".repeat(100);
    for (certificate, words) in [
        ("", "no certificate"),
        ("short", "no certificate"),
        (&"!".repeat(100), "not base64"),
        (&garbage, "X.509"),
    ] {
        let body = format!(
            "echo \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/s|grpc|{certificate}\"; exec sleep 600"
        );
        says(&home.fail(&body).await, "handshake", &[words]);
    }
}

// F21, H58
#[tokio::test]
async fn a_certificate_for_another_key_is_refused() {
    let home = Home::new();
    let error = home.fail_with(home.launch(plugin()).args(["other-key"])).await;
    says(&error, "handshake", &["TLS handshake failed"]);
}

// F23
#[tokio::test]
async fn health_is_asked_for_and_may_be_missing() {
    let home = Home::new();
    let error = home.fail_with(home.launch(plugin()).args(["sick"])).await;
    says(&error, "handshake", &["NOT_SERVING"]);
    let process = home.start(&["unhealthy"]).await;
    process.ping(Duration::from_secs(5)).await.unwrap();
}

// H1
#[tokio::test]
async fn a_good_plugin_answers_over_mutual_tls() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let handshake = process.handshake();
    assert!(handshake.tls && handshake.app_version == 1, "{handshake:?}");
    assert!(process.folder().starts_with(home.runtime()));
    assert_eq!(process.host_address(), None);
    process.ping(Duration::from_secs(5)).await.unwrap();
}

// H33, F28
#[tokio::test]
async fn many_plugins_start_at_once_each_with_its_own_folder() {
    let home = Home::new();
    let starts: Vec<_> = (0..20).map(|_| home.start(&[])).collect();
    let processes = futures_util::future::join_all(starts).await;
    let mut folders: Vec<_> = processes.iter().map(wharf_supervisor::Process::folder).collect();
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), 20);
    drop(processes);
    home.nothing_is_left().await;
}

#[tokio::test]
async fn a_missing_or_wrong_guardian_is_told_apart_from_the_plugin() {
    let home = Home::new();
    let nowhere = Guardian::Program(home.path().join("no-launcher"));
    let error = home.fail_with(home.launch(plugin()).guardian(nowhere)).await;
    assert!(matches!(error, Error::Guardian { .. }), "{error}");
    says(&error, "config", &["no-launcher"]);
    let wrong = Guardian::Program(home.script("exit 0"));
    let error = home.fail_with(home.launch(plugin()).guardian(wrong)).await;
    says(&error, "config", &["wharf-launch of this version"]);
}

// F26
#[tokio::test]
async fn inherited_variables_are_a_choice() {
    let home = Home::new();
    let script = home.script("echo \"HOME is $HOME\" >&2; exit 3");
    let own = home.fail_with(home.launch(&script)).await;
    let private = format!("HOME is {}/", home.runtime().display());
    assert!(own.stderr()[0].starts_with(&private), "{own}");
    let inherited = home.fail_with(home.launch(&script).env(EnvPolicy::Inherit)).await;
    let hosts = std::env::vars().find(|(name, _)| name == "HOME").unwrap_or_default().1;
    assert_eq!(inherited.stderr(), [format!("HOME is {hosts}")]);
}
