//! Brokered connections on sockets of their own.

use std::time::{Duration, Instant};

use futures_util::future::{FutureExt as _, join_all};
use tokio::net::UnixStream;
use tokio::task::{JoinSet, unconstrained};
use tokio::time::timeout;
use tokio_stream::StreamExt as _;
use wharf_peer::{BrokerError, Incoming};
use wharf_proto::handshake::Network;

use crate::support::{PATIENCE, endless, kinds, named, pair, sockets, who};

// H62, H63, P20
#[tokio::test]
async fn both_sides_accept_and_dial_with_and_without_tls() {
    for kind in kinds(false) {
        let pair = pair(kind).await;
        let id = pair.host.next_id();
        let serving = pair.host.serve(id, named(1)).await.unwrap();
        assert_eq!(who(pair.plugin.dial(id).await.unwrap()).await.unwrap(), 1, "{kind:?}");
        serving.stop().await;
        let id = pair.plugin.next_id();
        let serving = pair.plugin.serve(id, named(2)).await.unwrap();
        assert_eq!(who(pair.host.dial(id).await.unwrap()).await.unwrap(), 2, "{kind:?}");
        serving.stop().await;
        assert_eq!(who(pair.main.clone()).await.unwrap(), 0, "{kind:?}");
        pair.clean().await;
    }
}

// H67
#[tokio::test]
async fn many_connections_in_sequence_and_at_once_leave_no_socket() {
    let pair = pair(kinds(false)[1]).await;
    let one = async |number: i32| {
        let id = pair.host.next_id();
        let serving = pair.host.serve(id, named(number)).await.unwrap();
        assert_eq!(who(pair.plugin.dial(id).await.unwrap()).await.unwrap(), number);
        serving.stop().await;
    };
    for number in 0..20 {
        one(number).await;
    }
    join_all((0..20).map(one)).await;
    pair.clean().await;
}

// H68
#[tokio::test]
async fn a_connection_that_nobody_dials_goes_with_its_owner() {
    let pair = pair(kinds(false)[0]).await;
    let id = pair.host.next_id();
    let serving = pair.host.serve(id, named(1)).await.unwrap();
    assert_eq!(pair.sockets(), 1);
    drop(serving);
    pair.clean().await;
}

// H63, P20
#[tokio::test]
async fn a_number_is_accepted_once_at_a_time() {
    for mux in [false, true] {
        let pair = pair(kinds(mux)[1]).await;
        let accepted = pair.host.accept(6).await.unwrap();
        let again = pair.host.accept(6).await;
        assert!(matches!(again, Err(BrokerError::InUse { id: 6 })), "{again:?}");
        drop(accepted);
        pair.host.serve(6, named(6)).await.unwrap().stop().await;
        pair.host.accept(6).await.unwrap();
    }
}

// H68
#[tokio::test]
async fn a_server_ends_with_its_owner_whatever_runs_there() {
    for mux in [false, true] {
        let pair = pair(kinds(mux)[1]).await;
        let serving = pair.host.serve(1, named(1)).await.unwrap();
        let mut call = endless(pair.plugin.dial(1).await.unwrap()).await;
        let begun = Instant::now();
        drop(serving);
        let end = timeout(PATIENCE, call.message()).await.unwrap();
        assert!(end.is_err(), "{end:?}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
}

// H68
#[tokio::test]
async fn calls_have_their_time_when_a_server_is_stopped_and_no_more() {
    let pair = pair(kinds(false)[1]).await;
    let serving = pair.host.serve(1, named(1)).await.unwrap();
    let mut call = endless(pair.plugin.dial(1).await.unwrap()).await;
    let begun = Instant::now();
    timeout(PATIENCE, serving.stop()).await.unwrap();
    let took = begun.elapsed().as_secs_f64();
    assert!((1.5..3.0).contains(&took), "{took}");
    let end = timeout(PATIENCE, call.message()).await.unwrap();
    assert!(end.is_err(), "{end:?}");
}

// H67, X6
#[tokio::test]
async fn a_listener_takes_only_so_many_connections_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let bound = sockets(folder.path(), Network::Unix).bind("many-").await.unwrap();
    let path = bound.address.text.clone();
    let mut incoming = Incoming::listening(bound, None);
    let mut dialled = Vec::new();
    for _ in 0..80 {
        dialled.push(UnixStream::connect(&path).await.unwrap());
    }
    let mut taken = Vec::new();
    for _ in 0..64 {
        taken.push(timeout(PATIENCE, incoming.next()).await.unwrap().unwrap().unwrap());
    }
    assert!(unconstrained(incoming.next()).now_or_never().is_none());
    taken.pop();
    taken.push(timeout(PATIENCE, incoming.next()).await.unwrap().unwrap().unwrap());
    assert!(unconstrained(incoming.next()).now_or_never().is_none());
}

// H69, P37
#[tokio::test]
async fn after_the_main_connection_a_broker_is_closed_and_nobody_hangs() {
    for mux in [false, true] {
        let mut pair = pair(kinds(mux)[1]).await;
        let (plugin, mut waiting) = (pair.plugin.clone(), JoinSet::new());
        waiting.spawn(async move { plugin.dial(9).await });
        assert_eq!(who(pair.main.clone()).await.unwrap(), 0);
        pair.tasks.shutdown().await;
        for broker in [&pair.host, &pair.plugin] {
            let dialled = timeout(PATIENCE, broker.dial(1)).await.unwrap();
            assert!(matches!(dialled, Err(BrokerError::Closed)), "{dialled:?}");
            let accepted = timeout(PATIENCE, broker.accept(1)).await.unwrap();
            assert!(matches!(accepted, Err(BrokerError::Closed)), "{accepted:?}");
        }
        let waited = timeout(PATIENCE, waiting.join_next()).await.unwrap().unwrap().unwrap();
        assert!(waited.is_err(), "{waited:?}");
    }
}

// P38
#[tokio::test]
async fn a_second_stream_ends_at_once_and_the_first_goes_on() {
    use wharf_proto::goplugin::ConnInfo;
    use wharf_proto::goplugin::grpc_broker_client::GrpcBrokerClient;

    let pair = pair(kinds(false)[0]).await;
    let id = pair.host.next_id();
    let _serving = pair.host.serve(id, named(1)).await.unwrap();
    assert_eq!(who(pair.plugin.dial(id).await.unwrap()).await.unwrap(), 1);
    let silence = tokio_stream::pending::<ConnInfo>();
    let second = GrpcBrokerClient::new(pair.main.clone()).start_stream(silence).await.unwrap();
    let end = timeout(PATIENCE, second.into_inner().message()).await.unwrap();
    assert!(matches!(end, Ok(None)), "{end:?}");
    let id = pair.host.next_id();
    let _serving = pair.host.serve(id, named(2)).await.unwrap();
    assert_eq!(who(pair.plugin.dial(id).await.unwrap()).await.unwrap(), 2);
}

// H64, P39
#[tokio::test]
async fn a_number_that_is_never_announced_times_out_after_five_seconds() {
    let pair = pair(kinds(false)[0]).await;
    let begun = Instant::now();
    let dialled = pair.host.dial(77).await;
    assert!(matches!(dialled, Err(BrokerError::Timeout { id: 77 })), "{dialled:?}");
    assert!((4.5..7.0).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
}
