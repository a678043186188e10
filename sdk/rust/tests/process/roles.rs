//! Plugins of wharf: the same process, and the way back to the host.

use std::path::Path;

use tokio::net::UnixListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use wharf_peer::Connection;
use wharf_proto::v1;
use wharf_proto::v1::event::Event;
use wharf_proto::v1::importer_client::ImporterClient;
use wharf_proto::v1::plugin_client::PluginClient;
use wharf_sdk::testing::FakeHost;

use crate::child::{Plugin, Start, soon};

async fn describe(plugin: &Plugin) -> String {
    let mut client = PluginClient::new(plugin.channel().await);
    client.describe(v1::DescribeRequest::default()).await.unwrap().into_inner().name
}

fn both() -> [Plugin; 2] {
    [Start::hello().run(), Start::hello().tls().run()]
}

// P5
#[tokio::test]
async fn it_answers_in_clear_and_over_tls() {
    for plugin in both() {
        assert_eq!(describe(&plugin).await, "hello");
    }
}

// P26
#[tokio::test]
async fn it_takes_requests_of_five_mebibytes() {
    let plugin = Start::hello().run();
    let mut client = PluginClient::new(plugin.channel().await);
    let values = format!("{{\"x\":\"{}\"}}", "y".repeat(5 << 20));
    let component = "importer".to_owned();
    let request = v1::CheckRequest { component, values, ..v1::CheckRequest::default() };
    assert!(client.check(request).await.unwrap().into_inner().errors.is_empty());
}

/// Serves a fake host on a socket until the test ends.
fn serve(host: FakeHost, folder: &Path, plugin: Option<&Plugin>) -> tokio::task::JoinSet<()> {
    let listener = UnixListener::bind(folder.join("host.sock")).unwrap();
    let security = plugin.and_then(Plugin::security);
    let incoming = UnixListenerStream::new(listener).then(move |socket| {
        let security = security.clone();
        async move { Connection::from(socket?).into_server(security.as_ref()).await }
    });
    let server = Server::builder().add_routes(host.routes(folder));
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(async move { server.serve_with_incoming(incoming).await.unwrap() });
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
    while let Some(event) = soon(stream.message()).await.unwrap() {
        events.extend(event.event);
    }
    events
}

#[tokio::test]
async fn it_reaches_its_host_in_clear_and_over_tls() {
    for plugin in both() {
        let folder = tempfile::tempdir().unwrap();
        let host = FakeHost::new().file("https://x.example/list", "one\ntwo\n");
        let secure = plugin.security().is_some();
        let _servers = serve(host, folder.path(), secure.then_some(&plugin));
        let events = sync(&plugin, folder.path()).await;
        let Some(Event::Units(units)) = events.first() else { panic!("{events:?}") };
        assert_eq!(units.units.len(), 2);
        assert!(matches!(events.last(), Some(Event::Result(_))));
    }
}

#[tokio::test]
async fn it_reaches_a_host_behind_a_long_path() {
    let plugin = Start::hello().run();
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
    let plugin = Start::hello().run();
    let folder = tempfile::tempdir().unwrap();
    let events = sync(&plugin, folder.path()).await;
    let Some(Event::Error(error)) = events.last() else { panic!("{events:?}") };
    assert!(error.message.contains("Download"), "{}", error.message);
    assert_eq!(describe(&plugin).await, "hello");
}
