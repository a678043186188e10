//! wharf's host and the broker of Go plugins, a socket for each number.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};
use wharf_interop::v1::{Call, Nothing};
use wharf_interop::{Calls, Library, Program, World, processes, routes};
use wharf_supervisor::{BrokerError, Process, Tls};

use crate::support::{soon, stop, until};

// H62, H63
#[tokio::test]
async fn connections_both_ways_in_clear_and_inside_tls() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        for tls in [Tls::Off, Tls::Auto] {
            let world = World::new();
            let old_tls = library == Library::Old && matches!(tls, Tls::Auto);
            let process = world.launch(&go).tls(tls).start().await.unwrap();
            let calls = Calls::new(&process);
            calls.offer().await.unwrap();
            let called_back = calls.call_back().await;
            if old_tls {
                // The library of 2019 looks for the name "unused" in our certificate.
                assert!(called_back.unwrap_err().message().contains("unused"));
            } else {
                called_back.unwrap();
            }
            stop(&process).await;
            world.finish();
        }
    }
}

// H64
#[tokio::test]
async fn a_number_that_nobody_announces_is_an_error_after_five_seconds() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    let begun = Instant::now();
    let ours = process.broker().dial(4711);
    let mut client = Calls::new(&process).client();
    let theirs = client.call_back(Call { id: 4712, text: "nobody".to_owned() });
    let (ours, theirs) = tokio::join!(soon("our dial", ours), soon("their dial", theirs));
    let took = begun.elapsed().as_millis();
    assert!(matches!(ours.unwrap_err(), BrokerError::Timeout { id: 4711 }));
    assert!(theirs.unwrap_err().message().contains("timeout"), "Go's own words");
    assert!((4_500..5_500).contains(&took), "{took} ms");
    stop(&process).await;
    world.finish();
}

// H65
#[tokio::test]
async fn announcement_and_dial_may_be_three_seconds_apart_and_not_six() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    let broker = process.broker();
    let offer = async |pause: u64| {
        let mut client = Calls::new(&process).client();
        let id = client.offer(Nothing {}).await.unwrap().into_inner().id;
        sleep(Duration::from_secs(pause)).await;
        broker.dial(id).await.map(drop)
    };
    let accept = async {
        let id = broker.next_id();
        let mut client = Calls::new(&process).client();
        let call = client.call_back(Call { id, text: "late".to_owned() });
        let late = async {
            sleep(Duration::from_secs(3)).await;
            broker.serve(id, routes()).await.unwrap()
        };
        let (answer, _serving) = tokio::join!(call, late);
        answer.map(|answer| answer.into_inner().text)
    };
    let (early, too_early, late) = tokio::join!(offer(3), offer(6), accept);
    early.unwrap();
    assert!(matches!(too_early, Err(BrokerError::Timeout { .. })), "{too_early:?}");
    assert_eq!(late.unwrap(), "late");
    stop(&process).await;
    world.finish();
}

// H66
#[tokio::test]
async fn a_number_is_good_for_one_dial() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    let mut client = Calls::new(&process).client();
    let id = client.offer(Nothing {}).await.unwrap().into_inner().id;
    process.broker().dial(id).await.unwrap();
    let again = soon("the second dial", process.broker().dial(id)).await;
    assert!(matches!(again, Err(BrokerError::Timeout { .. })), "{again:?}");
    stop(&process).await;
    world.finish();
}

// H67
#[tokio::test]
async fn many_numbers_in_sequence_and_at_once_leave_no_socket() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    let calls = Calls::new(&process);
    for _ in 0..20 {
        calls.call_back().await.unwrap();
        calls.offer().await.unwrap();
    }
    let at_once = (0..20).map(|_| async {
        let (one, other) = tokio::join!(calls.call_back(), calls.offer());
        one.and(other)
    });
    for outcome in join_all(at_once).await {
        outcome.unwrap();
    }
    // Go keeps what it accepts to its end; ours are gone.
    until("our sockets are gone", || sockets(&process, "broker-") == 0).await;
    stop(&process).await;
    world.finish();
}

// H68
#[tokio::test]
async fn what_nobody_dials_goes_with_its_owner() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    let id = process.broker().next_id();
    let serving = process.broker().serve(id, routes()).await.unwrap();
    assert_eq!(sockets(&process, "broker-"), 1);
    drop(serving);
    until("the socket is gone", || sockets(&process, "broker-") == 0).await;
    Calls::new(&process).call_back().await.unwrap();
    stop(&process).await;
    world.finish();
}

// H69
#[tokio::test]
async fn a_broker_whose_connection_has_ended_says_so() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    let broker = process.broker().clone();
    let pending = broker.dial(4711);
    let (pending, ()) = tokio::join!(soon("a dial", pending), stop(&process));
    assert!(matches!(pending, Err(BrokerError::Closed)), "{pending:?}");
    let begun = Instant::now();
    assert!(matches!(broker.dial(1).await, Err(BrokerError::Closed)));
    assert!(matches!(broker.serve(2, routes()).await, Err(BrokerError::Closed)));
    assert!(begun.elapsed() < Duration::from_secs(1));
    world.finish();
}

fn sockets(process: &Process, name: &str) -> usize {
    processes::sockets(process.folder()).iter().filter(|path| path.contains(name)).count()
}
