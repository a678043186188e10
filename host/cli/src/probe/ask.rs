//! What a running plugin answers: health, and whether go-plugin's own services are there.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status};
use wharf_proto::goplugin::grpc_broker_client::GrpcBrokerClient;
use wharf_proto::goplugin::grpc_stdio_client::GrpcStdioClient;
use wharf_proto::health::HealthCheckRequest;
use wharf_proto::health::health_client::HealthClient;

/// For a short answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an open stream says nothing before that counts as "yes": a refusal comes at once.
const SILENCE: Duration = Duration::from_millis(250);

/// What the health service says about `plugin`, and how long that took.
pub(super) async fn health(channel: Channel) -> (String, Duration) {
    let request = HealthCheckRequest { service: "plugin".to_owned() };
    let begun = Instant::now();
    let answer = timeout(PATIENCE, HealthClient::new(channel).check(request)).await;
    let took = begun.elapsed();
    let said = match answer {
        Ok(Ok(answer)) => answer.into_inner().status().as_str_name().to_owned(),
        Ok(Err(status)) if status.code() == Code::Unimplemented => "missing".to_owned(),
        Ok(Err(status)) if status.code() == Code::NotFound => {
            "there, but does not know the name \"plugin\"".to_owned()
        }
        Ok(Err(status)) => format!("{:?}: {}", status.code(), status.message()),
        Err(_elapsed) => format!("no answer within {PATIENCE:?}"),
    };
    (said, took)
}

/// Whether the plugin has `plugin.GRPCStdio`.
pub(super) async fn has_stdio(channel: Channel) -> Option<bool> {
    is_known(GrpcStdioClient::new(channel).stream_stdio(())).await
}

/// Whether the plugin has `plugin.GRPCBroker`. Its broker may be of no use afterwards.
pub(super) async fn has_broker(channel: Channel) -> Option<bool> {
    is_known(GrpcBrokerClient::new(channel).start_stream(tokio_stream::pending())).await
}

/// Servers may keep the headers of a stream back until they have something to say.
async fn is_known<T>(call: impl Future<Output = Result<T, Status>>) -> Option<bool> {
    match timeout(SILENCE, call).await {
        Err(_) | Ok(Ok(_)) => Some(true),
        Ok(Err(status)) if status.code() == Code::Unimplemented => Some(false),
        Ok(Err(status)) if status.code() == Code::Unavailable => None,
        Ok(Err(_other)) => Some(true),
    }
}
