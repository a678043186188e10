//! From the process's start to its line.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use wharf_proto::COOKIE_KEY;
use wharf_proto::handshake::Network;

use crate::child::{PROBE_COOKIE, Start, line_with};
use crate::services::echo;

// P1
#[test]
fn started_by_hand_it_says_what_it_is() {
    for value in ["wrong", ""] {
        let said = Start::hello().with(COOKIE_KEY, value).refused();
        assert!(said.contains("hello 0.1.0, a plugin of wharf"), "{said}");
        assert_eq!(said.lines().count(), 3);
        let said = Start::probe(&[]).with(PROBE_COOKIE.0, value).refused();
        assert!(said.contains("This program is a plugin"), "{said}");
        assert_eq!(said.lines().count(), 3);
    }
}

// P2
#[test]
fn a_plugin_that_is_not_configured_says_so() {
    let said = Start::probe(&["no-cookie"]).refused();
    assert!(said.contains("the value of its magic cookie is empty"), "{said}");
    let said = Start::probe(&["no-key"]).refused();
    assert!(said.contains("the name of its magic cookie is empty"), "{said}");
    let said = Start::probe(&["async"]).refused();
    assert!(said.contains("Make main a plain function"), "{said}");
    let said = Start::probe(&["no-version"]).refused();
    assert!(said.contains("serves nothing"), "{said}");
}

// P3, P5
#[test]
fn the_line_has_six_fields() {
    let plugin = Start::hello().run();
    assert_eq!(plugin.line.matches('|').count(), 5);
    let line = plugin.handshake();
    assert_eq!((line.app, line.network, line.certificate), (1, Network::Unix, None));
    assert_eq!(line.multiplexing, None);
}

// P3
#[test]
fn the_line_has_a_seventh_field_when_asked_for() {
    for (asked, arguments, said) in
        [("true", &[][..], "true"), ("true", &["no-mux"], "false"), ("banana", &[], "false")]
    {
        let plugin = Start::probe(arguments).with("PLUGIN_MULTIPLEX_GRPC", asked).run();
        assert!(plugin.line.ends_with(&format!("|grpc||{said}\n")), "{}", plugin.line);
    }
}

// P6
#[tokio::test]
async fn another_word_than_yes_multiplexes_nothing() {
    let plugin = Start::probe(&[]).with("PLUGIN_MULTIPLEX_GRPC", "banana").run();
    assert_eq!(echo(plugin.channel().await).await.unwrap(), "hello at version 1");
}

/// `WHARF_ROUNDS`, or 25.
#[expect(clippy::disallowed_methods, reason = "this test is the edge of its program")]
fn rounds() -> usize {
    std::env::var("WHARF_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(25)
}

// P4
#[tokio::test]
async fn the_socket_takes_connections_as_soon_as_the_line_is_there() {
    for _round in 0..rounds() {
        let plugin = Start::probe(&[]).run();
        UnixStream::connect(plugin.handshake().address).await.unwrap();
    }
}

// P13
#[test]
fn the_highest_version_of_both_is_spoken_in_whatever_order_they_come() {
    for offered in ["1,2,3", "1,3,2", "2,1,3", "2,3,1", "3,1,2", "3,2,1", "+3,2"] {
        let start = Start::probe(&["versions=2,3"]).with("PLUGIN_PROTOCOL_VERSIONS", offered);
        assert_eq!(start.run().handshake().app, 3, "{offered}");
    }
}

// P14, P15
#[test]
fn without_a_common_version_the_lowest_is_printed_and_served() {
    for offered in ["1", "7,8", ""] {
        let start = Start::probe(&["versions=3,2"]).with("PLUGIN_PROTOCOL_VERSIONS", offered);
        let mut plugin = start.run();
        assert_eq!(plugin.handshake().app, 2, "{offered}");
        assert!(plugin.is_running());
    }
    assert_eq!(Start::hello().with("PLUGIN_PROTOCOL_VERSIONS", "7").run().handshake().app, 1);
}

// P16
#[test]
fn versions_that_are_none_are_reported_and_left_out() {
    let start = Start::probe(&["versions=2,3"]).with("PLUGIN_PROTOCOL_VERSIONS", "7,abc,2");
    let mut plugin = start.run();
    assert_eq!(plugin.handshake().app, 2);
    let line = line_with(&plugin.errors(), "abc");
    assert_eq!(line, "server sent invalid plugin version \"abc\"");
}

// P17
#[tokio::test]
async fn each_version_has_its_own_services() {
    for version in ["2", "3"] {
        let start = Start::probe(&["versions=2,3"]).with("PLUGIN_PROTOCOL_VERSIONS", version);
        let plugin = start.run();
        let said = echo(plugin.channel().await).await.unwrap();
        assert_eq!(said, format!("hello at version {version}"));
    }
}

// P7
#[test]
fn the_socket_lies_where_the_host_wants_it() {
    let plugin = Start::hello().run();
    let address = plugin.handshake().address;
    assert_eq!(Path::new(&address).parent(), Some(plugin.folder()));
}

// P8
#[test]
fn a_group_may_use_the_socket_by_number_and_by_name() {
    let number = rustix::process::getegid().as_raw();
    let known = std::fs::read_to_string("/etc/group").unwrap();
    let mut groups = known.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let named = groups.find(|fields| fields.get(2) == Some(&&*number.to_string()));
    let name = named.map(|fields| fields[0].to_owned());
    for group in [Some(number.to_string()), name].into_iter().flatten() {
        let plugin = Start::probe(&[]).with("PLUGIN_UNIX_SOCKET_GROUP", &group).run();
        let socket = std::fs::metadata(plugin.handshake().address).unwrap();
        assert_eq!((socket.gid(), socket.permissions().mode() & 0o777), (number, 0o660));
    }
}

// P9
#[test]
fn a_folder_that_cannot_be_used_is_told() {
    let missing = Start::hello().with("PLUGIN_UNIX_SOCKET_DIR", "/no/such/folder").refused();
    assert!(missing.contains("/no/such/folder"), "{missing}");
    let long = format!("/tmp/{}", "x".repeat(120));
    let long = Start::hello().with("PLUGIN_UNIX_SOCKET_DIR", &long).refused();
    assert!(long.contains("107"), "{long}");
    let group = Start::hello().with("PLUGIN_UNIX_SOCKET_GROUP", "no-such-group-here").refused();
    assert!(group.contains("no-such-group-here"), "{group}");
}

// P10
#[tokio::test]
async fn over_tcp_the_port_is_the_lowest_free_one_of_the_range() {
    let any = Start::probe(&["tcp"]).run();
    assert_eq!(any.handshake().network, Network::Tcp);
    assert_eq!(echo(any.channel().await).await.unwrap(), "hello at version 1");
    let port = |address: &str| -> u16 { address.rsplit(':').next().unwrap().parse().unwrap() };
    let taken = port(&any.handshake().address);
    let tcp = |first: u16, last: u16| {
        let start = Start::probe(&["tcp"]).with("PLUGIN_MIN_PORT", &first.to_string());
        start.with("PLUGIN_MAX_PORT", &last.to_string())
    };
    let next = tcp(taken, taken.saturating_add(20)).tls().run();
    assert!(port(&next.handshake().address) > taken);
    assert_eq!(echo(next.channel().await).await.unwrap(), "hello at version 1");
    let busy = tcp(taken, taken).refused();
    assert!(busy.contains(&taken.to_string()), "{busy}");
    let empty = tcp(20_000, 10_000).refused();
    assert!(empty.contains("20000 to 10000"), "{empty}");
}

// P11
#[test]
fn a_panic_before_the_line_leaves_no_socket() {
    let said = Start::probe(&["panic"]).fails(101);
    assert!(said.starts_with("panic: a panic while the services are made"), "{said}");
}

// P12
#[test]
fn one_program_is_several_plugins() {
    for kind in ["kind=1", "kind=2"] {
        let plugin = Start::probe(&[kind]).run();
        assert_eq!(plugin.handshake().app.to_string(), kind.strip_prefix("kind=").unwrap());
    }
    for arguments in [&["kind=3"][..], &["kind", "kind"]] {
        let said = Start::probe(arguments).refused();
        assert!(said.contains("kind=1, kind=2"), "{said}");
    }
}

// P35
#[test]
fn tls_needs_no_slow_key_at_the_start() {
    let time = |start: Start| {
        let begun = Instant::now();
        drop(start.run());
        begun.elapsed()
    };
    let rounds = || (0..12).map(|_| (time(Start::probe(&[])), time(Start::probe(&[]).tls())));
    let (plain, secure): (Vec<_>, Vec<_>) = rounds().unzip();
    // The quickest of each: whatever else the machine does only makes it slower.
    let (plain, secure) = (plain.into_iter().min().unwrap(), secure.into_iter().min().unwrap());
    // Measured: 1 ms. An RSA key takes hundreds, a library that gathers entropy 30 to 80.
    assert!(secure < plain + Duration::from_millis(10), "{plain:?} and {secure:?}");
}
