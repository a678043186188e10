//! The end of the process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use wharf_proto::goplugin::Empty;
use wharf_proto::goplugin::grpc_controller_client::GrpcControllerClient;
use wharf_proto::goplugin::grpc_stdio_client::GrpcStdioClient;
use wharf_proto::handshake::Line;
use wharf_proto::v1;
use wharf_proto::v1::plugin_client::PluginClient;
use wharf_proto::{COOKIE_KEY, COOKIE_VALUE};

use crate::child::{Plugin, command, hello, until, wait};

/// What a go-plugin host waits before it kills.
const GO_PATIENCE: Duration = Duration::from_secs(2);

/// Status 0, in time, nothing more on standard output, no socket left.
fn ends_well(plugin: &mut Plugin, asked: Instant) {
    let (status, stdout, stderr) = plugin.wait();
    assert!(asked.elapsed() < GO_PATIENCE, "{:?}", asked.elapsed());
    assert_eq!((status.code(), stdout.as_str()), (Some(0), ""), "{stderr}");
    assert_eq!(std::fs::read_dir(plugin.folder()).unwrap().count(), 0, "the socket is removed");
}

#[tokio::test]
async fn shutdown_ends_it_in_order_p52_p57() {
    let mut plugin = Plugin::tls();
    let channel = plugin.channel().await;
    // A host holds this stream open all the time.
    let mut stdio = GrpcStdioClient::new(channel.clone());
    let mut held = stdio.stream_stdio(()).await.unwrap().into_inner();
    let asked = Instant::now();
    let answer = GrpcControllerClient::new(channel).shutdown(Empty {}).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(held.message().await.unwrap().is_none(), "the stream ends in order");
    ends_well(&mut plugin, asked);
}

#[tokio::test]
async fn sigterm_ends_it_in_order_p11_p55() {
    let mut plugin = Plugin::plain();
    let asked = Instant::now();
    plugin.signal(Signal::TERM);
    ends_well(&mut plugin, asked);
}

#[tokio::test]
async fn sigint_is_left_to_the_host_p54() {
    let mut plugin = Plugin::plain();
    for _ in 0..3 {
        plugin.signal(Signal::INT);
        let mut client = PluginClient::new(plugin.channel().await);
        client.describe(v1::DescribeRequest::default()).await.unwrap();
    }
    assert!(plugin.is_running());
}

#[tokio::test]
async fn it_ends_when_its_parent_is_gone_p56() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        (COOKIE_KEY, COOKIE_VALUE),
        ("PLUGIN_PROTOCOL_VERSIONS", "1"),
        ("PLUGIN_UNIX_SOCKET_DIR", folder.path().to_str().unwrap()),
    ];
    let mut shell = command(Path::new("/bin/sh"), &variables);
    let mut shell =
        shell.arg("-c").arg(format!("{} & echo $!; wait", hello().display())).spawn().unwrap();
    let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines().map_while(Result::ok);
    // The shell's number and the plugin's line race for standard output.
    let (first, second) = (lines.next().unwrap(), lines.next().unwrap());
    let (number, line) = if first.contains('|') { (second, first) } else { (first, second) };
    let number: u32 = number.trim().parse().unwrap();
    let socket = Line::parse(line.as_bytes()).unwrap().address;
    assert!(Path::new(&socket).exists());

    let asked = Instant::now();
    kill_process(Pid::from_child(&shell), Signal::KILL).unwrap();
    wait(&mut shell);
    until("the plugin ends", || has_ended(number).then_some(()));
    assert!(asked.elapsed() < GO_PATIENCE, "{:?}", asked.elapsed());
    assert!(!Path::new(&socket).exists(), "the socket is removed");
}

/// Whether no such process runs. One that ended may wait for its new parent for as long as that likes.
fn has_ended(number: u32) -> bool {
    match std::fs::read_to_string(format!("/proc/{number}/stat")) {
        Ok(stat) => stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")),
        Err(_gone) => true,
    }
}
