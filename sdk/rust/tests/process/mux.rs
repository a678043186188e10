//! One socket for everything.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, waitpid};
use tokio::net::UnixStream;
use wharf_proto::goplugin::Empty;
use wharf_proto::goplugin::grpc_controller_client::GrpcControllerClient;

use crate::child::{PROBE_COOKIE, Start, command, probe, soon, until, wait};
use crate::services::echo;

// P11, P21
#[tokio::test]
async fn only_one_connection_is_taken_and_its_socket_is_gone() {
    let mut plugin = Start::probe(&[]).multiplexed().run();
    let channel = plugin.channel().await;
    assert_eq!(echo(channel.clone()).await.unwrap(), "hello at version 1");
    assert!(UnixStream::connect(plugin.handshake().address).await.is_err());
    assert_eq!(std::fs::read_dir(plugin.folder()).unwrap().count(), 0);
    // A second stream without a knock goes to the main server too.
    assert_eq!(echo(plugin.channel().await).await.unwrap(), "hello at version 1");
    plugin.signal(Signal::TERM);
    assert!(plugin.wait().0.success());
}

// P57
#[tokio::test]
async fn shutdown_over_the_one_socket_ends_it_in_order() {
    for start in [Start::probe(&[]), Start::probe(&[]).tls()] {
        let mut plugin = start.multiplexed().run();
        let channel = plugin.channel().await;
        soon(GrpcControllerClient::new(channel).shutdown(Empty {})).await.unwrap();
        let (status, stdout, stderr) = plugin.wait();
        assert_eq!((status.code(), &*stdout), (Some(0), ""), "{stderr}");
    }
}

// P42
#[tokio::test]
async fn a_host_may_connect_later_than_after_five_seconds() {
    let plugin = Start::probe(&[]).multiplexed().run();
    // What is waited for is that time passes: longer than the Go library gives.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(echo(plugin.channel().await).await.unwrap(), "hello at version 1");
}

#[tokio::test]
async fn a_host_that_closes_the_socket_ends_the_plugin() {
    let mut plugin = Start::probe(&[]).multiplexed().run();
    drop(plugin.socket().await);
    let (status, _, stderr) = plugin.wait();
    assert!(status.success(), "{stderr}");
}

/// Starts the plugin as the child of a shell, and ends the shell: the plugin's next parent is this test.
// P42
#[test]
fn a_host_that_never_connects_and_is_gone_is_told_with_a_status() {
    for captured in ["", "stderr"] {
        never_connects(captured);
    }
}

fn never_connects(argument: &str) {
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said");
    let variables = [
        PROBE_COOKIE,
        ("PLUGIN_PROTOCOL_VERSIONS", "1"),
        ("PLUGIN_MULTIPLEX_GRPC", "true"),
        ("PLUGIN_UNIX_SOCKET_DIR", folder.path().to_str().unwrap()),
    ];
    set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let script = format!("{} {argument} 2>{} & echo $!; wait", probe().display(), said.display());
    let mut shell =
        command(Path::new("/bin/sh"), &variables).args(["-c", &script]).spawn().unwrap();
    let mut stdout = shell.stdout.take().unwrap();
    // Number and line, in whatever order.
    let mut told = String::new();
    let mut bytes = [0; 256];
    while told.matches('\n').count() < 2 {
        let count = stdout.read(&mut bytes).unwrap();
        told.push_str(str::from_utf8(&bytes[..count]).unwrap());
    }
    let number = told.lines().find(|line| !line.contains('|')).unwrap();
    let plugin = Pid::from_raw(number.trim().parse().unwrap()).unwrap();
    kill_process(Pid::from_child(&shell), Signal::KILL).unwrap();
    wait(&mut shell);
    let status = until("the plugin ends", || {
        waitpid(Some(plugin), WaitOptions::NOHANG).unwrap().map(|(_, status)| status)
    });
    let said = std::fs::read_to_string(said).unwrap();
    assert_eq!(status.exit_status(), Some(1), "{said}");
    assert!(said.contains("never connected"), "{said}");
}
