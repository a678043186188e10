//! The services that every plugin has around its own.

use std::collections::BTreeSet;

use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::transport::Channel;
use tonic_reflection::pb::{v1, v1alpha};
use wharf_proto::health::health_client::HealthClient;
use wharf_proto::health::{HealthCheckRequest, HealthListRequest};

use crate::child::{Start, soon};
use crate::probe::Text;
use crate::probe::probe_client::ProbeClient;

/// What the probe plugin makes of "hello".
pub(crate) async fn echo(channel: Channel) -> Result<String, tonic::Status> {
    let text = Text { text: "hello".to_owned() };
    Ok(soon(ProbeClient::new(channel).echo(text)).await?.into_inner().text)
}

fn named(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

// P23
#[tokio::test]
async fn it_is_healthy() {
    let plugin = Start::probe(&[]).run();
    let mut client = HealthClient::new(plugin.channel().await);
    for service in ["plugin", ""] {
        let status = client.check(named(service)).await.unwrap().into_inner().status;
        assert_eq!(status, 1, "{service:?} is SERVING");
    }
    assert_eq!(client.check(named("other")).await.unwrap_err().code(), Code::NotFound);
    let listed = client.list(HealthListRequest {}).await.unwrap().into_inner().statuses;
    let listed: BTreeSet<_> = listed.iter().map(|(name, it)| (name.as_str(), it.status)).collect();
    assert_eq!(listed, BTreeSet::from([("", 1), ("plugin", 1)]));
    let mut other = client.watch(named("other")).await.unwrap().into_inner();
    assert_eq!(other.message().await.unwrap().unwrap().status, 3, "SERVICE_UNKNOWN");
}

// P23, P55
#[tokio::test]
async fn whoever_watches_its_health_learns_of_the_end() {
    let mut plugin = Start::probe(&[]).run();
    let mut client = HealthClient::new(plugin.channel().await);
    let mut watch = client.watch(named("plugin")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    plugin.signal(rustix::process::Signal::TERM);
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status, 2, "NOT_SERVING");
    assert!(soon(watch.message()).await.unwrap().is_none());
    assert!(plugin.wait().0.success());
}

const SERVICES: [&str; 7] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "plugin.GRPCBroker",
    "plugin.GRPCController",
    "plugin.GRPCStdio",
    "probe.v1.Probe",
];

async fn listed_v1(channel: Channel) -> Vec<String> {
    let (ask, asked) = tokio::sync::mpsc::channel(1);
    let list = v1::server_reflection_request::MessageRequest::ListServices(String::new());
    let message_request = Some(list);
    ask.send(v1::ServerReflectionRequest { host: String::new(), message_request }).await.unwrap();
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel);
    let answers = client.server_reflection_info(ReceiverStream::new(asked)).await.unwrap();
    let answer = soon(answers.into_inner().message()).await.unwrap().unwrap().message_response;
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) = answer
    else {
        panic!("{answer:?}")
    };
    list.service.into_iter().map(|service| service.name).collect()
}

async fn listed_v1alpha(channel: Channel) -> Vec<String> {
    let (ask, asked) = tokio::sync::mpsc::channel(1);
    let list = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let message_request = Some(list);
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request };
    ask.send(request).await.unwrap();
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let answers = client.server_reflection_info(ReceiverStream::new(asked)).await.unwrap();
    let answer = soon(answers.into_inner().message()).await.unwrap().unwrap().message_response;
    let Some(v1alpha::server_reflection_response::MessageResponse::ListServicesResponse(list)) =
        answer
    else {
        panic!("{answer:?}")
    };
    list.service.into_iter().map(|service| service.name).collect()
}

// P22
#[tokio::test]
async fn both_reflections_list_every_service() {
    for plugin in [Start::probe(&[]).run(), Start::probe(&[]).tls().multiplexed().run()] {
        let channel = plugin.channel().await;
        for mut listed in [listed_v1(channel.clone()).await, listed_v1alpha(channel).await] {
            listed.sort();
            assert_eq!(listed, SERVICES);
        }
    }
}

// P22
#[tokio::test]
async fn reflection_of_a_plugin_of_wharf_tells_its_roles() {
    let plugin = Start::hello().run();
    let listed = listed_v1(plugin.channel().await).await;
    let own: Vec<&str> =
        listed.iter().map(String::as_str).filter(|name| name.starts_with("wharf.")).collect();
    assert_eq!(own, ["wharf.v1.Plugin", "wharf.v1.Importer"], "{listed:?}");
    assert_eq!(listed.len(), own.len() + SERVICES.len() - 1, "{listed:?}");
}
