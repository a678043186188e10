//! What several tests here need.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Channel;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use wharf_supervisor::{LogLine, Process, StopStep};

/// How many rounds random tests take: `WHARF_ROUNDS`, or 25.
pub(crate) fn rounds() -> usize {
    std::env::var("WHARF_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

/// Stops a plugin and checks that it went when it was asked to.
pub(crate) async fn stop(process: &Process) {
    let stopped = process.stop().await;
    assert_eq!(stopped.step, StopStep::Shutdown, "{stopped:?}");
    assert_eq!(stopped.exit.code, Some(0), "{stopped:?}");
    assert!(stopped.took < Duration::from_millis(1_900), "{stopped:?}");
}

/// A future that must not take long.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.unwrap_or_else(|_| panic!("no end of {what}"))
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// All bytes that were written, and the sizes of the pieces.
#[derive(Clone, Default)]
pub(crate) struct Taken(Arc<Mutex<(Vec<u8>, Vec<usize>)>>);

impl Taken {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().0.clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().0.len()
    }

    pub(crate) fn pieces(&self) -> Vec<usize> {
        self.0.lock().unwrap().1.clone()
    }
}

impl AsyncWrite for Taken {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut taken = self.0.lock().unwrap();
        taken.0.extend_from_slice(bytes);
        taken.1.push(bytes.len());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The log lines that come until one that ends what is looked for.
pub(crate) async fn lines_until(
    lines: &mut tokio::sync::broadcast::Receiver<LogLine>,
    last: impl Fn(&LogLine) -> bool,
) -> Vec<LogLine> {
    let mut all: Vec<LogLine> = Vec::new();
    loop {
        let line = timeout(Duration::from_secs(20), lines.recv()).await;
        let line =
            line.unwrap_or_else(|_| panic!("the line did not come: {all:#?}")).expect("a line");
        all.push(line);
        if last(all.last().expect("it was just put there")) {
            return all;
        }
    }
}

/// What reflection lists, in order.
pub(crate) async fn services(channel: Channel) -> Vec<String> {
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(channel);
    let answers = client.server_reflection_info(tokio_stream::once(ask)).await;
    let answer = answers.unwrap().into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("another answer: {answer:?}");
    };
    let mut names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    names
}

/// What reflection lists of every complete plugin here.
pub(crate) const SERVICES: [&str; 7] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "interop.v1.Peer",
    "plugin.GRPCBroker",
    "plugin.GRPCController",
    "plugin.GRPCStdio",
];
