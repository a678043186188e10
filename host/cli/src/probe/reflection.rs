//! Which services a plugin says it has: gRPC reflection, the current version first, then the one
//! that older servers offer.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// For the whole answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which form of reflection answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Version {
    V1,
    V1Alpha,
}

/// What reflection says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reflection {
    /// These services, sorted.
    Lists(Version, Vec<String>),
    /// Neither form is there.
    Missing,
    /// It is there and did not answer as it should.
    Failed(String),
}

/// Asks for the names of all services.
pub(super) async fn ask(channel: Channel) -> Reflection {
    let mut answered = within(list_v1(channel.clone())).await.map(|names| (Version::V1, names));
    if answered.as_ref().is_err_and(|status| status.code() == Code::Unimplemented) {
        answered = within(list_v1alpha(channel)).await.map(|names| (Version::V1Alpha, names));
    }
    match answered {
        Ok((version, mut names)) => {
            names.sort();
            Reflection::Lists(version, names)
        }
        Err(status) if status.code() == Code::Unimplemented => Reflection::Missing,
        Err(status) => Reflection::Failed(format!("{:?}: {}", status.code(), status.message())),
    }
}

async fn within(
    answer: impl Future<Output = Result<Vec<String>, Status>>,
) -> Result<Vec<String>, Status> {
    timeout(PATIENCE, answer).await.unwrap_or_else(|_elapsed| {
        Err(Status::deadline_exceeded(format!("no answer within {PATIENCE:?}")))
    })
}

/// The two forms have the same messages under different names.
macro_rules! list {
    ($function:ident, $version:ident) => {
        async fn $function(channel: Channel) -> Result<Vec<String>, Status> {
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$version::{ErrorResponse, ServerReflectionRequest};

            let question = ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = ServerReflectionClient::new(channel);
            let answers = client.server_reflection_info(tokio_stream::once(question)).await?;
            let answer = answers.into_inner().message().await?;
            match answer.and_then(|answer| answer.message_response) {
                Some(MessageResponse::ListServicesResponse(list)) => {
                    Ok(list.service.into_iter().map(|service| service.name).collect())
                }
                Some(MessageResponse::ErrorResponse(ErrorResponse { error_message, .. })) => {
                    Err(Status::internal(error_message))
                }
                _ => Err(Status::internal("an answer to another question")),
            }
        }
    };
}

list!(list_v1, v1);
list!(list_v1alpha, v1alpha);
