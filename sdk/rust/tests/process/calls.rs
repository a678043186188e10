//! Calls over the socket.

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic::transport::Endpoint;
use tower::service_fn;

use crate::child::{Plugin, Start, soon};
use crate::probe::probe_client::ProbeClient;
use crate::probe::{Size, Text};
use crate::services::echo;

fn text(text: &str) -> Text {
    Text { text: text.to_owned() }
}

fn all_ways() -> [Plugin; 4] {
    [
        Start::probe(&[]).run(),
        Start::probe(&["threads=2"]).tls().run(),
        Start::probe(&[]).multiplexed().run(),
        Start::probe(&[]).tls().multiplexed().run(),
    ]
}

// P5, P21, P26
#[tokio::test]
async fn calls_and_streams_go_in_clear_over_tls_and_multiplexed() {
    for plugin in all_ways() {
        let channel = plugin.channel().await;
        assert_eq!(echo(channel.clone()).await.unwrap(), "hello at version 1");
        let mut client = ProbeClient::new(channel).max_decoding_message_size(usize::MAX);
        let six = (1..=6).map(|number| text(&number.to_string()));
        let answers = client.chat(tokio_stream::iter(six)).await.unwrap().into_inner();
        let answers: Vec<_> = answers.map(|answer| answer.unwrap().text).collect().await;
        assert_eq!(answers, ["1", "2", "3", "4", "5", "6"]);
        let large = Text { text: "y".repeat(5 << 20) };
        assert_eq!(soon(client.measure(large)).await.unwrap().into_inner().bytes, 5 << 20);
        let larger = client.make(Size { bytes: 64 << 20 }).await.unwrap().into_inner();
        assert_eq!(larger.text.len(), 64 << 20);
    }
}

// P25
#[tokio::test]
async fn it_takes_more_than_one_connection_and_new_ones_after_closed_ones() {
    let plugin = Start::probe(&[]).tls().run();
    let (one, two) = (plugin.channel().await, plugin.channel().await);
    assert_eq!(echo(one.clone()).await.unwrap(), "hello at version 1");
    assert_eq!(echo(two).await.unwrap(), "hello at version 1");
    drop(one);
    assert_eq!(echo(plugin.channel().await).await.unwrap(), "hello at version 1");
}

// P24
#[tokio::test]
async fn it_serves_whatever_authority_hosts_send() {
    let plugin = Start::probe(&[]).run();
    for origin in ["http://unused", "http://localhost"] {
        let path = plugin.handshake().address;
        let dial = service_fn(move |_uri| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        let channel = Endpoint::from_static(origin).connect_with_connector(dial).await.unwrap();
        assert_eq!(echo(channel).await.unwrap(), "hello at version 1");
    }
}

#[tokio::test]
async fn a_call_that_is_not_offered_says_so() {
    let plugin = Start::hello().run();
    assert_eq!(echo(plugin.channel().await).await.unwrap_err().code(), Code::Unimplemented);
}
