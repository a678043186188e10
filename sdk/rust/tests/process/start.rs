//! From the process's start to its line.

use std::io::Read;

use wharf_proto::handshake::Network;
use wharf_proto::{COOKIE_KEY, COOKIE_VALUE};

use crate::child::{Plugin, command, hello, wait};

/// Starts it such that it must fail; gives standard error. Nothing is on standard output, the status is 1.
fn refused(variables: &[(&str, &str)]) -> String {
    let mut child = command(&hello(), variables).spawn().unwrap();
    let status = wait(&mut child);
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""), "{stderr}");
    stderr
}

#[test]
fn started_by_hand_it_says_what_it_is_p1() {
    for variables in [&[][..], &[(COOKIE_KEY, "wrong")], &[(COOKIE_KEY, "")]] {
        let said = refused(variables);
        assert!(said.contains("hello 0.1.0, a plugin of wharf"), "{said}");
        assert_eq!(said.lines().count(), 3);
    }
}

#[test]
fn the_line_has_six_fields_p3_p5() {
    let plugin = Plugin::plain();
    assert_eq!(plugin.line.matches('|').count(), 5);
    let line = plugin.handshake();
    assert_eq!((line.app, line.network, line.certificate), (1, Network::Unix, None));
    assert_eq!(line.multiplexing, None);
}

#[test]
fn the_line_has_a_seventh_field_when_asked_for_p3_p6() {
    for asked in ["true", "banana"] {
        let plugin = Plugin::with(&[("PLUGIN_MULTIPLEX_GRPC", asked)]);
        assert!(plugin.line.ends_with("|grpc||false\n"), "{}", plugin.line);
    }
}

#[test]
fn versions_are_negotiated_p13_p14_p15_p16() {
    for offered in ["1", "2,1,3", "3,2", "", "7,abc,1"] {
        let plugin = Plugin::with(&[("PLUGIN_PROTOCOL_VERSIONS", offered)]);
        assert_eq!(plugin.handshake().app, 1, "{offered}");
    }
}

#[test]
fn the_socket_lies_where_the_host_wants_it_p7() {
    let plugin = Plugin::plain();
    let address = plugin.handshake().address;
    assert_eq!(std::path::Path::new(&address).parent(), Some(plugin.folder()));
}

#[test]
fn a_folder_that_cannot_be_used_is_told_p9() {
    let cookie = (COOKIE_KEY, COOKIE_VALUE);
    let missing = refused(&[cookie, ("PLUGIN_UNIX_SOCKET_DIR", "/no/such/folder")]);
    assert!(missing.contains("/no/such/folder"), "{missing}");
    let long = format!("/tmp/{}", "x".repeat(120));
    let long = refused(&[cookie, ("PLUGIN_UNIX_SOCKET_DIR", &long)]);
    assert!(long.contains("107"), "{long}");
    let group = refused(&[cookie, ("PLUGIN_UNIX_SOCKET_GROUP", "no-such-group-here")]);
    assert!(group.contains("no-such-group-here"), "{group}");
}

#[test]
fn a_certificate_that_is_none_is_told_at_start_p32() {
    let cookie = (COOKIE_KEY, COOKIE_VALUE);
    for text in ["garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let said = refused(&[cookie, ("PLUGIN_CLIENT_CERT", text)]);
        assert!(said.contains("PLUGIN_CLIENT_CERT"), "{said}");
    }
}

#[test]
fn the_certificate_is_new_each_time_and_unpadded_p28_p34() {
    let (first, second) = (Plugin::tls(), Plugin::tls());
    let field = |plugin: &Plugin| plugin.line.trim_end().rsplit('|').next().unwrap().to_owned();
    assert!(field(&first).len() > 50 && !field(&first).contains('='));
    assert_ne!(first.handshake().certificate, second.handshake().certificate);
}
