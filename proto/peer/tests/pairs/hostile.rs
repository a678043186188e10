//! The other side sends nonsense: nobody panics, nobody hangs, and what is kept of it is bounded.

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_stream::StreamExt as _;
use wharf_peer::{Connection, Mux};
use wharf_proto::goplugin::ConnInfo;
use wharf_proto::goplugin::conn_info::Knock;
use wharf_proto::goplugin::grpc_broker_client::GrpcBrokerClient;

use crate::support::{PATIENCE, kinds, named, pair_without_stream, who};

/// A yamux frame: version 0 most often, a type and flags near the valid ones, a stream, a length and some bytes.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let ids = prop_oneof![0_u32..6, any::<u32>()];
    let lengths = prop_oneof![0_u32..64, any::<u32>()];
    let frame = (0_u8..20, 0_u8..6, 0_u16..32, ids, lengths, vec(any::<u8>(), 0..64));
    let bytes = frame.prop_map(|(version, kind, flags, id, length, body)| {
        let mut frame = vec![version.saturating_sub(18), kind];
        frame.extend(flags.to_be_bytes());
        frame.extend(id.to_be_bytes());
        frame.extend(length.to_be_bytes());
        frame.extend(body);
        frame
    });
    vec(bytes, 0..40).prop_map(|frames| frames.concat())
}

async fn feed(bytes: &[u8], make: fn(Connection) -> (Mux, wharf_peer::Session)) {
    let (near, far) = UnixStream::pair().unwrap();
    let (mux, session) = make(near.into());
    let mut tasks = JoinSet::new();
    tasks.spawn(session);
    let mut main = mux.main(None);
    tasks.spawn(async move {
        while let Some(Ok(mut stream)) = main.next().await {
            let mut bytes = Vec::new();
            // However the stream ends is right.
            stream.read_to_end(&mut bytes).await.ok();
        }
    });
    let (mut read, mut write) = far.into_split();
    let fed = bytes.len();
    tasks.spawn(async move {
        let mut answers = Vec::new();
        read.read_to_end(&mut answers).await.ok();
        // Of each frame: that a stream was taken, more room for it, its end.
        assert!(answers.len() <= 4 * fed + 24, "{} answers to {fed}", answers.len());
    });
    // The session may have ended over what came before.
    write.write_all(bytes).await.ok();
    drop(write);
    while let Some(ended) = timeout(PATIENCE, tasks.join_next()).await.expect("a task hangs") {
        ended.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    // X6
    #[test]
    fn random_frames_end_a_session_and_nothing_else(bytes in frames()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            feed(&bytes, Mux::client).await;
            feed(&bytes, Mux::server).await;
        });
    }
}

fn messages() -> impl Strategy<Value = Vec<ConnInfo>> {
    let knock = (any::<bool>(), any::<bool>(), ".{0,20}");
    let knock = knock.prop_map(|(knock, ack, error)| Knock { knock, ack, error });
    let network = prop_oneof![Just("unix".to_owned()), Just("tcp".to_owned()), ".{0,5}"];
    let message = (0_u32..8, network, ".{0,40}", proptest::option::of(knock));
    let message = message.prop_map(|(service_id, network, address, knock)| ConnInfo {
        service_id,
        network,
        address,
        knock,
    });
    vec(message, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    // X6
    #[test]
    fn random_broker_messages_leave_the_main_connection_usable(messages in messages(), mux: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (pair, _unused) = pair_without_stream(kinds(mux)[1]).await;
            let _serving = pair.plugin.serve(2, named(2)).await.unwrap();
            // The announcement of that server, and an answer to each message.
            let mut due = 1 + messages.len();
            let sent = tokio_stream::iter(messages);
            let stream = GrpcBrokerClient::new(pair.main.clone()).start_stream(sent).await.unwrap();
            let mut answers = stream.into_inner();
            while let Ok(Some(_)) = timeout(PATIENCE, answers.message()).await.expect("no end") {
                due = due.checked_sub(1).expect("more answers than questions");
            }
            assert_eq!(who(pair.main.clone()).await.unwrap(), 0);
        });
    }
}
