//! The line and the environment of the handshake, example by example and at random.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use wharf_proto::handshake::{
    Environment, Line, LineError, MAX_LINE_BYTES, Network, VARIABLES, negotiate, parse_versions,
};

fn unix(address: &str) -> Line {
    Line {
        app: 1,
        network: Network::Unix,
        address: address.to_owned(),
        certificate: None,
        multiplexing: None,
    }
}

#[track_caller]
fn accepts(line: &str, expected: &Line) {
    assert_eq!(Line::parse(line.as_bytes()).as_ref(), Ok(expected), "{line:?}");
}

#[track_caller]
fn refuses(line: impl AsRef<[u8]>, says: &str) -> LineError {
    let line = line.as_ref();
    let error = Line::parse(line).expect_err("a line that is no handshake");
    let text = error.to_string();
    assert!(text.contains(says), "{text:?} does not say {says:?}");
    error
}

#[test]
fn six_fields_are_read() {
    // H1, H2, H19
    accepts("1|1|unix|/tmp/plugin1|grpc|", &unix("/tmp/plugin1"));
    accepts("1|1|unix|/tmp/plugin1|grpc|\n", &unix("/tmp/plugin1"));
    accepts("1|1|unix|/tmp/plugin1|grpc", &unix("/tmp/plugin1"));
    accepts("1|1|unix|/with blank/ä|grpc|", &unix("/with blank/ä"));
    let tcp = |address: &str| Line { network: Network::Tcp, ..unix(address) };
    accepts("1|1|tcp|127.0.0.1:1234|grpc|", &tcp("127.0.0.1:1234"));
    accepts("1|1|tcp|[::1]:1234|grpc|", &tcp("[::1]:1234"));
    let short = "A".repeat(50);
    accepts(&format!("1|1|unix|/a|grpc|{short}"), &unix("/a"));
    accepts(&format!("1|1|unix|/a|grpc|{}", "!".repeat(50)), &unix("/a"));
}

#[test]
fn blanks_and_line_ends_around_the_line_are_dropped() {
    // H10, F16
    for line in ["1|1|unix|/a|grpc|\r\n", "1|1|unix|/a|grpc|\r", "  1|1|unix|/a|grpc| \t\r\n"] {
        accepts(line, &unix("/a"));
    }
}

#[test]
fn numbers_are_read_as_go_reads_them() {
    // H12, F12
    accepts("+1|01|unix|/a|grpc|", &unix("/a"));
    accepts("01|+1|unix|/a|grpc|", &unix("/a"));
    accepts("1|4294967295|unix|/a|grpc|", &Line { app: u32::MAX, ..unix("/a") });
    let core = |core| LineError::IncompatibleCore { core };
    assert_eq!(refuses("2|1|unix|/a|grpc|", "version 2, this host speaks 1"), core(2));
    assert_eq!(refuses("-1|1|unix|/a|grpc|", "version -1"), core(-1));
    refuses("x|1|unix|/a|grpc|", "core protocol version is not a number: \"x\"");
    refuses("|1|unix|/a|grpc|", "core protocol version is not a number: \"\"");
    refuses("99999999999999999999|1|unix|/a|grpc|", "not a number: \"99999999999999999999\"");
}

#[test]
fn application_versions_that_are_no_numbers_are_refused() {
    // H11, H14, F12
    for app in ["", " 1", "x", "-1", "1.0", "1_0", "4294967296", "٣"] {
        let error = refuses(format!("1|{app}|unix|/a|grpc|"), "application protocol version");
        assert!(matches!(error, LineError::AppVersion { .. }), "{error:?}");
    }
}

#[test]
fn too_few_fields_are_refused_with_the_line() {
    // H7, H8, H9, F11, F12
    for line in ["", "\n", "|", "1|1|unix", "Loading settings...", "1"] {
        let error = refuses(line, &format!("\"{}\"", line.trim()));
        assert!(matches!(error, LineError::TooFewFields { .. }), "{error:?}");
    }
    refuses("DEBUG: ready", "standard output is reserved for the handshake");
}

#[test]
fn texts_from_the_plugin_are_escaped_and_cut() {
    // F11
    refuses("\u{1b}[2J\u{202e}hi", "\"\\u{1b}[2J\\u{202e}hi\"");
    let LineError::TooFewFields { line, .. } = refuses("ä".repeat(5000), "...") else {
        panic!("another error");
    };
    assert!(line.len() < 210, "{} bytes", line.len());
}

#[test]
fn unknown_networks_and_bad_addresses_are_refused_by_name() {
    // H15, H16, F12
    refuses("1|1|udp|127.0.0.1:1|grpc|", "unknown network \"udp\"");
    refuses("1|1||/a|grpc|", "unknown network \"\"");
    refuses("1|1|unix||grpc|", "no address");
    for address in ["nonsense", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80"] {
        refuses(format!("1|1|tcp|{address}|grpc|"), &format!("\"{address}\" is not HOST:PORT"));
    }
}

#[test]
fn other_protocols_than_grpc_are_refused_by_name() {
    // H17, H18, F17
    refuses("1|1|unix|/a", "\"netrpc\"; only grpc is supported");
    refuses("1|1|unix|/a|netrpc|", "\"netrpc\"; only grpc is supported");
    refuses("1|1|unix|/a||", "\"\"; only grpc is supported");
    refuses("1|1|unix|/a|GRPC|", "\"GRPC\"; only grpc is supported");
}

#[test]
fn marks_zero_bytes_and_other_encodings_are_refused() {
    // F16
    refuses("\u{feff}1|1|unix|/a|grpc|", "byte order mark");
    refuses("1|1|unix|/a\0|grpc|", "contains a NUL");
    refuses("1|1|unix|/a|grpc|\n1|1|unix|/b|grpc|", "line feed");
    refuses(b"1|1|unix|/\xff|grpc|", "not UTF-8 from byte 10 on");
}

#[test]
fn lines_of_64_kibibytes_are_refused() {
    // H25, F15
    let with_address = |bytes: usize| {
        let rest = "1|1|unix||grpc|";
        format!("1|1|unix|{}|grpc|\n", "a".repeat(bytes - rest.len()))
    };
    assert!(Line::parse(with_address(MAX_LINE_BYTES - 1).as_bytes()).is_ok());
    refuses(with_address(MAX_LINE_BYTES), "65536 bytes or more, at most 65535");
}

#[test]
fn certificates_are_read_with_and_without_padding() {
    // H59
    for (bytes, text) in [
        (40, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw"),
        (40, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw=="),
    ] {
        let line = Line { certificate: Some(vec![7; bytes]), ..unix("/a") };
        accepts(&format!("1|1|unix|/a|grpc|{text}"), &line);
    }
}

#[test]
fn long_sixth_fields_must_be_base64() {
    // H20, F21
    for text in ["!".repeat(51), format!("{}-_", "A".repeat(50)), "A".repeat(53)] {
        let error = refuses(format!("1|1|unix|/a|grpc|{text}"), "certificate is not base64");
        assert!(matches!(error, LineError::Certificate { .. }), "{error:?}");
    }
}

#[test]
fn the_seventh_field_is_a_go_boolean_and_the_rest_is_ignored() {
    // H24, H73, H74, H75, F14
    for (field, multiplexing) in
        [("true", Some(true)), ("T", Some(true)), ("0", Some(false)), ("maybe", None), ("", None)]
    {
        let line = Line { multiplexing, ..unix("/a") };
        accepts(&format!("1|1|unix|/a|grpc||{field}"), &line);
        accepts(&format!("1|1|unix|/a|grpc||{field}|eight|nine"), &line);
    }
}

#[test]
fn a_seventh_field_is_printed_only_when_asked_for() {
    // P3
    let line = unix("/a");
    assert_eq!(line.to_string(), "1|1|unix|/a|grpc|");
    let asked = Line { multiplexing: Some(false), certificate: Some(vec![7; 40]), ..line };
    assert_eq!(
        asked.to_string(),
        "1|1|unix|/a|grpc|BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw|false"
    );
}

fn read(variables: &[(&str, String)]) -> Environment {
    let variables: BTreeMap<&str, &String> = variables.iter().map(|(k, v)| (*k, v)).collect();
    Environment::read(|key| variables.get(key).map(|value| (*value).clone()))
}

#[test]
fn a_host_sets_what_it_wants_and_no_more() {
    // H34, H35, H40
    let least = Environment {
        versions: vec![1, 2],
        min_port: 10_000,
        max_port: 25_000,
        ..Environment::default()
    };
    let vars = least.to_vars();
    let expected = [
        ("PLUGIN_PROTOCOL_VERSIONS", "1,2"),
        ("PLUGIN_MIN_PORT", "10000"),
        ("PLUGIN_MAX_PORT", "25000"),
    ];
    assert_eq!(vars, expected.map(|(key, value)| (key, value.to_owned())));
    assert_eq!(read(&vars), least);
}

#[test]
fn a_full_environment_comes_back_as_it_was() {
    let full = Environment {
        versions: vec![3],
        min_port: 1,
        max_port: 2,
        client_certificate: Some("-----BEGIN CERTIFICATE-----\n".to_owned()),
        socket_dir: Some(PathBuf::from("/run/wharf-1/7")),
        socket_group: Some("staff".to_owned()),
        multiplex: Some(true),
    };
    let vars = full.to_vars();
    assert!(vars.contains(&("PLUGIN_MULTIPLEX_GRPC", "true".to_owned())));
    let mut names: Vec<&str> = vars.iter().map(|(key, _)| *key).collect();
    let mut all = VARIABLES.to_vec();
    names.sort_unstable();
    all.sort_unstable();
    assert_eq!(names, all, "VARIABLES names every variable");
    assert_eq!(read(&vars), full);
}

#[test]
fn empty_variables_count_as_unset_and_odd_ones_do_no_harm() {
    // P5, P6, P15, P16
    assert_eq!(read(&[]), Environment::default());
    let empty: Vec<(&str, String)> = VARIABLES.iter().map(|key| (*key, String::new())).collect();
    assert_eq!(read(&empty), Environment::default());
    let odd = [
        ("PLUGIN_PROTOCOL_VERSIONS", "7,abc,2".to_owned()),
        ("PLUGIN_MIN_PORT", "many".to_owned()),
        ("PLUGIN_MULTIPLEX_GRPC", "banana".to_owned()),
    ];
    let expected =
        Environment { versions: vec![7, 2], multiplex: Some(false), ..Environment::default() };
    assert_eq!(read(&odd), expected);
    assert_eq!(parse_versions("7,abc,2,,-1"), (vec![7, 2], vec!["abc", "-1"]));
}

#[test]
fn the_highest_shared_version_is_chosen_else_the_lowest_own_one() {
    // H42, H43, H44, P13, P14, P15
    for offered in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
        assert_eq!(negotiate(&[2, 3], &offered), Some(3));
    }
    assert_eq!(negotiate(&[2, 3], &[1, 2]), Some(2));
    assert_eq!(negotiate(&[3, 2], &[1]), Some(2));
    assert_eq!(negotiate(&[3, 2], &[]), Some(2));
    assert_eq!(negotiate(&[], &[1]), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        // F12, F16
        if let Err(error) = Line::parse(&bytes) {
            prop_assert!(error.to_string().len() < 1_200);
        }
    }

    #[test]
    fn almost_right_lines_are_read_or_refused(
        fields in prop::collection::vec(
            prop_oneof![
                Just("1"), Just("-1"), Just("unix"), Just("tcp"), Just("/a"), Just("h:1"),
                Just("grpc"), Just("netrpc"), Just(""), Just("true"), Just("\u{feff}"), Just("ä"),
            ],
            0..9,
        ),
    ) {
        if let Ok(line) = Line::parse(fields.join("|").as_bytes()) {
            prop_assert_eq!(Line::parse(line.to_string().as_bytes()), Ok(line));
        }
    }

    #[test]
    fn what_is_printed_is_read_again(
        app in any::<u32>(),
        address in "[^|\\x00\\n]{1,120}",
        certificate in prop::option::of(prop::collection::vec(any::<u8>(), 39..900)),
        multiplexing in any::<Option<bool>>(),
    ) {
        let line = Line { app, network: Network::Unix, address, certificate, multiplexing };
        prop_assert_eq!(Line::parse(line.to_string().as_bytes()), Ok(line));
    }
}
