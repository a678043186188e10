//! Further connections in both directions, each on a socket of its own or all in one.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};
use wharf_proto::goplugin::ConnInfo;
use wharf_proto::goplugin::conn_info::Knock;
use wharf_proto::goplugin::grpc_broker_client::GrpcBrokerClient;

use crate::child::{Plugin, Start, soon};
use crate::probe::probe_client::ProbeClient;
use crate::probe::probe_server::{self, ProbeServer};
use crate::probe::{Connection, Output, Size, Text};
use crate::services::echo;

/// The host's own service, which plugins call back.
struct Host;

type Texts = tokio_stream::Empty<Result<Text, Status>>;

fn not_here<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("the host only echoes"))
}

#[tonic::async_trait]
impl probe_server::Probe for Host {
    type TickStream = Texts;
    type ChatStream = Texts;

    async fn echo(&self, request: Request<Text>) -> Result<Response<Text>, Status> {
        let text = format!("the host was {}", request.into_inner().text);
        Ok(Response::new(Text { text }))
    }

    async fn measure(&self, _: Request<Text>) -> Result<Response<Size>, Status> {
        not_here()
    }

    async fn make(&self, _: Request<Size>) -> Result<Response<Text>, Status> {
        not_here()
    }

    async fn tick(&self, _: Request<Text>) -> Result<Response<Texts>, Status> {
        not_here()
    }

    async fn chat(&self, _: Request<Streaming<Text>>) -> Result<Response<Texts>, Status> {
        not_here()
    }

    async fn call_back(&self, _: Request<Connection>) -> Result<Response<Text>, Status> {
        not_here()
    }

    async fn accept(&self, _: Request<Text>) -> Result<Response<Connection>, Status> {
        not_here()
    }

    async fn print(&self, _: Request<Output>) -> Result<Response<Size>, Status> {
        not_here()
    }

    async fn log(&self, _: Request<Text>) -> Result<Response<Text>, Status> {
        not_here()
    }

    async fn panic(&self, _: Request<Text>) -> Result<Response<Text>, Status> {
        not_here()
    }
}

async fn call_back(channel: &Channel, id: u32) -> Result<String, Status> {
    let mut client = ProbeClient::new(channel.clone());
    Ok(soon(client.call_back(Connection { id })).await?.into_inner().text)
}

async fn accept(channel: &Channel) -> Result<u32, Status> {
    let mut client = ProbeClient::new(channel.clone());
    Ok(soon(client.accept(Text::default())).await?.into_inner().id)
}

fn all_ways() -> [Plugin; 4] {
    [
        Start::probe(&[]).run(),
        Start::probe(&[]).tls().run(),
        Start::probe(&[]).multiplexed().run(),
        Start::probe(&["threads=2"]).tls().multiplexed().run(),
    ]
}

// P20, P21, P36, P40
#[tokio::test]
async fn either_side_calls_the_other() {
    for plugin in all_ways() {
        let channel = plugin.channel().await;
        let (broker, _tasks) = plugin.broker(&channel).await;
        for _round in 0..20 {
            let id = broker.next_id();
            let serving = broker.serve(id, Routes::new(ProbeServer::new(Host))).await.unwrap();
            assert_eq!(call_back(&channel, id).await.unwrap(), "the host was called back");
            serving.stop().await;
            let id = accept(&channel).await.unwrap();
            let brokered = soon(broker.dial(id)).await.unwrap();
            assert_eq!(echo(brokered).await.unwrap(), "hello at version 1");
        }
        assert_eq!(echo(channel).await.unwrap(), "hello at version 1");
    }
}

// P7
#[tokio::test]
async fn brokered_sockets_lie_with_the_main_one_and_go_with_it() {
    let mut plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    let mut broker = Stream::open(&channel).await;
    accept(&channel).await.unwrap();
    let announced = broker.next().await.unwrap();
    let path = std::path::Path::new(&announced.address).to_owned();
    assert_eq!((announced.network.as_str(), path.parent()), ("unix", Some(plugin.folder())));
    assert!(path.exists());
    plugin.signal(rustix::process::Signal::TERM);
    assert!(plugin.wait().0.success());
    assert_eq!(std::fs::read_dir(plugin.folder()).unwrap().count(), 0);
}

/// The host's end of the broker's stream, by hand.
struct Stream {
    outgoing: Option<mpsc::Sender<ConnInfo>>,
    incoming: Streaming<ConnInfo>,
}

impl Stream {
    async fn open(channel: &Channel) -> Self {
        let (outgoing, messages) = mpsc::channel(8);
        let mut client = GrpcBrokerClient::new(channel.clone());
        let answer = soon(client.start_stream(ReceiverStream::new(messages))).await.unwrap();
        Self { outgoing: Some(outgoing), incoming: answer.into_inner() }
    }

    async fn send(&self, message: ConnInfo) {
        self.outgoing.as_ref().unwrap().send(message).await.unwrap();
    }

    async fn next(&mut self) -> Option<ConnInfo> {
        soon(self.incoming.message()).await.unwrap()
    }
}

// P36
#[tokio::test]
async fn announcements_wait_for_the_stream_and_come_in_order() {
    let plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    let mut accepted = Vec::new();
    for _ in 0..3 {
        accepted.push(accept(&channel).await.unwrap());
    }
    let mut stream = Stream::open(&channel).await;
    for id in accepted {
        let announced = stream.next().await.unwrap();
        assert_eq!((announced.service_id, announced.knock), (id, None));
    }
}

// P37
#[tokio::test]
async fn a_stream_that_the_host_closes_closes_the_broker_and_nothing_else() {
    let plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    let mut stream = Stream::open(&channel).await;
    let mut client = ProbeClient::new(channel.clone());
    let pending = client.call_back(Connection { id: 99 });
    let (pending, ended) = tokio::join!(soon(pending), async {
        stream.outgoing = None;
        stream.next().await
    });
    assert_eq!(ended, None);
    let begun = Instant::now();
    for refused in [
        pending.unwrap_err(),
        call_back(&channel, 7).await.unwrap_err(),
        accept(&channel).await.unwrap_err(),
    ] {
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains("closed"), "{refused}");
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "at once");
    assert_eq!(echo(channel).await.unwrap(), "hello at version 1");
}

// P38
#[tokio::test]
async fn a_second_stream_ends_at_once_in_order() {
    let plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    let mut first = Stream::open(&channel).await;
    let mut second = Stream::open(&channel).await;
    assert_eq!(second.next().await, None);
    accept(&channel).await.unwrap();
    assert!(first.next().await.is_some());
}

// P39
#[tokio::test]
async fn a_number_that_is_never_announced_is_given_up_after_five_seconds() {
    let plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    let _stream = Stream::open(&channel).await;
    let begun = Instant::now();
    let refused = call_back(&channel, 99).await.unwrap_err();
    let took = begun.elapsed();
    assert!((4_500..5_500).contains(&took.as_millis()), "{took:?}");
    assert!(refused.message().contains("99"), "{refused}");
}

// P41
#[tokio::test]
async fn a_knock_for_nobody_is_answered_with_an_error() {
    for plugin in [Start::probe(&[]).run(), Start::probe(&[]).multiplexed().run()] {
        let channel = plugin.channel().await;
        let mut stream = Stream::open(&channel).await;
        let knock = Some(Knock { knock: true, ..Knock::default() });
        stream.send(ConnInfo { service_id: 7, knock, ..ConnInfo::default() }).await;
        let answer = stream.next().await.unwrap();
        let said = answer.knock.unwrap();
        assert_eq!((answer.service_id, said.ack, &*said.error), (7, true, "no listener for id 7"));
        assert_eq!(echo(channel).await.unwrap(), "hello at version 1");
    }
}

// P41
#[tokio::test]
async fn a_knock_without_a_connection_is_forgotten_after_five_seconds() {
    let plugin = Start::probe(&[]).multiplexed().run();
    let channel = plugin.channel().await;
    let mut stream = Stream::open(&channel).await;
    let id = accept(&channel).await.unwrap();
    let knock = Some(Knock { knock: true, ..Knock::default() });
    stream.send(ConnInfo { service_id: id, knock, ..ConnInfo::default() }).await;
    assert_eq!(stream.next().await.unwrap().knock.unwrap().error, "");
    // What is waited for is that time passes: nothing tells when the mark is gone.
    tokio::time::sleep(Duration::from_millis(5_100)).await;
    // The main server answers: only it holds the plugin's stdio service.
    let again = plugin.channel().await;
    let mut stdio = wharf_proto::goplugin::grpc_stdio_client::GrpcStdioClient::new(again);
    soon(stdio.stream_stdio(())).await.unwrap();
}
