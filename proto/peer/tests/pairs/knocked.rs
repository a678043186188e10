//! Brokered connections through one multiplexed socket.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_stream::StreamExt as _;
use wharf_peer::{BrokerError, Connection, Mux, channel};

use crate::support::{kinds, named, pair, who};

// H76, H77, P40
#[tokio::test]
async fn both_sides_accept_and_dial_through_one_socket() {
    for kind in kinds(true) {
        let pair = pair(kind).await;
        for number in 1..=20 {
            let id = pair.host.next_id();
            let serving = pair.host.serve(id, named(number)).await.unwrap();
            assert_eq!(who(pair.plugin.dial(id).await.unwrap()).await.unwrap(), number, "{kind:?}");
            serving.stop().await;
            let id = pair.plugin.next_id();
            let serving = pair.plugin.serve(id, named(-number)).await.unwrap();
            assert_eq!(who(pair.host.dial(id).await.unwrap()).await.unwrap(), -number, "{kind:?}");
            serving.stop().await;
        }
        assert_eq!(who(pair.main.clone()).await.unwrap(), 0, "{kind:?}");
        assert_eq!(pair.sockets(), 0, "{kind:?}");
    }
}

// H80, P41
#[tokio::test]
async fn a_knock_for_a_number_that_nobody_accepts_is_refused_at_once() {
    let pair = pair(kinds(true)[1]).await;
    for broker in [&pair.host, &pair.plugin] {
        let begun = Instant::now();
        let dialled = broker.dial(5).await;
        let Err(BrokerError::Refused { id: 5, reason }) = dialled else { panic!("{dialled:?}") };
        assert_eq!(reason, "no listener for id 5");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}

// P41
#[tokio::test]
async fn a_listener_that_takes_nothing_holds_up_nobody_else() {
    let pair = pair(kinds(true)[0]).await;
    let begun = Instant::now();
    for (acceptor, dialler) in [(&pair.host, &pair.plugin), (&pair.plugin, &pair.host)] {
        let _idle = acceptor.accept(1).await.unwrap();
        let _unanswered = dialler.dial(1).await.unwrap();
        let _serving = acceptor.serve(2, named(2)).await.unwrap();
        assert_eq!(who(dialler.dial(2).await.unwrap()).await.unwrap(), 2);
    }
    let unknocked = pair.mux.as_ref().unwrap().open().await.unwrap();
    let main = channel(unknocked, lost).await.unwrap();
    assert_eq!(who(main).await.unwrap(), 0);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

async fn lost() -> std::io::Result<Connection> {
    Err(std::io::ErrorKind::ConnectionRefused.into())
}

// H67
#[tokio::test]
async fn two_that_dial_at_once_get_what_they_dialled() {
    let pair = pair(kinds(true)[1]).await;
    let _first = pair.host.serve(1, named(1)).await.unwrap();
    let _second = pair.host.serve(2, named(2)).await.unwrap();
    let one = async |id, number| {
        assert_eq!(who(pair.plugin.dial(id).await.unwrap()).await.unwrap(), number);
    };
    for _ in 0..10 {
        tokio::join!(one(1, 1), one(2, 2), one(1, 1), one(2, 2));
    }
}

// H78
#[tokio::test]
async fn a_stream_carries_two_hundred_megabytes() {
    const PIECE: usize = 1 << 20;
    let (near, far) = tokio::net::UnixStream::pair().unwrap();
    let (host, session) = Mux::client(near.into());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(session);
    let (plugin, session) = Mux::server(far.into());
    tasks.spawn(session);
    let mut stream = host.open().await.unwrap();
    tasks.spawn(async move {
        let piece = vec![7; PIECE];
        for _ in 0..200 {
            stream.write_all(&piece).await.unwrap();
        }
        stream.shutdown().await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut received = plugin.main(None).next().await.unwrap().unwrap();
    let (mut total, mut piece) = (0, vec![0; PIECE]);
    loop {
        let read = received.read(&mut piece).await.unwrap();
        if read == 0 {
            break;
        }
        assert!(piece[..read].iter().all(|&byte| byte == 7));
        total += read;
    }
    assert_eq!(total, 200 * PIECE);
}

// H81, P39
#[tokio::test]
async fn a_knock_without_an_answer_times_out_after_five_seconds() {
    let (near, far) = tokio::net::UnixStream::pair().unwrap();
    let (host, session) = Mux::client(near.into());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(session);
    // The broker's stream is held by nobody, so nothing is answered.
    let sockets = wharf_peer::Sockets {
        network: wharf_proto::handshake::Network::Unix,
        folder: std::env::temp_dir(),
        group: None,
        ports: (0, 0),
        addresses: None,
    };
    let (broker, _stream) = wharf_peer::Broker::new(sockets, None, Some(host));
    let begun = Instant::now();
    let dialled = broker.dial(4).await;
    assert!(matches!(dialled, Err(BrokerError::Timeout { id: 4 })), "{dialled:?}");
    assert!((4.5..7.0).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
    drop(far);
}
