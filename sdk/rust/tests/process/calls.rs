//! Calls over the socket, and over the way back to the host.

use std::path::Path;

use tokio::net::UnixListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::Code;
use tonic::transport::Server;
use wharf_proto::goplugin::ConnInfo;
use wharf_proto::goplugin::conn_info::Knock;
use wharf_proto::goplugin::grpc_broker_client::GrpcBrokerClient;
use wharf_proto::health::HealthCheckRequest;
use wharf_proto::health::health_client::HealthClient;
use wharf_proto::tls::{Identity, client_config, server_config};
use wharf_proto::v1;
use wharf_proto::v1::event::Event;
use wharf_proto::v1::importer_client::ImporterClient;
use wharf_proto::v1::plugin_client::PluginClient;
use wharf_sdk::testing::FakeHost;

use crate::child::{DEADLINE, Plugin, channel};

async fn describe(channel: tonic::transport::Channel) -> Result<String, tonic::Status> {
    let mut client = PluginClient::new(channel);
    let answer = client.describe(v1::DescribeRequest::default()).await?;
    Ok(answer.into_inner().name)
}

#[tokio::test]
async fn it_answers_in_clear_and_over_tls_p4_p5_p19() {
    for plugin in [Plugin::plain(), Plugin::tls()] {
        assert_eq!(describe(plugin.channel().await).await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn it_takes_more_than_one_connection_p25() {
    let plugin = Plugin::tls();
    let (one, two) = (plugin.channel().await, plugin.channel().await);
    assert_eq!(describe(one).await.unwrap(), "hello");
    assert_eq!(describe(two).await.unwrap(), "hello");
    assert_eq!(describe(plugin.channel().await).await.unwrap(), "hello");
}

#[tokio::test]
async fn callers_without_the_right_certificate_are_refused_and_the_host_is_served_p29() {
    let mut plugin = Plugin::tls();
    // Nobody reads standard error any more: complaints about the callers must not end the plugin. P50
    drop(plugin.stderr.take());
    let (address, certificate) =
        (plugin.handshake().address, plugin.handshake().certificate.unwrap());
    let stranger = Identity::generate().unwrap();
    let stranger = client_config(&stranger, &certificate).unwrap();
    for tls in [None, Some(stranger)] {
        let refused = match channel(&address, tls).await {
            Ok(channel) => describe(channel).await.is_err(),
            Err(_refused) => true,
        };
        assert!(refused);
    }
    assert_eq!(describe(plugin.channel().await).await.unwrap(), "hello");
    assert!(plugin.is_running());
}

#[tokio::test]
async fn it_is_healthy_p23() {
    let plugin = Plugin::plain();
    let mut client = HealthClient::new(plugin.channel().await);
    for service in ["plugin", ""] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = client.check(request).await.unwrap().into_inner().status;
        assert_eq!(status, 1, "{service:?} is SERVING");
    }
    let unknown = HealthCheckRequest { service: "other".to_owned() };
    assert_eq!(client.check(unknown).await.unwrap_err().code(), Code::NotFound);
    let watched = HealthCheckRequest { service: "plugin".to_owned() };
    let mut watch = client.watch(watched).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
}

#[tokio::test]
async fn the_broker_holds_one_stream_and_refuses_knocks_p38_p41() {
    let plugin = Plugin::plain();
    let mut client = GrpcBrokerClient::new(plugin.channel().await);
    let knock = Some(Knock { knock: true, ..Knock::default() });
    let knock = ConnInfo { service_id: 7, knock, ..ConnInfo::default() };
    let outgoing = tokio_stream::iter([knock]).chain(tokio_stream::pending());
    let mut answers = client.start_stream(outgoing).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    assert_eq!(
        (answer.service_id, answer.knock.unwrap().error.as_str()),
        (7, "no listener for id 7")
    );
    let second = client.start_stream(tokio_stream::pending()).await.unwrap();
    assert!(second.into_inner().message().await.unwrap().is_none());
}

#[tokio::test]
async fn it_takes_requests_of_five_mebibytes_p26() {
    let plugin = Plugin::plain();
    let mut client = PluginClient::new(plugin.channel().await);
    let values = format!("{{\"x\":\"{}\"}}", "y".repeat(5 << 20));
    let component = "importer".to_owned();
    let request = v1::CheckRequest { component, values, ..v1::CheckRequest::default() };
    assert!(client.check(request).await.unwrap().into_inner().errors.is_empty());
}

/// Serves a fake host on a socket until the test ends.
fn serve(host: FakeHost, folder: &Path, plugin: Option<&Plugin>) -> tokio::task::JoinSet<()> {
    let listener = UnixListener::bind(folder.join("host.sock")).unwrap();
    let tls = plugin.map(|plugin| {
        let certificate = plugin.handshake().certificate.unwrap();
        tokio_rustls::TlsAcceptor::from(server_config(plugin.identity(), &certificate).unwrap())
    });
    let routes = host.routes(folder);
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(async move {
        let server = Server::builder().add_routes(routes);
        let incoming = UnixListenerStream::new(listener);
        match tls {
            None => server.serve_with_incoming(incoming).await.unwrap(),
            Some(tls) => {
                let tasks = tokio_util::task::TaskTracker::new();
                let incoming = incoming.then(move |socket| {
                    let (tls, tasks) = (tls.clone(), tasks.clone());
                    async move {
                        let mut secure = tls.accept(socket?).await?;
                        let (mut near, far) = tokio::io::duplex(64 << 10);
                        tasks.spawn(async move {
                            drop(tokio::io::copy_bidirectional(&mut secure, &mut near).await);
                        });
                        Ok::<_, std::io::Error>(far)
                    }
                });
                server.serve_with_incoming(incoming).await.unwrap();
            }
        }
    });
    servers
}

async fn sync(plugin: &Plugin, folder: &Path) -> Vec<Event> {
    let context = v1::JobContext {
        host_address: format!("unix://{}/host.sock", folder.display()),
        token: "token".to_owned(),
        work_dir: folder.to_str().unwrap().to_owned(),
        ..v1::JobContext::default()
    };
    let instance = v1::Instance { component: "importer".to_owned(), ..v1::Instance::default() };
    let attachment = v1::Attachment {
        instance: Some(instance),
        settings: r#"{"url":"https://x.example/list"}"#.to_owned(),
        ..v1::Attachment::default()
    };
    let request = v1::SyncRequest {
        context: Some(context),
        attachment: Some(attachment),
        ..v1::SyncRequest::default()
    };
    let mut client = ImporterClient::new(plugin.channel().await);
    let mut stream = client.sync(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    while let Some(event) = tokio::time::timeout(DEADLINE, stream.message()).await.unwrap().unwrap()
    {
        events.extend(event.event);
    }
    events
}

#[tokio::test]
async fn it_reaches_its_host_in_clear_and_over_tls() {
    for plugin in [Plugin::plain(), Plugin::tls()] {
        let folder = tempfile::tempdir().unwrap();
        let host = FakeHost::new().file("https://x.example/list", "one\ntwo\n");
        let secure = plugin.tls_config().is_some();
        let _servers = serve(host, folder.path(), secure.then_some(&plugin));
        let events = sync(&plugin, folder.path()).await;
        let Some(Event::Units(units)) = events.first() else { panic!("{events:?}") };
        assert_eq!(units.units.len(), 2);
        assert!(matches!(events.last(), Some(Event::Result(_))));
    }
}

#[tokio::test]
async fn it_reaches_a_host_behind_a_long_path() {
    let plugin = Plugin::plain();
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(150));
    std::fs::create_dir(&long).unwrap();
    let short = tempfile::tempdir().unwrap();
    let host = FakeHost::new().file("https://x.example/list", "one\n");
    let _servers = serve(host, short.path(), None);
    std::fs::rename(short.path().join("host.sock"), long.join("host.sock")).unwrap();
    // Downloads are staged where the fake host was given its folder; only the socket moved.
    std::os::unix::fs::symlink(short.path().join("download-1"), long.join("download-1")).unwrap();
    let events = sync(&plugin, &long).await;
    assert!(matches!(events.last(), Some(Event::Result(_))), "{events:?}");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_an_error_of_the_call() {
    let plugin = Plugin::plain();
    let folder = tempfile::tempdir().unwrap();
    let events = sync(&plugin, folder.path()).await;
    let Some(Event::Error(error)) = events.last() else { panic!("{events:?}") };
    assert!(error.message.contains("Download"), "{}", error.message);
    assert_eq!(describe(plugin.channel().await).await.unwrap(), "hello");
}
