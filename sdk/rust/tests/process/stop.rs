//! The end of the process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tonic::Code;
use wharf_proto::goplugin::Empty;
use wharf_proto::goplugin::grpc_controller_client::GrpcControllerClient;
use wharf_proto::goplugin::grpc_stdio_client::GrpcStdioClient;
use wharf_proto::handshake::Line;
use wharf_proto::{COOKIE_KEY, COOKIE_VALUE};

use crate::child::{Plugin, Start, command, hello, soon, until, wait};
use crate::probe::Text;
use crate::probe::probe_client::ProbeClient;
use crate::services::echo;

/// What a go-plugin host waits before it kills.
const GO_PATIENCE: Duration = Duration::from_secs(2);

/// Status 0, in time, nothing more on standard output, no socket left.
fn ends_well(plugin: &mut Plugin, asked: Instant) {
    let (status, stdout, stderr) = plugin.wait();
    assert!(asked.elapsed() < GO_PATIENCE, "{:?}", asked.elapsed());
    assert_eq!((status.code(), stdout.as_str()), (Some(0), ""), "{stderr}");
    assert_eq!(std::fs::read_dir(plugin.folder()).unwrap().count(), 0, "the socket is removed");
}

// P52
#[tokio::test]
async fn shutdown_ends_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let ended = folder.path().join("ended");
    let argument = format!("ended={}", ended.display());
    for start in [Start::hello().tls(), Start::probe(&[&argument, "threads=2"]).tls()] {
        let mut plugin = start.run();
        let channel = plugin.channel().await;
        // A host holds this stream open all the time.
        let mut stdio = GrpcStdioClient::new(channel.clone());
        let mut held = stdio.stream_stdio(()).await.unwrap().into_inner();
        let asked = Instant::now();
        let answer = soon(GrpcControllerClient::new(channel).shutdown(Empty {})).await;
        assert!(answer.is_ok(), "{answer:?}");
        assert!(held.message().await.unwrap().is_none(), "the stream ends in order");
        ends_well(&mut plugin, asked);
    }
    assert_eq!(std::fs::read_to_string(ended).unwrap(), "ended", "destructors ran");
}

// P52, P53
#[tokio::test]
async fn a_stream_learns_of_the_end_and_new_calls_are_refused() {
    let mut plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    let mut client = ProbeClient::new(channel.clone());
    let mut stream = client.tick(Text::default()).await.unwrap().into_inner();
    let mut stubborn =
        client.tick(Text { text: "stubborn".to_owned() }).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    stubborn.message().await.unwrap().unwrap();
    let asked = Instant::now();
    let mut controller = GrpcControllerClient::new(channel.clone());
    let (answer, (last, refused)) = tokio::join!(soon(controller.shutdown(Empty {})), async {
        let last = soon(stream.message()).await.unwrap().unwrap();
        (last, echo(channel.clone()).await.unwrap_err())
    });
    answer.unwrap();
    assert_eq!(last.text, "last");
    // Refused by the plugin, or by the client's own end of a connection that takes no more calls.
    assert!(matches!(refused.code(), Code::Unavailable | Code::Cancelled), "{refused}");
    assert!(stream.message().await.unwrap().is_none());
    let cut = soon(stubborn.message()).await.unwrap_err();
    assert_eq!((cut.code(), cut.message()), (Code::Unavailable, "the plugin is stopping"));
    ends_well(&mut plugin, asked);
}

// P53
#[tokio::test]
async fn the_grace_time_is_the_authors_choice() {
    let mut plugin = Start::probe(&["grace=50"]).run();
    let mut client = ProbeClient::new(plugin.channel().await);
    let stubborn = client.tick(Text { text: "stubborn".to_owned() }).await.unwrap();
    let asked = Instant::now();
    plugin.signal(Signal::TERM);
    ends_well(&mut plugin, asked);
    assert!(asked.elapsed() < Duration::from_millis(1_200), "{:?}", asked.elapsed());
    drop(stubborn);
}

// P57
#[tokio::test]
async fn shutdown_may_come_first_and_twice() {
    let mut plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    let (mut one, mut two) =
        (GrpcControllerClient::new(channel.clone()), GrpcControllerClient::new(channel));
    let asked = Instant::now();
    let (first, second) = tokio::join!(soon(one.shutdown(Empty {})), soon(two.shutdown(Empty {})));
    assert!(first.is_ok(), "{first:?}");
    // It may come when the connection takes no new calls any more.
    assert!(second.as_ref().err().is_none_or(|it| it.code() == Code::Unavailable), "{second:?}");
    ends_well(&mut plugin, asked);
}

// P11, P55
#[tokio::test]
async fn sigterm_ends_it_in_order() {
    for start in [Start::hello(), Start::probe(&[]).tls(), Start::probe(&[]).multiplexed()] {
        let mut plugin = start.run();
        let asked = Instant::now();
        plugin.signal(Signal::TERM);
        ends_well(&mut plugin, asked);
    }
}

// P52, P55
#[tokio::test]
async fn a_lock_on_standard_output_does_not_hold_up_the_end() {
    let mut plugin = Start::probe(&["locked"]).run();
    let asked = Instant::now();
    plugin.signal(Signal::TERM);
    ends_well(&mut plugin, asked);
}

// P50
#[tokio::test]
async fn what_is_printed_after_the_end_reaches_the_host_or_nobody_and_does_no_harm() {
    let mut heard = Start::probe(&["late"]).run();
    heard.signal(Signal::TERM);
    let (status, _stdout, stderr) = heard.wait();
    assert!(status.success() && stderr.contains("one more thing\nand another"), "{stderr}");
    let mut unheard = Start::probe(&["late"]).run();
    drop((unheard.stdout.take(), unheard.stderr.take()));
    let asked = Instant::now();
    unheard.signal(Signal::TERM);
    ends_well(&mut unheard, asked);
}

// P54
#[tokio::test]
async fn sigint_is_left_to_the_host() {
    let mut plugin = Start::probe(&[]).run();
    for _ in 0..3 {
        plugin.signal(Signal::INT);
        echo(plugin.channel().await).await.unwrap();
    }
    assert!(plugin.is_running());
}

// P56
#[tokio::test]
async fn it_ends_when_its_parent_is_gone() {
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

// P59
#[tokio::test]
async fn under_a_debugger_it_prints_its_description_and_hosts_come_and_go() {
    // An exported cookie changes nothing.
    for cookie in ["", "a value for tests"] {
        debugged(Start::probe(&["debug", "versions=2"]).with("PROBE_PLUGIN", cookie).run()).await;
    }
}

async fn debugged(mut plugin: Plugin) {
    let description: serde_json::Value = serde_json::from_str(&plugin.line).unwrap();
    let expected = serde_json::json!({
        "Protocol": "grpc", "ProtocolVersion": 2, "Pid": plugin.child.id(), "Test": true,
        "Addr": { "Network": "unix", "String": description["Addr"]["String"] },
    });
    assert_eq!(description, expected);
    let address = description["Addr"]["String"].as_str().unwrap();
    for _host in 0..2 {
        let socket = tokio::net::UnixStream::connect(address).await.unwrap();
        let channel = crate::child::channel(socket.into()).await;
        assert_eq!(echo(channel).await.unwrap(), "hello at version 2");
    }
    let asked = Instant::now();
    plugin.signal(Signal::INT);
    ends_well(&mut plugin, asked);
}
