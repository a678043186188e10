//! wharf's host and Go plugins through one socket.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};
use wharf_interop::v1::Call;
use wharf_interop::{Calls, Library, Program, Spoken, World, processes};
use wharf_supervisor::{Launch, Network, Reattach, Tls};

use crate::support::{SERVICES, rounds, services, soon, stop};

// H70, H76, H77, H78, H79
#[tokio::test]
async fn everything_goes_through_one_socket_in_clear_and_inside_tls() {
    let Some(go) = Program::go(Library::Current) else { return };
    for tls in [Tls::Off, Tls::Auto] {
        let world = World::new();
        let process = world.launch(&go).tls(tls).multiplex(true).start().await.unwrap();
        assert!(process.handshake().multiplexing);
        let calls = Calls::new(&process);
        calls.echo().await.unwrap();
        calls.sum().await.unwrap();
        for _ in 0..20 {
            calls.call_back().await.unwrap();
            calls.offer().await.unwrap();
        }
        calls.flow(200, 1 << 20).await.unwrap();
        process.ping(Duration::from_secs(5)).await.unwrap();
        assert_eq!(services(process.channel()).await, SERVICES);
        assert_eq!(processes::sockets(process.folder()).len(), 1, "one socket for everything");
        stop(&process).await;
        world.finish();
    }
}

// H70, P3, P6
#[test]
fn the_seventh_field_is_printed_when_it_is_asked_for() {
    for plugin in [Program::go(Library::Current), Some(Program::wharf())].into_iter().flatten() {
        for (asked, fields) in [("true", 7), ("banana", 7), ("", 6)] {
            let world = World::new();
            let spoken = Spoken::start(&world, &plugin, &[("PLUGIN_MULTIPLEX_GRPC", asked)]);
            assert_eq!(spoken.fields().len(), fields, "{asked}: {}", spoken.line);
            // For what is not a Go boolean Go says that it can, and wharf that it will not; nobody multiplexes.
            assert!(asked != "true" || spoken.line.ends_with("||true"), "{}", spoken.line);
            // Killed, not asked: a Go plugin that multiplexes waits for its host.
            let (_status, rest) = spoken.end(Signal::KILL);
            assert_eq!(rest, "", "nothing but the line");
            world.finish_killed();
        }
    }
}

// H71
#[tokio::test]
async fn a_plugin_that_is_too_old_is_refused_with_advice() {
    let Some(go) = Program::go(Library::Old) else { return };
    let world = World::new();
    let error = world.launch(&go).multiplex(true).start().await.unwrap_err();
    assert_eq!(error.code(), "handshake");
    let said = error.to_string();
    assert!(said.contains("multiplex"), "{said}");
    world.finish();
}

// H72
#[tokio::test]
async fn a_plugin_that_declines_is_refused() {
    let plugins = [Program::python(), Program::node(), Some(Program::wharf().arg("no-mux"))];
    for plugin in plugins.into_iter().flatten() {
        let world = World::new();
        let error = world.launch(&plugin).multiplex(true).start().await.unwrap_err();
        assert_eq!(error.code(), "handshake", "{error}");
        assert!(error.to_string().contains("multiplex"), "{error}");
        world.finish();
    }
}

// H80
#[tokio::test]
async fn a_knock_for_a_number_that_is_not_accepted_is_answered_at_once() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).multiplex(true).start().await.unwrap();
    let calls = Calls::new(&process);
    let begun = Instant::now();
    let call = Call { id: 4711, text: "nobody".to_owned() };
    let status = soon("the knock", calls.client().call_back(call)).await.unwrap_err();
    // Go retries a refused connection for as long as the call lasts, or gives up at once.
    assert!(status.message().contains("4711"), "{status}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    calls.call_back().await.unwrap();
    calls.offer().await.unwrap();
    stop(&process).await;
    world.finish();
}

// H82
#[tokio::test]
async fn multiplexing_and_reattaching_exclude_each_other() {
    let description = Reattach {
        protocol: "grpc".to_owned(),
        protocol_version: 1,
        pid: std::process::id(),
        test: true,
        network: Network::Unix,
        address: "/nowhere".to_owned(),
    };
    let error = Launch::reattach(description).multiplex(true).start().await.unwrap_err();
    assert_eq!(error.code(), "config", "{error}");
}

// H83, H84
#[tokio::test]
async fn an_idle_session_is_kept_alive() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).multiplex(true).start().await.unwrap();
    // Go gives up on a host that does not come within 5 s, pings every 30 s and waits 10 s for the answer.
    let idle = if rounds() >= 100 { 75 } else { 42 };
    sleep(Duration::from_secs(idle)).await;
    let calls = Calls::new(&process);
    calls.echo().await.unwrap();
    calls.call_back().await.unwrap();
    calls.offer().await.unwrap();
    stop(&process).await;
    world.finish();
}
