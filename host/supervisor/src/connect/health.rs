//! gRPC health checking, for the service name that go-plugin uses.

use tonic::Code;
use tonic::transport::Channel;
use wharf_proto::health::HealthCheckRequest;
use wharf_proto::health::health_check_response::ServingStatus;
use wharf_proto::health::health_client::HealthClient;

const SERVICE: &str = "plugin";

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Serving,
    /// The plugin answers, but offers no health service, or one that does not know the name.
    Missing,
    /// It says that it does not serve: the status' name.
    NotServing(&'static str),
    /// No proper answer at all.
    Failed(String),
}

/// Asks once. Has no deadline of its own.
pub(crate) async fn check(channel: Channel) -> Health {
    let request = HealthCheckRequest { service: SERVICE.to_owned() };
    match HealthClient::new(channel).check(request).await {
        Ok(answer) => match answer.into_inner().status() {
            ServingStatus::Serving => Health::Serving,
            other => Health::NotServing(other.as_str_name()),
        },
        Err(status) => match status.code() {
            Code::Unimplemented | Code::NotFound => Health::Missing,
            code => {
                let text = crate::text::excerpt(status.message(), 500);
                Health::Failed(format!("{code:?}: {text}"))
            }
        },
    }
}
