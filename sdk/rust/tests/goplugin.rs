//! A plugin inside the program that tests it.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod probe {
    include!("../examples/probe-plugin/gen/probe.v1.rs");
}
#[allow(dead_code, unused_imports, reason = "the example's own parts are not all used here")]
#[path = "../examples/probe-plugin/service.rs"]
mod service;

use std::path::Path;
use std::time::Duration;

use tonic::transport::Channel;
use wharf_proto::goplugin::Empty;
use wharf_proto::goplugin::grpc_controller_client::GrpcControllerClient;
use wharf_proto::tls::Identity;
use wharf_sdk::goplugin::{Running, Security, Server, StartError, routes};

use probe::Text;
use probe::probe_client::ProbeClient;
use probe::probe_server::ProbeServer;
use service::Probe;

const DEADLINE: Duration = Duration::from_secs(10);

fn server() -> Server {
    let services = |context| routes![ProbeServer::new(Probe::new(context, None))];
    Server::new("A_COOKIE_THAT_NOBODY_SET", "value").version(1, services).version(4, services)
}

async fn echo(channel: Channel) -> String {
    let mut client = ProbeClient::new(channel);
    let answer = client.echo(Text { text: "hello".to_owned() });
    tokio::time::timeout(DEADLINE, answer).await.unwrap().unwrap().into_inner().text
}

fn socket(running: &Running) -> &Path {
    Path::new(&running.reattach().address)
}

// P58
#[tokio::test]
async fn it_runs_without_cookie_and_line_hands_out_its_description_and_is_ended() {
    let running = server().test().await.unwrap();
    let description = running.reattach().clone();
    assert_eq!((description.protocol_version, description.pid), (1, std::process::id()));
    assert!(description.test);
    assert_eq!(echo(running.channel().await.unwrap()).await, "hello at version 1");
    let path = socket(&running).to_owned();
    tokio::time::timeout(DEADLINE, running.stop()).await.unwrap().unwrap();
    assert!(!path.exists() && !path.parent().unwrap().exists());
}

// P58
#[tokio::test]
async fn dropping_it_ends_it_even_with_a_call_that_goes_on() {
    let running = server().threads(2).test().await.unwrap();
    let channel = running.channel().await.unwrap();
    let stubborn = Text { text: "stubborn".to_owned() };
    let mut stream = ProbeClient::new(channel).tick(stubborn).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    let path = socket(&running).to_owned();
    drop(running);
    assert!(!path.exists());
    assert!(stream.message().await.is_err());
}

// P33, P58
#[tokio::test]
async fn it_runs_over_tcp_and_over_tls_of_its_own() {
    let identity = Identity::generate().unwrap();
    let security = Security::pinned(&identity, identity.der()).unwrap();
    let running = server().tcp().tls(security).test().await.unwrap();
    assert_eq!(running.reattach().network, "tcp");
    assert_eq!(echo(running.channel().await.unwrap()).await, "hello at version 1");
    running.stop().await.unwrap();
}

// P57, P58
#[tokio::test]
async fn the_hosts_word_ends_it_too() {
    let running = server().test().await.unwrap();
    let channel = running.channel().await.unwrap();
    let mut controller = GrpcControllerClient::new(channel);
    tokio::time::timeout(DEADLINE, controller.shutdown(Empty {})).await.unwrap().unwrap();
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_told() {
    let nothing = Server::new("A_COOKIE_THAT_NOBODY_SET", "value").test().await;
    assert!(matches!(nothing, Err(StartError::NoVersion)), "{nothing:?}");
}
