//! Plugins that run already, described to another host.

use std::time::Duration;

use wharf_supervisor::{Checksum, Launch, Process, Reattach, Runner, Running, Spec, StopStep, Tls};

use crate::fake::{self, ask};
use crate::support::{Home, LONG, is_alive, says, within};

/// The first host's process, and what it says about it.
async fn running(home: &Home, args: &[&str]) -> (Process, Reattach) {
    let process = fake::launch(home, args).tls(Tls::Off).start().await.unwrap();
    let description = process.reattach();
    (process, description)
}

fn attach(home: &Home, description: Reattach) -> Launch {
    Launch::reattach(description).name("found").runtime_dir(home.runtime())
}

// H114, H118
#[tokio::test]
async fn another_host_calls_a_running_plugin_and_stops_it() {
    let home = Home::new();
    for args in [&[][..], &["tcp"]] {
        let (first, description) = running(&home, args).await;
        assert_eq!((description.pid, description.protocol_version), (first.pid(), 2));
        let second = attach(&home, description.clone()).start().await.unwrap();
        assert_eq!(second.reattach(), description);
        assert_eq!(ask(&second, "version").await.unwrap(), "2");
        assert_eq!((second.pid(), second.exited()), (first.pid(), None));
        let stopped = within(second.stop()).await;
        assert_eq!((stopped.step, stopped.exit.code), (StopStep::Shutdown, None));
        assert_eq!(within(first.wait()).await.code, Some(0));
        assert!(within(first.wait()).await.is_crash());
        drop((first, second));
        home.nothing_is_left().await;
    }
}

// The plugin takes one broker's stream, and that was the first host's.
#[tokio::test]
async fn the_broker_stays_with_the_first_host() {
    let home = Home::new();
    let (first, description) = running(&home, &[]).await;
    let second = attach(&home, description).start().await.unwrap();
    let error = within(second.broker().dial(1)).await.unwrap_err();
    assert!(error.to_string().contains("closed"), "{error}");
    let id = ask(&second, "accept").await.unwrap().parse().unwrap();
    assert!(first.broker().dial(id).await.is_ok());
}

// H108, H114
#[tokio::test]
async fn the_end_of_a_reattached_plugin_is_seen() {
    let home = Home::new();
    let (first, description) = running(&home, &[]).await;
    let second = attach(&home, description).start().await.unwrap();
    first.kill();
    let exit = within(second.wait()).await;
    assert_eq!((exit.code, exit.signal, exit.by_host), (None, None, None));
    assert_eq!(second.ping(LONG).await.unwrap_err().code(), "crashed");
    assert_eq!(second.stop().await.step, StopStep::AlreadyEnded);
}

// H114, H105
#[tokio::test]
async fn a_reattached_plugin_that_does_not_obey_is_signalled_itself_and_nothing_else_is() {
    let home = Home::new();
    let (first, description) = running(&home, &["deaf"]).await;
    let short = Duration::from_millis(200);
    let second = attach(&home, description).stop_times(short, LONG).start().await.unwrap();
    assert_eq!(within(second.stop()).await.step, StopStep::Terminate);
    assert_eq!(within(first.wait()).await.signal, Some(15));
}

#[tokio::test]
async fn letting_go_of_a_reattached_plugin_does_not_end_it() {
    let home = Home::new();
    let (first, description) = running(&home, &[]).await;
    drop(attach(&home, description).start().await.unwrap());
    first.ping(LONG).await.unwrap();
    assert!(is_alive(first.pid()));
}

// H117
#[tokio::test]
async fn a_plugin_of_a_test_is_never_ended() {
    let home = Home::new();
    let (first, mut description) = running(&home, &[]).await;
    description.test = true;
    let second = attach(&home, description.clone()).start().await.unwrap();
    assert_eq!(second.reattach(), description);
    second.kill();
    let stopped = within(second.stop()).await;
    assert_eq!(stopped.step, StopStep::LeftRunning);
    first.ping(LONG).await.unwrap();
    assert_eq!(ask(&first, "version").await.unwrap(), "2");
}

// H115, H116
#[tokio::test]
async fn what_cannot_be_reached_is_not_found_and_left_alone() {
    let home = Home::new();
    let (process, description) = running(&home, &[]).await;
    let refused = async |description: Reattach, words: &[&str]| {
        let launch = attach(&home, description).start_timeout(Duration::from_secs(1));
        says(&launch.start().await.unwrap_err(), "launch", words);
    };
    let netrpc = Reattach { protocol: String::new(), ..description.clone() };
    refused(netrpc, &["netrpc", "only grpc"]).await;
    // This very process, which is no plugin and must survive.
    let stranger = Reattach {
        pid: std::process::id(),
        address: home.path().join("none").display().to_string(),
        ..description.clone()
    };
    refused(stranger, &["reattachment process not found", "No such file"]).await;
    for pid in [0, u32::MAX] {
        refused(Reattach { pid, ..description.clone() }, &["not found", "No such process"]).await;
    }
    process.kill();
    within(process.wait()).await;
    drop(process);
    home.nothing_is_left().await;
    refused(description, &["reattachment process not found"]).await;
    home.nothing_is_left().await;
}

// H116
#[tokio::test]
async fn a_process_that_does_not_listen_there_is_never_taken_for_the_plugin() {
    let home = Home::new();
    let (one, description) = running(&home, &[]).await;
    let (two, other) = running(&home, &[]).await;
    let mixed = Reattach { pid: other.pid, ..description };
    let error = attach(&home, mixed.clone()).start().await.unwrap_err();
    let who = format!("process {} that listens", one.pid());
    says(&error, "launch", &["reattachment process not found", &who]);
    // Whatever a debugger describes is never ended.
    let test = Reattach { test: true, ..mixed };
    assert_eq!(ask(&attach(&home, test).start().await.unwrap(), "version").await.unwrap(), "2");
    for process in [one, two] {
        process.ping(LONG).await.unwrap();
    }
}

struct Nobody;

#[tonic::async_trait]
impl Runner for Nobody {
    async fn start(&self, _: Spec) -> std::io::Result<Running> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    fn kill(&self) {}
}

// H32, H82, H119
#[tokio::test]
async fn what_needs_a_start_of_ones_own_is_refused() {
    let home = Home::new();
    let (process, description) = running(&home, &[]).await;
    let launch = || attach(&home, description.clone());
    for (launch, words) in [
        (launch().multiplex(true), "multiplexed"),
        (launch().tls(Tls::Auto), "AutoMTLS"),
        (launch().checksum(Checksum::sha256([0; 32])), "pinned"),
        (launch().runner(std::sync::Arc::new(Nobody)), "either"),
    ] {
        says(&launch.start().await.unwrap_err(), "config", &[words]);
    }
    process.ping(LONG).await.unwrap();
}
