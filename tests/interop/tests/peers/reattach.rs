//! wharf's host attaches to Go plugins that it did not start, and Go's host to wharf's.

use std::time::Duration;

use rustix::process::Signal;
use wharf_interop::{Calls, GoHost, Library, Program, Spoken, World, processes};
use wharf_supervisor::{Launch, Network, Reattach, StopStep};

use crate::support::{soon, stop};

fn description(spoken: &Spoken) -> Reattach {
    let fields = spoken.fields();
    Reattach {
        protocol: fields[4].to_owned(),
        protocol_version: fields[1].parse().unwrap(),
        pid: spoken.pid(),
        test: false,
        network: Network::Unix,
        address: fields[3].to_owned(),
    }
}

/// Reaps a child whose end is another's doing.
fn ended(spoken: Spoken) {
    let (_status, _rest) = spoken.end(Signal::KILL);
}

// H114, H118
#[tokio::test]
async fn a_host_attaches_to_a_running_go_plugin_by_its_description() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let spoken = Spoken::start(&world, &go, &[]);
        let described = description(&spoken);
        let process = described.clone().attach().await.unwrap();
        assert_eq!(process.reattach(), described);
        let calls = Calls::new(&process);
        calls.echo().await.unwrap();
        calls.offer().await.unwrap();
        process.ping(Duration::from_secs(5)).await.unwrap();
        let stopped = soon("the stop", process.stop()).await;
        assert_eq!(stopped.step, StopStep::Shutdown, "{stopped:?}");
        assert!(process.exited().is_some(), "its end was seen");
        ended(spoken);
        world.finish_beside_others();
    }
}

// H114, H116
#[tokio::test]
async fn an_end_without_a_host_is_seen_and_then_it_is_not_found() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let spoken = Spoken::start(&world, &go, &[]);
    let described = description(&spoken);
    let process = described.clone().attach().await.unwrap();
    let (mut other, pid) = (described.clone(), spoken.pid());
    other.address = format!("{}-gone", described.address);
    let error = other.attach().await.unwrap_err();
    assert_eq!(error.code(), "launch", "{error}");
    Calls::new(&process).echo().await.unwrap();
    processes::signal(pid, Signal::KILL);
    let (_status, _rest) = spoken.end(Signal::KILL);
    soon("the end", process.wait()).await;
    let error = described.attach().await.unwrap_err();
    assert_eq!(error.code(), "launch", "{error}");
    assert!(error.to_string().contains("not found"), "{error}");
    world.finish_beside_others();
}

// H115
#[tokio::test]
async fn a_description_without_a_protocol_is_refused() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let spoken = Spoken::start(&world, &go, &[]);
    let described = Reattach { protocol: String::new(), ..description(&spoken) };
    let error = described.attach().await.unwrap_err();
    assert!(error.to_string().contains("netrpc"), "{error}");
    let again = description(&spoken).attach().await.unwrap();
    Calls::new(&again).echo().await.unwrap();
    again.stop().await;
    ended(spoken);
    world.finish();
}

// H117, P58
#[tokio::test]
async fn a_go_plugin_under_test_is_left_running() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let spoken = Spoken::start(&world, &go.arg("-test"), &[]);
    let described: Reattach = serde_json::from_str(&spoken.line).unwrap();
    assert!(described.test && described.pid == spoken.pid());
    for _ in 0..2 {
        let process = Launch::reattach(described.clone()).start().await.unwrap();
        Calls::new(&process).echo().await.unwrap();
        assert_eq!(process.stop().await.step, StopStep::LeftRunning);
    }
    let (status, _rest) = spoken.end(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    world.finish();
}

// P59
#[tokio::test]
async fn wharfs_plugin_under_a_debugger_is_attached_to_by_every_host() {
    let world = World::new();
    let mut plugin = Program::wharf().arg("debug");
    plugin.cookie.1 = "not looked at".to_owned();
    let spoken = Spoken::start(&world, &plugin, &[]);
    let described: Reattach = serde_json::from_str(&spoken.line).unwrap();
    let process = described.clone().attach().await.unwrap();
    Calls::new(&process).echo().await.unwrap();
    assert_eq!(process.stop().await.step, StopStep::LeftRunning);
    if let Some(host) = GoHost::new(Library::Current) {
        let network = described.network.to_string();
        let (address, pid) = (&described.address, described.pid);
        // The first host has the broker; there is one stream for it, here as in Go.
        let host = host.arg("-test").steps("echo,sum,ping");
        let run = host.attach(&world, &network, address, pid);
        assert!(run.started, "{}", run.error);
        assert!(run.steps().iter().all(|step| step.error.is_empty()), "{run:#?}");
    }
    let process = described.attach().await.unwrap();
    Calls::new(&process).echo().await.unwrap();
    drop(process);
    let (status, _rest) = spoken.end(Signal::INT);
    assert_eq!(status.code(), Some(0));
    world.finish();
}

// H1
#[tokio::test]
async fn go_plugins_lines_are_what_the_grammar_says() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let process = world.launch(&go).start().await.unwrap();
        let handshake = process.handshake().clone();
        assert_eq!((handshake.core, handshake.network), (1, Network::Unix));
        assert!(handshake.address.starts_with(process.folder().to_str().unwrap()), "{handshake:?}");
        assert!(!handshake.multiplexing);
        stop(&process).await;
        world.finish();
    }
}
