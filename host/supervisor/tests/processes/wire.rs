//! How host and plugin reach each other: networks, TLS, versions, multiplexing, messages.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::net::UnixStream;
use tokio::time::Instant;
use tonic::Code;
use wharf_peer::Connection;
use wharf_proto::tls::Identity;
use wharf_proto::v1::DescribeRequest;
use wharf_supervisor::{Bounds, CallError, EnvPolicy, Network, Security, SocketPolicy, Tls, calls};

use crate::fake::{self, ask, ask_channel};
use crate::support::{Home, LONG, says, within};
use kv::GetRequest;
use kv::kv_client::KvClient;

#[path = "../../examples/fake-plugin/given.rs"]
mod given;

// H1, H35, H42, H44
#[tokio::test]
async fn the_handshake_is_told_as_it_was_agreed() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    let agreed = process.handshake();
    assert_eq!((agreed.core, agreed.app_version, agreed.network), (1, 2, Network::Unix));
    assert!(Path::new(&agreed.address).starts_with(process.folder()), "{agreed:?}");
    assert!(agreed.tls && !agreed.multiplexing && agreed.took < LONG);
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
    let pem = ask(&process, "env PLUGIN_CLIENT_CERT").await.unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"), "{pem}");
    let missing = ask(&process, "env PLUGIN_MULTIPLEX_GRPC").await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

// H43, H45
#[tokio::test]
async fn the_caller_picks_its_client_by_the_version_that_was_agreed_on() {
    let home = Home::new();
    for (offered, agreed) in [(&[2][..], 2), (&[3, 1, 2], 3)] {
        let process = fake::launch(&home, &[]).versions(offered).start().await.unwrap();
        assert_eq!(process.handshake().app_version, agreed);
        let asked = ask(&process, "env PLUGIN_PROTOCOL_VERSIONS").await.unwrap();
        let mut asked: Vec<u32> = asked.split(',').map(|number| number.parse().unwrap()).collect();
        asked.sort_unstable();
        let mut offered = offered.to_vec();
        offered.sort_unstable();
        assert_eq!(asked, offered);
        assert_eq!(ask(&process, "version").await.unwrap(), agreed.to_string());
        // A service that it does not offer in any version.
        let bounds = Bounds::new(LONG);
        let error = calls::describe(&process, DescribeRequest::default(), &bounds).await;
        let error = error.unwrap_err();
        assert!(matches!(error, CallError::Unimplemented { .. }), "{error}");
        assert!(error.to_string().contains("Plugin.Describe"), "{error}");
        assert_eq!(ask(&process, "version").await.unwrap(), agreed.to_string());
    }
}

// H2, H34
#[tokio::test]
async fn a_plugin_on_tcp_gets_the_range_and_is_dialled_on_loopback() {
    let home = Home::new();
    let process = fake::start(&home, &["tcp"]).await;
    assert_eq!(process.handshake().network, Network::Tcp);
    let port = process.handshake().address.strip_prefix("127.0.0.1:").unwrap();
    assert!((10_000..=25_000).contains(&port.parse::<u16>().unwrap()), "{port}");
    assert_eq!(ask(&process, "env PLUGIN_MIN_PORT").await.unwrap(), "10000");
    assert_eq!(ask(&process, "env PLUGIN_MAX_PORT").await.unwrap(), "25000");

    let given = fake::launch(&home, &["tcp"]).ports(30_000, 30_500).start().await.unwrap();
    assert_eq!(ask(&given, "env PLUGIN_MIN_PORT").await.unwrap(), "30000");
    let error = home.launch("x").ports(2, 1).start().await.unwrap_err();
    says(&error, "config", &["2 to 1 is empty"]);
}

/// Says that this process is the host in question.
const INNER: &str = "WHARF_TEST_INNER_HOST";

// H36, H38
#[tokio::test]
async fn what_a_host_was_given_by_a_host_of_its_own_stays_with_it() {
    if std::env::var_os(INNER).is_none() {
        let name = "wire::what_a_host_was_given_by_a_host_of_its_own_stays_with_it";
        #[expect(clippy::disallowed_methods, reason = "a host with variables of its own")]
        let mut host = tokio::process::Command::new(std::env::current_exe().unwrap());
        host.args(["--exact", name]).env(INNER, "yes").kill_on_drop(true);
        host.env("PLUGIN_CLIENT_CERT", "x").env("PLUGIN_MULTIPLEX_GRPC", "true");
        let said = within(host.output()).await.unwrap();
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let home = Home::new();
    let launch = fake::launch(&home, &[]).tls(Tls::Off).env(EnvPolicy::Inherit);
    let process = launch.start().await.unwrap();
    assert_eq!(ask(&process, &format!("env {INNER}")).await.unwrap(), "yes");
    for name in ["PLUGIN_CLIENT_CERT", "PLUGIN_MULTIPLEX_GRPC"] {
        let missing = ask(&process, &format!("env {name}")).await.unwrap_err();
        assert_eq!(missing.code(), Code::NotFound, "{name}");
    }
    let launch = fake::launch(&home, &[]).tls(Tls::Off).env(EnvPolicy::Nothing);
    let process = launch.start().await.unwrap();
    for name in [INNER, "PATH", "PLUGIN_CLIENT_CERT"] {
        let missing = ask(&process, &format!("env {name}")).await.unwrap_err();
        assert_eq!(missing.code(), Code::NotFound, "{name}");
    }
}

// H15, H16, H18, H19
#[tokio::test]
async fn an_address_of_another_kind_is_refused_by_name() {
    let home = Home::new();
    for (line, code, words) in [
        ("1|1|udp|/s|grpc|", "handshake", "udp"),
        ("1|1|tcp|nonsense|grpc|", "handshake", "not HOST:PORT"),
        ("1|1|tcp|192.0.2.1:7|grpc|", "policy", "not on loopback"),
        ("1|1|unix|/s|telepathy|", "handshake", "telepathy"),
        ("1|1|unix|/s|grpc|of old versions", "policy", "private folder"),
    ] {
        let script = home.script(&format!("echo '{line}'; exec sleep 600"));
        let error = home.fail_with(home.launch(script).tls(Tls::Off)).await;
        says(&error, code, &[words]);
    }
}

// H35, H60
#[tokio::test]
async fn tls_is_off_given_or_a_clear_error() {
    let home = Home::new();
    let plain = fake::launch(&home, &[]).tls(Tls::Off).start().await.unwrap();
    assert!(!plain.handshake().tls);
    assert_eq!(ask(&plain, "version").await.unwrap(), "2");
    assert!(ask(&plain, "env PLUGIN_CLIENT_CERT").await.is_err());

    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(home.path().join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(home.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let security = given::security(home.path()).unwrap();
    let folder = format!("tls={}", home.path().display());
    let launch = || fake::launch(&home, &[&folder]);
    let given = launch().tls(Tls::Given(security)).start().await.unwrap();
    assert!(given.handshake().tls);
    assert_eq!(ask(&given, "version").await.unwrap(), "2");
    // Here too the broker's connections are as the main one is.
    let id = ask(&given, "accept").await.unwrap().parse().unwrap();
    let brokered = given.broker().dial(id).await.unwrap();
    assert_eq!(ask_channel(brokered, "who").await.unwrap(), "the plugin");
    drop((plain, given));
    home.nothing_is_left().await;

    // The first call is one of the start.
    let error = home.fail_with(launch().tls(Tls::Off)).await;
    says(&error, "handshake", &["first call after the handshake failed"]);
    let error = home.fail_with(launch()).await;
    says(&error, "handshake", &["no certificate", "AutoMTLS"]);
    let stranger = Identity::generate().unwrap();
    let other = Security::pinned(&stranger, stranger.der()).unwrap();
    let error = home.fail_with(launch().tls(Tls::Given(other))).await;
    says(&error, "handshake", &["TLS handshake failed", "set up for the same TLS"]);
}

// H22
#[tokio::test]
async fn a_certificate_that_nobody_asked_for_is_an_error_and_no_crash() {
    let home = Home::new();
    let certificate = STANDARD_NO_PAD.encode(Identity::generate().unwrap().der());
    let line = format!("1|1|unix|/s|grpc|{certificate}");
    let script = home.script(&format!("echo '{line}'; exec sleep 600"));
    let error = home.fail_with(home.launch(script).tls(Tls::Off)).await;
    says(&error, "handshake", &["did not ask for", "AutoMTLS"]);
}

// H59
#[tokio::test]
async fn a_padded_certificate_is_accepted() {
    let home = Home::new();
    let process = fake::start(&home, &["padded"]).await;
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
}

// H57, F22
#[tokio::test]
async fn strangers_at_the_plugins_socket_get_no_answer() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    let address = process.handshake().address.clone();
    let stranger = Identity::generate().unwrap();
    let security = Security::pinned(&stranger, stranger.der()).unwrap();
    for security in [None, Some(security)] {
        let socket = Connection::from(UnixStream::connect(&address).await.unwrap());
        let served = async {
            let connection = socket.into_client(security.as_ref()).await?;
            let again = || async { Err(std::io::ErrorKind::Other.into()) };
            let channel = wharf_peer::channel(connection, again).await;
            let asked = ask_channel(channel.map_err(std::io::Error::other)?, "version").await;
            asked.map_err(std::io::Error::other)
        };
        assert!(within(served).await.is_err());
    }
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
}

// H40, H41
#[tokio::test]
async fn a_socket_group_gets_the_folder_and_its_name_is_passed_on() {
    use std::os::unix::fs::MetadataExt as _;
    let home = Home::new();
    let root = rustix::process::geteuid().is_root();
    let group = if root { 1 } else { rustix::process::getegid().as_raw() };
    let launch = fake::launch(&home, &[]).socket_group(group.to_string());
    let process = launch.start().await.unwrap();
    let folder = fs::metadata(process.folder()).unwrap();
    assert_eq!((folder.mode() & 0o7777, folder.gid()), (0o770, group));
    let socket = fs::metadata(&process.handshake().address).unwrap();
    assert_eq!((socket.mode() & 0o777, socket.gid()), (0o660, group));
    let passed = ask(&process, "env PLUGIN_UNIX_SOCKET_GROUP").await.unwrap();
    assert_eq!(passed, group.to_string());
    process.stop().await;
    home.nothing_is_left_within(Duration::ZERO).await;

    let named = fake::launch(&home, &[]).socket_group("no such group");
    says(&home.fail_with(named).await, "config", &["no such group", "by number"]);
    let private = fake::start(&home, &[]).await;
    assert_eq!(fs::metadata(private.folder()).unwrap().mode() & 0o7777, 0o700);
    assert!(ask(&private, "env PLUGIN_UNIX_SOCKET_GROUP").await.is_err());
}

// H48, F29
#[tokio::test]
async fn a_client_takes_as_much_as_it_is_told_to() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    let request = || GetRequest { key: format!("big {}", 5 << 20) };
    let refused = KvClient::new(process.channel()).get(request()).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    let mut client = KvClient::new(process.channel()).max_decoding_message_size(64 << 20);
    assert_eq!(client.get(request()).await.unwrap().into_inner().value.len(), 5 << 20);
}

// H50
#[tokio::test]
async fn two_calls_without_even_headers_do_not_hold_up_the_start() {
    let home = Home::new();
    let process = fake::start(&home, &["mute"]).await;
    assert!(process.handshake().took < Duration::from_secs(1), "{:?}", process.handshake());
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
    assert_eq!(process.stop().await.exit.code, Some(0));
}

// H51, H69
#[tokio::test]
async fn a_plugin_without_any_of_the_optional_services_is_of_use() {
    let home = Home::new();
    let process = fake::start(&home, &["no-health", "no-stdio", "no-broker"]).await;
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
    process.ping(LONG).await.unwrap();
    let begun = Instant::now();
    let error = process.broker().dial(1).await.unwrap_err();
    assert!(error.to_string().contains("closed"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2));
}

// H70, H79, H83
#[tokio::test]
async fn a_multiplexed_plugin_is_called_through_its_one_socket() {
    let home = Home::new();
    for tls in [Tls::Auto, Tls::Off] {
        let launch = fake::launch(&home, &[]).tls(tls).multiplex(true);
        let process = launch.start().await.unwrap();
        assert!(process.handshake().multiplexing);
        assert_eq!(ask(&process, "env PLUGIN_MULTIPLEX_GRPC").await.unwrap(), "true");
        // Nobody else gets in: the plugin took the one connection that the start made.
        process.ping(LONG).await.unwrap();
        assert_eq!(ask(&process, "version").await.unwrap(), "2");
        assert_eq!(process.stop().await.exit.code, Some(0));
        home.nothing_is_left_within(Duration::ZERO).await;
    }
}

// H71, H72, H73, H75
#[tokio::test]
async fn multiplexing_that_is_not_granted_is_an_error_that_says_what_to_do() {
    let home = Home::new();
    let six = home.script("echo \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/s|grpc|\"; exec sleep 600");
    let error = home.fail_with(home.launch(six).tls(Tls::Off).multiplex(true)).await;
    says(&error, "handshake", &["multiplexing", "1.6"]);
    for (word, words) in [("false", "does not support"), ("maybe", "no boolean")] {
        let launch = fake::launch(&home, &[&format!("mux={word}")]).multiplex(true);
        says(&home.fail_with(launch).await, "handshake", &[words]);
    }
    let unasked = fake::start(&home, &["mux=true"]).await;
    assert!(!unasked.handshake().multiplexing);
    assert_eq!(ask(&unasked, "version").await.unwrap(), "2");
}

// H27
#[tokio::test]
async fn a_last_line_needs_no_end_and_an_open_one_is_waited_for() {
    let home = Home::new();
    let line = "printf '1|1|unix|/s|grpc|'";
    let any = |script| home.launch(script).tls(Tls::Off).socket_policy(SocketPolicy::Any);
    let error = home.fail_with(any(home.script(line))).await;
    says(&error, "handshake", &["/s of its handshake cannot be reached"]);
    let open = home.script(&format!("{line}; exec sleep 600"));
    let launch = any(open).start_timeout(Duration::from_millis(300));
    says(&home.fail_with(launch).await, "unresponsive", &["no handshake within 300"]);
}

// H31, H32
#[tokio::test]
async fn wishes_that_contradict_each_other_start_nothing() {
    let home = Home::new();
    let error = home.launch("").start().await.unwrap_err();
    says(&error, "config", &["no program"]);
    assert!(!home.runtime().exists());
    // A launch is used up by its start. Of a process that has ended nothing answers.
    let process = fake::start(&home, &[]).await;
    process.kill();
    within(process.wait()).await;
    assert_eq!(ask(&process, "version").await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(process.ping(LONG).await.unwrap_err().code(), "crashed");
}
